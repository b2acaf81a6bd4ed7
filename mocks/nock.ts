/**
 * Mounts mocks on nock, without a socket. Only this file imports nock, because nock patches `http` when it is
 * imported.
 */
import type { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import nock from 'nock';
import { hasBody, mockRequest, sentHeaders, transmission, type MockResponse } from './message.ts';
import { NOTHING_MOUNTED, route, type MockRoutes } from './server.ts';

/** Mocks on nock. Call `restore()` at the end of a test, or declare them with `using`. */
export interface NockedMocks extends Disposable {
  /** Removes these mocks from nock. Other interceptors stay. */
  restore(): void;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers every request to `origin` until `restore()`. The interceptors are optional: `nock.isDone()` is true
 * also without requests. Works with `nock.disableNetConnect()`.
 *
 * @param origin Origin to intercept, such as `https://pcg.example.org`, without a path.
 * @param routes The mocks, by path prefix.
 * @example
 * using mocks = nockMocks('https://pcg.example.org', { '/segmentation': graph, '/bucket': bucket });
 */
export function nockMocks(origin: string, routes: MockRoutes): NockedMocks {
  const scope = nock(origin).persist();
  const asSent = new WeakMap<object, NockedRequest['headers']>();
  // nock parses bodies with a JSON content type, and invalid JSON would end the process. So the type is
  // hidden from it.
  scope.on('request', (request: NockedRequest) => {
    asSent.set(request, request.headers);
    request.headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => name !== 'content-type'),
    );
  });
  const interceptors = METHODS.map((method) => {
    const interceptor = scope.intercept(/.*/, method).query(true).optionally();
    interceptor.reply(async function (uri) {
      const request = this.req as unknown as NockedRequest;
      // nock passes the body as hex or as text, depending on its content. The buffers hold the bytes.
      const body = Buffer.concat(request.requestBodyBuffers);
      const headers = Object.fromEntries(
        Object.entries(asSent.get(request) ?? request.headers).map(([name, value]) => [name, String(value)]),
      );
      const found = route(routes, mockRequest(method, uri, { headers, body, origin }));
      const response = found ? await found.server.handle(found.request) : NOTHING_MOUNTED;
      if (response.reset) throw connectionReset();
      const isBare = method === 'HEAD' || !hasBody(response);
      return [
        response.status,
        isBare ? '' : (bodyOf(response, request) as Buffer),
        { date: new Date().toUTCString(), ...sentHeaders(response) },
      ];
    });
    return interceptor;
  });
  const restore = (): void => interceptors.forEach((interceptor) => nock.removeInterceptor(interceptor));
  return { restore, [Symbol.dispose]: restore };
}

/** The parts of nock's request that are used here. */
interface NockedRequest extends EventEmitter {
  headers: Record<string, unknown>;
  requestBodyBuffers: Buffer[];
}

const connectionReset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

function bodyOf(response: MockResponse, request: NockedRequest): Buffer | Readable {
  const { bytes: sent, then } = transmission(response);
  const bytes = Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
  if (then === 'end') return bytes;
  // nock sends the headers with the first part of the body, and a stream does not emit an empty part.
  if (bytes.length === 0) request.once('response', (incoming: EventEmitter) => incoming.emit('data', bytes));
  return Readable.from(
    (async function* () {
      yield bytes;
      if (then === 'stall') await new Promise<never>(() => undefined);
      throw connectionReset();
    })(),
    { objectMode: false },
  );
}
