/** Removes what a failed upload has left on the server. */
import { RequestError } from '../../base/errors.ts';
import type { ObjectReply } from '../http-store.ts';

/** The user waits for it after Ctrl-C. */
const MAX_WAIT_MS = 30_000;

/**
 * Sends a request that removes something, for at most 30 s. That it is not there is a success, too. Never
 * throws: another error is about to be thrown.
 *
 * @param onFailure Called with the reason if it may be left.
 */
export async function removeQuietly(
  send: (signal: AbortSignal) => Promise<ObjectReply>,
  onFailure: (why: string) => void,
): Promise<void> {
  const limit = new AbortController(),
    timer = setTimeout(() => limit.abort(new Error('no answer')), MAX_WAIT_MS);
  try {
    const { status } = (await send(limit.signal)).reply;
    if (!isRemoved(status)) onFailure(`status ${status}`);
  } catch (error) {
    onFailure(
      error instanceof RequestError || limit.signal.aborted ? (error as Error).message : String(error),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Google answers 499 to a request that cancels an upload. */
const isRemoved = (status: number): boolean =>
  (status >= 200 && status < 300) || status === 404 || status === 410 || status === 499;
