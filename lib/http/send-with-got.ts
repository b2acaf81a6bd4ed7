/**
 * Sends requests with the stream interface of got. Its promise interface needs a fifth more CPU time, and its
 * retries read failed bodies without a limit. got is loaded when a chunkedgraph is opened, or with the first
 * request that needs it.
 */
import type { Agent as HttpAgent, IncomingHttpHeaders } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Got, Request } from 'got';
import { isReadMethod, type OutgoingRequest, type RequestSender, type ResponseHandlers } from './exchange.ts';
import { importPackage } from './import-package.ts';

let loading: Promise<Got> | undefined;

/**
 * Loads got once. A failed load is retried at the next call.
 * @throws The error of the file system.
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

/** Makes a sender for any request, with or without a body. */
export function sendWithGot(agent: { http: HttpAgent; https: HttpsAgent }): RequestSender {
  let ownGot: Promise<Got> | undefined;
  const load = async (): Promise<Got> =>
    (ownGot ??= loadGot().then((got) => got.extend({ agent }))).catch((error: unknown) => {
      ownGot = undefined;
      throw error;
    });
  return (outgoing, handlers) => {
    let stream: Request | undefined,
      destroyed = false;
    load().then((got) => {
      if (!destroyed) stream = startRequest(got, outgoing, handlers);
    }, handlers.onError);
    return {
      destroy() {
        destroyed = true;
        stream?.destroy();
      },
    };
  };
}

function startRequest(
  got: Got,
  { url, method, headers, body }: OutgoingRequest,
  handlers: ResponseHandlers,
): Request {
  const hasBody = !isReadMethod(method) || !!body?.byteLength;
  const stream = got.stream(url, {
    method,
    headers,
    // Without an empty body, a method that allows a body would wait for one.
    body: hasBody
      ? Buffer.from(body?.buffer ?? new ArrayBuffer(0), body?.byteOffset, body?.byteLength)
      : undefined,
    allowGetBody: hasBody,
  });
  stream.once('socket', handlers.onSocket);
  stream.once('response', (response: { statusCode: number; headers: IncomingHttpHeaders; ip?: string }) =>
    handlers.onResponse(response, response.ip),
  );
  stream.on('data', handlers.onData);
  stream.once('end', handlers.onEnd);
  // This listener is never removed: a destroyed stream may still emit an error, and nothing else would handle it.
  stream.on('error', handlers.onError);
  return stream;
}
