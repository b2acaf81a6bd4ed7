/** Mocks on nock: the same handlers, without a socket. The only file that imports nock, which patches `http` when imported. */
import { Readable } from 'node:stream';
import nock from 'nock';
import { mockRequest, transmission, type MockResponse } from './message.ts';
import { NOTHING_MOUNTED, route, type MockRoutes } from './server.ts';

export interface NockedMocks extends Disposable {
  /** Takes these mocks, and nothing else, off nock again. */
  restore(): void;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers every request to `origin` until `restore()`, and none need come: `nock.isDone()` is true all the same. Works with `nock.disableNetConnect()`. A JSON request body that is no
 * JSON does not get here: nock itself refuses it when the content type says application/json.
 *
 * @param origin `https://pcg.example.org`, without a path.
 */
export function nockMocks(origin: string, routes: MockRoutes): NockedMocks {
  const scope = nock(origin).persist();
  const interceptors = METHODS.map((method) => {
    const interceptor = scope.intercept(/.*/, method).query(true).optionally();
    interceptor.reply(async function (uri) {
      // The body that nock hands over is hex or text, depending on what is in it.
      const body = Buffer.concat((this.req as unknown as { requestBodyBuffers: Buffer[] }).requestBodyBuffers);
      const headers = Object.fromEntries(Object.entries(this.req.headers).map(([name, value]) => [name, String(value)]));
      const found = route(routes, mockRequest(method, uri, { headers, body, origin }));
      const response = found ? await found.server.handle(found.request) : NOTHING_MOUNTED;
      if (response.reset) throw connectionReset();
      const length = { 'content-length': String(response.body.byteLength) };
      return [response.status, method === 'HEAD' ? '' : (bodyOf(response) as Buffer), { ...length, ...response.headers }];
    });
    return interceptor;
  });
  const restore = (): void => interceptors.forEach((interceptor) => nock.removeInterceptor(interceptor));
  return { restore, [Symbol.dispose]: restore };
}

const connectionReset = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

function bodyOf(response: MockResponse): Buffer | Readable {
  const { bytes: sent, then } = transmission(response);
  const bytes = Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
  if (then === 'end') return bytes;
  return Readable.from(
    (async function* () {
      yield bytes;
      if (then === 'stall') await new Promise<never>(() => undefined);
      throw connectionReset();
    })(),
    { objectMode: false },
  );
}
