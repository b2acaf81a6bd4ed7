/** What a vendor's credentials are to a bucket, and how their failures are told. */
import { CredentialsError } from '../base/errors.ts';
import type { Authorize, HttpReply } from '../http/http-request.ts';
import { excerpt } from '../http/excerpt.ts';

/** Proof of who asks, for one bucket. */
export interface Signer {
  /** Where the credentials are from, for messages. */
  readonly source: string;
  /** @throws CredentialsError UNUSABLE, BAD_CREDENTIALS. */
  readonly sign: Authorize;
  /** Whether the same request may succeed after this refusal. If so, `sign` starts afresh: new token, right clock. */
  canRenew(refusal: HttpReply): boolean;
}

/** @returns undefined when there are no credentials. @throws CredentialsError when there are, but not such as can be used. */
export type FindSigner = () => Promise<Signer | undefined>;

/** Vendors' libraries ask servers, files and other programs; some of that has no bound of its own. */
const PATIENCE_MS = 60_000;

/**
 * A vendor's answer in good time.
 * @param secrets What must not appear in the error, however the vendor words it.
 * @throws CredentialsError UNUSABLE; nothing of the vendor's error but its words is kept: it may hold what was sent.
 */
export async function awaitVendor<T>(
  from: string,
  work: Promise<T>,
  secrets: readonly string[],
  advice: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([work, patience]);
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    throw new CredentialsError(
      'UNUSABLE',
      `the credentials of ${from} cannot be used: ${vendorWords(error, secrets)}; ${advice}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** The first 200 characters, without known secrets and anything as long as a token. */
function vendorWords(error: unknown, secrets: readonly string[]): string {
  const message = error instanceof Error ? error.message : 'unknown error';
  const words = message.replace(/[\w+=.-]{60,}/g, '***');
  return excerpt(Buffer.from(words), {}, secrets) || 'unknown error';
}
