/** Mocks on nock: the same handlers, without a socket. The only file that imports nock, which patches `http` when imported. */
import type { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import nock from 'nock';
import { hasBody, mockRequest, sentHeaders, transmission, type MockResponse } from './message.ts';
import { NOTHING_MOUNTED, route, type MockRoutes } from './server.ts';

/** Mocks that are mounted on nock. */
export interface NockedMocks extends Disposable {
  /** Takes these mocks, and nothing else, off nock again. */
  restore(): void;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers every request to `origin` until `restore()`, and none need come: `nock.isDone()` is true all the same. Works with
 * `nock.disableNetConnect()`.
 *
 * @param origin `https://pcg.example.org`, without a path.
 */
export function nockMocks(origin: string, routes: MockRoutes): NockedMocks {
  const scope = nock(origin).persist();
  const asSent = new WeakMap<object, NockedRequest['headers']>();
  // nock reads bodies of a JSON type itself, and what is not JSON ends the process: it sees no type.
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
      // The body that nock hands over is hex or text, depending on what is in it.
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

/** What nock hands on of a request. */
interface NockedRequest extends EventEmitter {
  headers: Record<string, unknown>;
  requestBodyBuffers: Buffer[];
}

const connectionReset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

function bodyOf(response: MockResponse, request: NockedRequest): Buffer | Readable {
  const { bytes: sent, then } = transmission(response);
  const bytes = Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
  if (then === 'end') return bytes;
  // The head goes out with the first part of the body, and a stream tells nobody of an empty one.
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
