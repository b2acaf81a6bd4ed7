/** What happens to every request: it is counted, refused while the service stops, and waits for its turn. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpRefusal } from '../http-errors.ts';
import type { ServiceParts } from '../service-types.ts';
import { bodyLength } from './receive-body.ts';

/** A row takes at least about so many bytes of a body. */
const BYTES_PER_ROW = 12;
/** The rows of a body whose length is not known. */
const UNKNOWN_ROWS = 1_000_000;
/** How much of a body is read and thrown away after an early answer, so that the client gets to read it. */
const LINGER_BYTES = 2 ** 23,
  LINGER_MS = 2000;

/** Counts requests, and refuses them while the service stops. Registered before anything else. */
export function registerArrival(
  server: FastifyInstance,
  { metrics }: Pick<ServiceParts, 'metrics'>,
  isStopping: () => boolean,
): void {
  server.addHook('onRequest', async (request, { raw }) => {
    const startedAt = performance.now();
    raw.once('close', () => {
      const status = raw.writableFinished ? raw.statusCode : CLIENT_LEFT,
        route = request.routeOptions.url ?? 'none';
      metrics.noteRequest(route, status, (performance.now() - startedAt) / 1000);
    });
    if (isStopping()) throw new HttpRefusal(503, 'the service is stopping', { 'retry-after': '5' });
  });
  server.addHook('onSend', async (request, reply) => {
    if (isStopping()) void reply.header('connection', 'close');
    if (!request.raw.complete) lingerAfter(request, reply);
  });
}

/** The status of a request whose client left, as nginx counts it. */
const CLIENT_LEFT = 499;

/** Makes requests with a body wait for their turn. Registered after `access`. */
export function registerGate(server: FastifyInstance, { gate }: Pick<ServiceParts, 'gate'>): void {
  server.decorateRequest('pass', undefined);
  server.addHook('onRequest', async (request, { raw }) => {
    if (request.method !== 'POST') return;
    const length = bodyLength(request.raw),
      rows = length === undefined ? UNKNOWN_ROWS : Math.ceil(length / BYTES_PER_ROW),
      entered = gate.enter(rows);
    if (!('turn' in entered)) request.pass = entered;
    else {
      raw.once('close', entered.leave);
      request.pass = await entered.turn;
    }
    const { pass } = request;
    if (raw.closed) pass.leave();
    else raw.once('close', () => pass.leave());
  });
}

/**
 * Closes the connection after an answer that came before the end of the body, but not at once: a connection that is
 * closed with unread bytes is reset, and the client may lose the answer.
 */
function lingerAfter({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (bodyLength(raw) === 0) return;
  reply.raw.once('finish', () => {
    if (raw.complete) return;
    let left = LINGER_BYTES;
    const end = (): void => void raw.socket.destroy(),
      timer = setTimeout(end, LINGER_MS).unref();
    raw.on('data', (part: Buffer) => {
      left -= part.length;
      if (left < 0) end();
    });
    raw.once('close', () => clearTimeout(timer));
    raw.once('end', () => clearTimeout(timer));
    raw.resume();
  });
}
