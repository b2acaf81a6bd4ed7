/** Mocks on a real socket of this machine; never on any other interface. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { mockRequest, sentHeaders, transmission, type MockResponse } from './message.ts';
import { NOTHING_MOUNTED, route, type MockRoutes } from './server.ts';

/** Options of `serveMocks`. */
export interface ServeMocksOptions {
  /** 0 takes a free one. @default 0 */
  port?: number;
  /** A wait before every answer. @default 0 */
  latencyMs?: number;
}

/** Mocks that listen on loopback. */
export interface ServedMocks extends AsyncDisposable {
  /** `http://127.0.0.1:49152`; no slash at the end. */
  readonly url: string;
  /** Stops listening and ends all connections, whatever is under way. */
  close(): Promise<void>;
}

/** Serves mocks on loopback, by path prefix. @throws The error of `listen`, such as EADDRINUSE. */
export async function serveMocks(
  routes: MockRoutes,
  { port = 0, latencyMs = 0 }: ServeMocksOptions = {},
): Promise<ServedMocks> {
  const server = createServer((incoming, outgoing) => {
    incoming.on('error', () => undefined); // a client that leaves is no failure of the server
    outgoing.on('error', () => undefined);
    answer(incoming).then(
      (response) => send(outgoing, incoming.method === 'HEAD', response),
      (error: unknown) => outgoing.destroy(error as Error),
    );
  });
  // longer than a client keeps an idle connection: no race between its next request and our close
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
  // Ends the connection only once the first bytes are on their way, so that the client does get them.
  outgoing.flushHeaders();
  outgoing.write(bytes, () => then === 'reset' && outgoing.destroy());
}
