/** Reads the bytes of a reply with node:http and with `MessageParser`, without sockets, to compare the two. */
import http from 'node:http';
import { Duplex } from 'node:stream';
import { BrokenMessage, MessageParser } from '../../lib/http/message-parser.ts';

/** What a reader made of the bytes of a reply. */
export type Outcome =
  { status: number; headers: Record<string, unknown>; body: string; isKept: boolean } | { error: string };

/** Feeds the pieces to a parser. The end of the last piece is the end of the connection. */
export function readWithParser(pieces: readonly Uint8Array[]): Outcome {
  let status = 0,
    headers: Record<string, unknown> = {},
    end: { isKept: boolean } | undefined;
  const body: Buffer[] = [];
  const parser = new MessageParser({
    onHead: (code, given) => {
      status = code;
      headers = { ...given };
    },
    onPiece: (piece) => body.push(Buffer.from(piece)),
    onEnd: (isKept) => (end = { isKept }),
  });
  parser.expect();
  try {
    for (const piece of pieces)
      if (parser.isActive) parser.feed(Uint8Array.from(piece));
      else end = { isKept: false };
    if (parser.isActive) parser.close();
  } catch (error) {
    if (error instanceof BrokenMessage) return { error: error.code };
    throw error;
  }
  return { status, headers, body: Buffer.concat(body).toString('latin1'), ...end! };
}

/** Reads the pieces with node:http over a stream in memory. */
export function readWithNode(pieces: readonly Uint8Array[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const stream = new Duplex({ read: () => undefined, write: (_bytes, _encoding, done) => done() });
    const agent = new http.Agent({ keepAlive: true });
    Object.assign(agent, { createConnection: () => stream, keepSocketAlive: () => false });
    const request = http.get({ host: 'h', agent });
    const fail = (error: { code?: string }): void => resolve({ error: error.code ?? 'unknown' });
    let reply: http.IncomingMessage | undefined;
    request.on('error', fail);
    request.on('close', () => reply ?? resolve({ error: 'ECONNRESET' }));
    request.on('response', (response) => {
      reply = response;
      const body: Buffer[] = [];
      response.on('error', fail);
      response.on('data', (piece: Buffer) => body.push(piece));
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: { ...response.headers },
          body: Buffer.concat(body).toString('latin1'),
          isKept: request.shouldKeepAlive && !stream.destroyed,
        }),
      );
    });
    request.on('socket', () =>
      setImmediate(() => {
        for (const piece of pieces) stream.push(piece);
        stream.push(null);
      }),
    );
  });
}
