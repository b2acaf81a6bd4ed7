/**
 * Reads the token of a request: from the header `Authorization: Bearer …`, never from the query or a cookie. Source:
 * RFC 6750, section 2.1.
 */
import { AccessError } from '../../base/errors.ts';

/**
 * The longest token of a request. Tokens of CAVE have 32 characters. Messages are searched for each token, so that
 * longer ones would cost memory and time.
 */
export const MAX_TOKEN_LENGTH = 256;
/** Shorter tokens can be guessed. */
export const MIN_TOKEN_LENGTH = 16;

const TOKEN = /^[\w.~+/-]+=*$/;

/** Whether a text has the form of a token: of RFC 6750, and neither short nor long. */
export const isToken = (text: string): boolean =>
  text.length >= MIN_TOKEN_LENGTH && text.length <= MAX_TOKEN_LENGTH && TOKEN.test(text);

/**
 * Returns the token of a request; undefined if there is no header `authorization`.
 * @throws AccessError BAD_REQUEST for another scheme; BAD_TOKEN for text that is not a token.
 */
export function readBearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [, scheme, token] = /^([^ ]*) *(.*)$/.exec(authorization) ?? ['', '', ''];
  if (scheme.toLowerCase() !== 'bearer')
    throw new AccessError('BAD_REQUEST', 'the header authorization must be: Bearer TOKEN');
  if (!isToken(token))
    throw new AccessError(
      'BAD_TOKEN',
      `the token is not one that this service can know: it has ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH} letters, digits and signs`,
    );
  return token;
}
