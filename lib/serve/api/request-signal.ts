/** Ends the work of a request when its client leaves. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Returns a signal that is aborted when the connection closes before the answer was sent. */
export function signalOf({ raw }: FastifyRequest, reply: FastifyReply): AbortSignal {
  const leaving = new AbortController();
  raw.socket.once('close', () => {
    if (!reply.raw.writableFinished) leaving.abort(new Error('the client has left'));
  });
  return leaving.signal;
}
