/** Serves mocks over HTTP at 127.0.0.1, and on no other network interface. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { mockRequest, sentHeaders, transmission, type MockResponse } from './message.ts';
import { NOTHING_MOUNTED, route, type MockRoutes } from './server.ts';

/** Options of {@link serveMocks}. */
export interface ServeMocksOptions {
  /** TCP port. 0 selects a free port. @default 0 */
  port?: number;
  /** Milliseconds to wait before every answer. @default 0 */
  latencyMs?: number;
}

/** Mocks on loopback. Call `close()` at the end of a test, or declare them with `await using`. */
export interface ServedMocks extends AsyncDisposable {
  /** The origin, such as `http://127.0.0.1:49152`, without a slash at the end. */
  readonly url: string;
  /** Stops listening and ends all connections, including those with a request in flight. */
  close(): Promise<void>;
}

/**
 * Serves mocks at 127.0.0.1.
 *
 * @param routes The mocks, by path prefix.
 * @throws Error of Node when the port is in use.
 * @example
 * await using served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
 * const volume = await openGraphene(`graphene://${served.url}/segmentation/table/mock`);
 */
export async function serveMocks(
  routes: MockRoutes,
  { port = 0, latencyMs = 0 }: ServeMocksOptions = {},
): Promise<ServedMocks> {
  const server = createServer((incoming, outgoing) => {
    incoming.on('error', () => undefined); // a client that disconnects is not a failure of the server
    outgoing.on('error', () => undefined);
    answer(incoming).then(
      (response) => send(outgoing, incoming.method === 'HEAD', response),
      (error: unknown) => outgoing.destroy(error as Error),
    );
  });
  // Longer than clients keep idle connections: otherwise the server may close one just as a request is sent.
  server.keepAliveTimeout = 60_000;

  let origin = '';
  async function answer(incoming: IncomingMessage): Promise<MockResponse> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    );
    const found = route(
      routes,
      mockRequest(incoming.method!, incoming.url!, { headers, body: Buffer.concat(parts), origin }),
    );
    if (found) found.server.log.arrived(found.request);
    if (latencyMs > 0) await wait(latencyMs);
    return found ? found.server.handle(found.request) : NOTHING_MOUNTED;
  }

  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', 1024, resolve),
  );
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: origin, close, [Symbol.asyncDispose]: close };
}

function send(outgoing: ServerResponse, isHead: boolean, response: MockResponse): void {
  const { status, reset } = response;
  if (reset) return void outgoing.socket?.resetAndDestroy();
  outgoing.writeHead(status, sentHeaders(response));
  if (isHead) return void outgoing.end();
  const { bytes, then } = transmission(response);
  if (then === 'end') return void outgoing.end(bytes);
  // The connection ends after the first bytes are written, so that the client does get them.
  outgoing.flushHeaders();
  outgoing.write(bytes, () => then === 'reset' && outgoing.destroy());
}
