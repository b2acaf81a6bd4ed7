/**
 * GETs by node:http itself: a third of the CPU per request that got takes, for the requests that come by the thousand. Redirects,
 * repeats, timeouts and bounds are not looked after here.
 */
import http, { type Agent as HttpAgent, type IncomingMessage } from 'node:http';
import https, { type Agent as HttpsAgent } from 'node:https';
import type { Send } from './exchange.ts';

/** Statuses whose content length is not that of what follows. RFC 9110, 8.6. */
const BODILESS = new Set([204, 304]);

/** GETs without a body. */
export const sendGet = (agent: { http: HttpAgent; https: HttpsAgent }): Send => ({ url, headers }, wire) => {
  // By the modules' own properties: what stands in for the network in tests replaces those.
  const request = url.protocol === 'https:' ? https.get(url, { agent: agent.https, headers }) : http.get(url, { agent: agent.http, headers });
  let response: IncomingMessage | undefined;
  request.once('socket', wire.onSocket);
  request.once('response', (arrived) => {
    response = arrived;
    const stated = arrived.headers['content-length'];
    let left = stated === undefined || BODILESS.has(arrived.statusCode!) ? 0 : Number(stated);
    // Both stay: what was destroyed may still have something to say.
    arrived.on('error', wire.onError);
    arrived.on('data', (chunk: Uint8Array) => {
      left -= chunk.byteLength;
      wire.onData(chunk);
    });
    arrived.once('end', () => (left > 0 ? wire.onError({ code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' }) : wire.onEnd()));
    wire.onResponse(arrived, arrived.socket.remoteAddress);
  });
  request.on('error', wire.onError);
  // A switch of protocols that nobody asked for closes the socket, and says nothing else.
  request.once('close', () => response ?? wire.onError({ code: 'ECONNRESET' }));
  return request;
};
