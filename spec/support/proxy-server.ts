/** A proxy on 127.0.0.1. Tunnels and plain requests all lead to one server, whichever host they name. */
import { createServer, request as sendRequest } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ProxyServer {
  url: string;
  /** The requests that it received: `CONNECT host:port`, `GET http://…`. */
  requests: string[];
  authorizations: (string | undefined)[];
  /** The status with which tunnels and requests are refused; 0 refuses none, -1 never answers. */
  refusal: number;
  close: () => Promise<void>;
}

export async function serveProxy(target: { port: number }): Promise<ProxyServer> {
  const sockets = new Set<Socket>();
  const proxy: ProxyServer = {
    url: '',
    requests: [],
    authorizations: [],
    refusal: 0,
    close: async () => undefined,
  };
  const note = (what: string, authorization: string | undefined): void => {
    proxy.requests.push(what);
    proxy.authorizations.push(authorization);
  };
  const server = createServer((request, response) => {
    note(`${request.method} ${request.url}`, request.headers['proxy-authorization']);
    if (proxy.refusal < 0) return;
    if (proxy.refusal > 0) return void response.writeHead(proxy.refusal).end('the proxy says no');
    const url = new URL(request.url!);
    request.pipe(
      sendRequest(
        {
          port: target.port,
          host: '127.0.0.1',
          method: request.method,
          path: url.pathname,
          headers: { ...request.headers, host: url.host },
        },
        (reply) => {
          response.writeHead(reply.statusCode!, reply.headers);
          reply.pipe(response);
        },
      ),
    );
  });
  server.on('connect', (request, socket: Socket) => {
    note(`CONNECT ${request.url}`, request.headers['proxy-authorization']);
    socket.on('error', () => undefined);
    if (proxy.refusal < 0) return;
    if (proxy.refusal > 0)
      return void socket.end(`HTTP/1.1 ${proxy.refusal} No\r\ncontent-length: 2\r\n\r\nno`);
    const there = connect(target.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    there.on('error', () => socket.destroy());
    socket.on('close', () => there.destroy());
  });
  server.on('connection', (socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  proxy.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      sockets.forEach((socket) => socket.destroy());
    });
  return proxy;
}
