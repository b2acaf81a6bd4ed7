/** A client that sends the bytes of a request one by one, and sees when the answer comes. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** A connection whose bytes the spec writes itself. */
export class RawClient {
  readonly socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (part) => void (this.#received += part.toString('latin1')));
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url),
      socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends the head of a request. */
  post(path: string, headers: Record<string, string | number>): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`POST ${path} HTTP/1.1\r\nhost: ${this.#host()}\r\n${lines.join('')}\r\n`);
  }

  #host(): string {
    return `127.0.0.1:${this.socket.remotePort}`;
  }

  write(text: string): void {
    this.socket.write(text);
  }

  /** Waits for the next answer. It has a `content-length`. */
  async answer(): Promise<{ status: number; head: string; body: string }> {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end >= 0) {
        const head = this.#received.slice(0, end),
          length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (this.#received.length >= end + 4 + length) {
          const body = this.#received.slice(end + 4, end + 4 + length);
          this.#received = this.#received.slice(end + 4 + length);
          return { status: Number(head.slice(9, 12)), head: head.toLowerCase(), body };
        }
      }
      if (this.socket.closed) throw new Error('the connection was closed without an answer');
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  /** Waits until the service has closed the connection. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}
