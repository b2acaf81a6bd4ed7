/**
 * One hop of a request: its own URL first, then each URL that it is redirected to, with the headers sent
 * there.
 */
import { PathError } from '../base/errors.ts';
import type { AddressPolicy, Authorize, HttpRequest } from './http-request.ts';
import { redactUrl } from './excerpt.ts';
import type { Headers } from './secret-headers.ts';
import { USER_AGENT } from './user-agent.ts';

/** What is sent to one URL. */
export interface Hop {
  url: URL;
  /** Lower-case names. */
  headers: Headers;
  authorize: Authorize | undefined;
  allowAddress: AddressPolicy;
}

/** Makes the first hop of a request. @throws PathError BAD_PATH, UNSUPPORTED_SCHEME. */
export function firstHop({ url, headers, range, authorize, allowAddress = 'any' }: HttpRequest): Hop {
  return {
    url: parseUrl(url),
    headers: {
      'user-agent': USER_AGENT,
      'accept-encoding': 'gzip, br, zstd',
      ...(headers && lowerCased(headers)),
      ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
    },
    authorize,
    allowAddress,
  };
}

function parseUrl(url: string | URL): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new PathError('BAD_PATH', `${redactUrl(url)} is not a URL`);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new PathError('UNSUPPORTED_SCHEME', `${redactUrl(parsed)} is neither http nor https`);
  return parsed;
}

const lowerCased = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
