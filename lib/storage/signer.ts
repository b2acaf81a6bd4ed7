/**
 * The interface of a signer, which adds a vendor's credentials to requests, and the errors of vendors'
 * libraries.
 */
import { CredentialsError } from '../base/errors.ts';
import type { Authorize, HttpReply } from '../http/http-request.ts';
import { excerpt } from '../http/excerpt.ts';

/** Adds credentials to the requests for one bucket. */
export interface Signer {
  /** Where the credentials come from, for messages. */
  readonly source: string;
  /** @throws CredentialsError UNUSABLE, BAD_CREDENTIALS. */
  readonly sign: Authorize;
  /**
   * Prepares for a retry after a refusal. Returns whether it may succeed: then the next call of `sign` uses a
   * new token, new keys or a corrected clock.
   */
  renewAfter(refusal: HttpReply): boolean;
}

/**
 * Finds the credentials; undefined if there are none.
 * @throws CredentialsError if there are some, but they cannot be used.
 */
export type FindSigner = () => Promise<Signer | undefined>;

/**
 * Limit for a vendor's library, which may request servers, read files and run programs without a limit of its
 * own.
 */
const MAX_WAIT_MS = 60_000;

/**
 * Waits for the result of a vendor's library, for at most 60 s.
 * @param secrets Values that must not appear in the error message.
 * @throws CredentialsError UNUSABLE with the message of the vendor's error. The error itself is dropped: it
 *   may contain what was sent.
 */
export async function awaitVendor<T>(
  from: string,
  work: Promise<T>,
  secrets: readonly string[],
  advice: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${MAX_WAIT_MS / 1000} s`)), MAX_WAIT_MS);
  });
  try {
    return await Promise.race([work, timeout]);
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    throw new CredentialsError(
      'UNUSABLE',
      `the credentials from ${from} cannot be used: ${vendorWords(error, secrets)}; ${advice}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the first 200 characters of a message, without known secrets and without anything as long as a
 * token.
 */
function vendorWords(error: unknown, secrets: readonly string[]): string {
  const message = error instanceof Error ? error.message : 'unknown error';
  const words = message.replace(/[\w+=.-]{60,}/g, '***');
  return excerpt(Buffer.from(words), {}, secrets) || 'unknown error';
}
