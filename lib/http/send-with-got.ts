/**
 * Requests by got's stream interface. got's promise interface costs a fifth more CPU per request, and its own retries read failing bodies
 * without a bound. got is loaded when a chunkedgraph is opened, or with the first request: look-ups of voxels alone send none.
 */
import type { Agent as HttpAgent, IncomingHttpHeaders } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Got, Request } from 'got';
import { isReadMethod, type OutgoingRequest, type RequestSender, type ResponseHandlers } from './exchange.ts';
import { importPackage } from './import-package.ts';

let loading: Promise<Got> | undefined;

/**
 * Loads got, where that has not been done: what requests with a body are sent by. A failure is not remembered.
 * @throws the error of the file system.
 */
export function loadGot(): Promise<Got> {
  loading ??= importPackage(() => import('got')).then(({ got }) =>
    got.extend({
      decompress: false,
      throwHttpErrors: false,
      followRedirect: false,
      retry: { limit: 0 },
      strictContentLength: true,
    }),
  );
  loading.catch(() => (loading = undefined));
  return loading;
}

/** Any request: with a body or without. */
export function sendWithGot(agent: { http: HttpAgent; https: HttpsAgent }): RequestSender {
  let ours: Promise<Got> | undefined;
  const load = async (): Promise<Got> =>
    (ours ??= loadGot().then((got) => got.extend({ agent }))).catch((error: unknown) => {
      ours = undefined;
      throw error;
    });
  return (outgoing, wire) => {
    let stream: Request | undefined,
      destroyed = false;
    load().then((got) => {
      if (!destroyed) stream = begin(got, outgoing, wire);
    }, wire.onError);
    return {
      destroy() {
        destroyed = true;
        stream?.destroy();
      },
    };
  };
}

function begin(got: Got, { url, method, headers, body }: OutgoingRequest, wire: ResponseHandlers): Request {
  const hasBody = !isReadMethod(method) || !!body?.byteLength;
  const stream = got.stream(url, {
    method,
    headers,
    // Whatever may have a body and has none would wait for one to be written.
    body: hasBody
      ? Buffer.from(body?.buffer ?? new ArrayBuffer(0), body?.byteOffset, body?.byteLength)
      : undefined,
    allowGetBody: hasBody,
  });
  stream.once('socket', wire.onSocket);
  stream.once('response', (response: { statusCode: number; headers: IncomingHttpHeaders; ip?: string }) =>
    wire.onResponse(response, response.ip),
  );
  stream.on('data', wire.onData);
  stream.once('end', wire.onEnd);
  // Stays: a stream that was destroyed may still have something to say, and nobody else listens.
  stream.on('error', wire.onError);
  return stream;
}
