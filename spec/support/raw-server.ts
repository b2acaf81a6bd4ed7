/** A server on 127.0.0.1 that answers with bytes of its own, or not at all. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface RawServer {
  origin: string;
  port: number;
  /** The requests received, as text. */
  requests: string[];
  /** Connections that were ever opened, in order. */
  connections: Socket[];
  /** Connections that are open now. */
  open: Set<Socket>;
  close: () => Promise<void>;
}

/** Handles one request. `earlier` counts the requests before it. */
export type RawAnswer = (socket: Socket, request: string, earlier: number) => void;

/** Starts a server, which may be one of node:tls. */
export async function serveRaw(
  answer: RawAnswer,
  {
    server = createServer(),
    onConnection,
  }: { server?: Server; onConnection?: (socket: Socket) => void } = {},
): Promise<RawServer> {
  const raw: RawServer = {
    origin: '',
    port: 0,
    requests: [],
    connections: [],
    open: new Set(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of raw.open) socket.destroy();
      }),
  };
  server.on('connection', (socket: Socket) => {
    raw.connections.push(socket);
    raw.open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => raw.open.delete(socket));
  });
  server.on(isSecure(server) ? 'secureConnection' : 'connection', (socket: Socket) => {
    let text = '';
    socket.on('error', () => undefined);
    onConnection?.(socket);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const request = text.slice(0, end + 4);
        text = text.slice(end + 4);
        raw.requests.push(request);
        answer(socket, request, raw.requests.length - 1);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  raw.port = (server.address() as AddressInfo).port;
  raw.origin = `${isSecure(server) ? 'https' : 'http'}://127.0.0.1:${raw.port}`;
  return raw;
}

const isSecure = (server: Server): boolean => 'setTicketKeys' in server;
