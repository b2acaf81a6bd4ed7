/** Turns the answers of a thread that has made an exchange into the results of exchanges. */
import type { LookupError } from '../base/errors.ts';
import { reviveError } from '../base/revive-error.ts';
import { redactSecretsIn } from '../base/secret-redaction.ts';
import { isShared } from '../base/shared-memory.ts';
import type { ExchangeResult } from '../http/exchange.ts';
import type { HttpMeter } from '../http/meter.ts';
import type { SharedBuffers } from './shared-buffers.ts';
import type { FetchFailure, FetchedReply } from './worker-messages.ts';

/** Makes the result of an exchange with a reply. */
export function toReply(
  { status, headers, serverAddress, body = NOTHING, bodyBytes, result }: FetchedReply,
  url: URL,
  meter: HttpMeter | undefined,
): ExchangeResult {
  if (meter) meter.bytes += bodyBytes;
  return { reply: { status, headers, serverAddress, body, bodyBytes, url: url.href, workResult: result } };
}

const NOTHING = new Uint8Array(0);

/** Makes the result of an exchange without a reply. */
export function toFailure(
  { error, ranOutOfDescriptors, bytes }: FetchFailure,
  meter: HttpMeter | undefined,
): ExchangeResult {
  if (meter) meter.bytes += bytes;
  return {
    error: reviveError(redactSecretsIn(error)) as LookupError,
    ...(ranOutOfDescriptors && { ranOutOfDescriptors }),
  };
}

/**
 * Returns an answer with the bytes that a thread has put into shared memory. Memory that was offered and not
 * used becomes free: the thread has ended the exchange, and writes nothing more.
 * @param offered The memory that was sent with the command, if any.
 */
export function withSharedBody<T extends FetchedReply | FetchFailure>(
  answer: T,
  offered: SharedArrayBuffer | undefined,
  buffers: SharedBuffers,
): T {
  if (offered && answer.kind === 'reply' && answer.usesOffered)
    return { ...answer, body: buffers.use(new Uint8Array(offered, 0, answer.bodyBytes)) };
  if (offered) buffers.free(offered);
  if (answer.kind === 'reply' && answer.body && isShared(answer.body))
    buffers.use(answer.body as Uint8Array<SharedArrayBuffer>);
  return answer;
}
