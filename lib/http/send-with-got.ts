/**
 * Requests by got's stream interface. got's promise interface costs a fifth more CPU per request, and its own retries read failing bodies
 * without a bound.
 */
import type { Agent as HttpAgent, IncomingHttpHeaders } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import got from 'got';
import type { Send } from './exchange.ts';

/** Any request: with a body or without. */
export function sendWithGot(agent: { http: HttpAgent; https: HttpsAgent }): Send {
  const instance = got.extend({ agent, decompress: false, throwHttpErrors: false, followRedirect: false, retry: { limit: 0 }, strictContentLength: true });
  return ({ url, method, headers, body }, wire) => {
    const hasBody = method === 'POST' || !!body?.byteLength;
    const stream = instance.stream(url, {
      method,
      headers,
      // Whatever may have a body and has none would wait for one to be written.
      body: hasBody ? Buffer.from(body?.buffer ?? new ArrayBuffer(0), body?.byteOffset, body?.byteLength) : undefined,
      allowGetBody: hasBody,
    });
    stream.once('socket', wire.onSocket);
    stream.once('response', (response: { statusCode: number; headers: IncomingHttpHeaders; ip?: string }) => wire.onResponse(response, response.ip));
    stream.on('data', wire.onData);
    stream.once('end', wire.onEnd);
    // Stays: a stream that was destroyed may still have something to say, and nobody else listens.
    stream.on('error', wire.onError);
    return stream;
  };
}
