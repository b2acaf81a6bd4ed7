/**
 * Sends GET requests over plain sockets, for worker threads. A new thread has to compile what it runs: the
 * first thousand requests with node:http take 0.5 ms of CPU time each, and 0.17 ms here. This file handles no
 * redirects, retries, timeouts, limits or proxies.
 */
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { ConnectionFailure, RequestSender, ResponseHandlers } from './exchange.ts';
import { BrokenMessage, isHeader, MessageParser } from './message-parser.ts';
import type { Headers } from './secret-headers.ts';

/** Bytes that are read from a socket at once. */
const READ_BYTES = 256 * 1024;
/** A kept connection is not used in the last second before its server closes it. */
const KEEP_MARGIN_MS = 1000;
/** Most TLS sessions. Redirects may lead to any number of servers. */
const MAX_SESSIONS = 100;

/** Keeps the connections to all servers, and sends requests over them. */
export class SocketSender {
  readonly #lookup: LookupFunction | undefined;
  readonly #maxIdle: number;
  /** Connections without a request. The last one was used most recently. */
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  /** The last TLS session of each origin. It makes new connections cheaper. */
  readonly #sessions = new Map<string, Buffer>();
  /** All reads of a thread use the same memory: a reply is copied out of it at once. */
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /**
   * All TLS connections share it: one of its own would cost each connection half a millisecond of CPU time.
   */
  #secureContext: SecureContext | undefined;

  /**
   * @param lookup Resolves host names. @default Node's own
   * @param maxIdle Most connections without a request.
   */
  constructor(lookup?: LookupFunction, maxIdle = 256) {
    this.#lookup = lookup;
    this.#maxIdle = maxIdle;
  }

  /** Sends a request without a body. */
  readonly send: RequestSender = ({ url, headers }, handlers) => {
    const text = requestText(url, headers);
    const connection = this.#takeIdle(url.origin) ?? this.#connect(url);
    queueMicrotask(() => connection.start(text, handlers));
    return { destroy: () => connection.leave(handlers) };
  };

