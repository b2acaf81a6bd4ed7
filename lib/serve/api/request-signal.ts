/** Ends the work of a request when its client leaves, or when the service has waited long enough for it. */
import type { FastifyReply } from 'fastify';
import { onAbort } from '../../base/abort.ts';

/**
 * Returns a signal that is aborted when the connection closes before the answer was sent.
 * @param life Also aborts it.
 */
export function signalOf({ raw }: FastifyReply, life?: AbortSignal): AbortSignal {
  const leaving = new AbortController();
  const release = life && onAbort(life, () => leaving.abort(life.reason));
  // Not of the socket, which serves many requests.
  raw.once('close', () => {
    release?.();
    if (!raw.writableFinished) leaving.abort(new Error('the client has left'));
  });
  return leaving.signal;
}