  /** Closes all connections. */
  close(): void {
    for (const connection of this.#open) connection.destroy();
  }

  /** Closes the connections without a request. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #takeIdle(origin: string): Connection | undefined {
    for (;;) {
      const at = this.#idle.findLastIndex((connection) => connection.origin === origin);
      if (at < 0) return undefined;
      const [connection] = this.#idle.splice(at, 1);
      if (connection.isUsable()) return connection;
      connection.destroy();
    }
  }

  #connect(url: URL): Connection {
    const { origin, protocol, port } = url,
      host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const options = {
      host,
      noDelay: true,
      keepAlive: true,
      lookup: this.#lookup,
      onread: {
        buffer: this.#readBuffer,
        callback: (bytes: number, buffer: Uint8Array): boolean => {
          connection.receive(buffer.subarray(0, bytes));
          return true;
        },
      },
    };
    const isSecure = protocol === 'https:';
    const socket = isSecure
      ? tls().connect({
          ...options,
          port: Number(port || 443),
          ALPNProtocols: ['http/1.1'],
          session: this.#sessions.get(origin),
          secureContext: (this.#secureContext ??= tls().createSecureContext()),
          ...(!isAddress(host) && { servername: host }),
        })
      : connectTcp({ ...options, port: Number(port || 80) });
    if (isSecure) this.#keepSession(origin, socket);
    const connection: Connection = new Connection(origin, socket, {
      onIdle: () => this.#keep(connection),
      onClose: () => this.#forget(connection),
    });
    this.#open.add(connection);
    return connection;
  }

  #keepSession(origin: string, socket: Socket): void {
    const sessions = this.#sessions;
    socket.on('session', (session: Buffer) => {
      sessions.delete(origin);
      sessions.set(origin, session);
      if (sessions.size > MAX_SESSIONS) for (const [oldest] of sessions) return void sessions.delete(oldest);
    });
    // The session may be the reason.
    socket.on('error', () => sessions.delete(origin));
  }

  #keep(connection: Connection): void {
    if (this.#idle.push(connection) > this.#maxIdle) this.#idle.shift()!.destroy();
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

/** Loads node:tls with the first https:// URL: it takes a tenth of the time in which a thread starts. */
const tls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');

const isAddress = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);

/** One connection. It carries one request at a time. */
class Connection {
  readonly origin: string;
  readonly #socket: Socket;
  readonly #onIdle: () => void;
  #handlers: ResponseHandlers | undefined;
  #usableUntil = Infinity;
  readonly #parser = new MessageParser({
    onHead: (statusCode, headers) => {
      const [, seconds] = /timeout=(\d{1,6})/i.exec(String(headers['keep-alive'] ?? '')) ?? [];
      this.#usableUntil =
        seconds === undefined ? Infinity : performance.now() + Number(seconds) * 1000 - KEEP_MARGIN_MS;
      this.#handlers?.onResponse({ statusCode, headers }, this.#socket.remoteAddress);
    },
    onPiece: (piece) => this.#handlers?.onData(this.#handlers.copiesData?.() ? piece : new Uint8Array(piece)),
    onEnd: (isKept) => this.#end(isKept),
  });

  constructor(
    origin: string,
    socket: Socket,
    { onIdle, onClose }: { onIdle: () => void; onClose: () => void },
  ) {
    this.origin = origin;
    this.#socket = socket;
    this.#onIdle = onIdle;
    socket.on('error', (error: ConnectionFailure) => this.#fail(error));
    socket.on('end', () => this.#parse(() => this.#parser.close()));
    socket.once('close', () => {
      onClose();
      this.#fail({ code: 'ECONNRESET' });
    });
  }

  /** Whether the connection can carry another request. */
  isUsable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && performance.now() < this.#usableUntil;
  }

  /** Sends a request, unless it was left meanwhile. */
  start(text: string, handlers: ResponseHandlers): void {
    if (this.#left.has(handlers)) return this.destroy();
    this.#handlers = handlers;
    this.#socket.ref();
    handlers.onSocket(this.#socket);
    this.#parser.expect();
    if (this.#socket.destroyed) return this.#fail({ code: 'ECONNRESET' });
    this.#socket.write(text, 'latin1');
  }

  /** Requests that were left before they were sent. */
  readonly #left = new WeakSet<ResponseHandlers>();

  /** Ends a request. Its connection is closed, because the rest of its reply may still come. */
  leave(handlers: ResponseHandlers): void {
    this.#left.add(handlers);
    if (this.#handlers !== handlers) return;
    this.#handlers = undefined;
    this.destroy();
  }

  receive(bytes: Uint8Array): void {
    // A server that speaks without being asked cannot be trusted to answer the next request.
    if (!this.#parser.isActive) return this.destroy();
    this.#parse(() => this.#parser.feed(bytes));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #parse(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail({ code: error instanceof BrokenMessage ? error.code : 'ERR_INTERNAL' });
      this.destroy();
    }
  }

  #end(isKept: boolean): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    if (isKept && handlers && this.isUsable()) {
      this.#socket.unref();
      this.#onIdle();
    } else this.destroy();
    handlers?.onEnd();
  }

  #fail(error: ConnectionFailure): void {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onError(error);
  }
}

/** Writes a request. @throws TypeError for a header that cannot be sent, as node:http does. */
function requestText(url: URL, headers: Headers): string {
  const { host, pathname, search, username, password } = url;
  const all: Record<string, string> = { host, connection: 'keep-alive', ...headers };
  if ((username || password) && all.authorization === undefined) {
    const userInfo = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    all.authorization = `Basic ${Buffer.from(userInfo).toString('base64')}`;
  }
  let text = `GET ${pathname}${search} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(all)) {
    if (!isHeader(name, value)) throw new TypeError(`the header ${JSON.stringify(name)} cannot be sent`);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}
