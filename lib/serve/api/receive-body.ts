/** Receives bodies: bounded in bytes, and never from a client that sends too slowly. */
import type { FastifyRequest } from 'fastify';
import { HttpRefusal } from '../http-errors.ts';

/** A request as Node receives it. */
type IncomingMessage = FastifyRequest['raw'];

/** The bounds of a body. */
export interface BodyLimits {
  maxBodyBytes: number;
  /** How long a client may be silent, or slower than `SLOWEST`, in ms. */
  bodyTimeoutMs: number;
}

/** A client that is slower than this for `bodyTimeoutMs` is refused, in bytes per ms. */
const SLOWEST = 16;

const tooLarge = (maxBytes: number): HttpRefusal =>
  new HttpRefusal(
    413,
    `the body has more than ${maxBytes} bytes, the most that this service takes: send the rows in several requests, or as application/octet-stream, which is shorter`,
  );

const tooSlow = (bytes: number, timeoutMs: number): HttpRefusal =>
  new HttpRefusal(
    408,
    `the body came too slowly: ${bytes} bytes, and then nothing, or too little, for ${timeoutMs / 1000} s`,
  );

/** Returns the length that the header names; undefined if the body comes in pieces of unknown number. */
export const bodyLength = ({ headers }: IncomingMessage): number | undefined =>
  headers['content-length'] === undefined
    ? headers['transfer-encoding'] === undefined
      ? 0
      : undefined
    : Number(headers['content-length']);

/** Refuses a body by its header, before it is read. @throws HttpRefusal 413. */
export function requireBodyLength(raw: IncomingMessage, maxBytes: number): void {
  if ((bodyLength(raw) ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** Receives a short body. @throws HttpRefusal 413, 408; an error if the client leaves. */
export function receiveWhole(
  raw: IncomingMessage,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => end(tooSlow(bytes, bodyTimeoutMs)), bodyTimeoutMs);
    const onData = (part: Buffer): void => {
      parts.push(part);
      bytes += part.length;
      if (bytes > maxBodyBytes) end(tooLarge(maxBodyBytes));
    };
    const onEnd = (): void => end();
    const onClose = (): void => end(new Error('the client has left'));
    const end = (error?: Error): void => {
      clearTimeout(timer);
      raw.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose);
      if (!error) return resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts, bytes));
      raw.pause();
      reject(error);
    };
    raw.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose);
  });
}

/**
 * Receives a long body as it is read: a client is not read faster than its rows are looked up.
 * @throws HttpRefusal 413, 408; an error if the client leaves.
 */
export async function* receive(
  raw: IncomingMessage,
  { maxBodyBytes, bodyTimeoutMs }: BodyLimits,
): AsyncGenerator<Buffer> {
  // The answer still needs the connection after an error.
  const parts = raw.iterator({ destroyOnReturn: false });
  let bytes = 0,
    waitedMs = 0;
  try {
    for (;;) {
      const startedAt = performance.now();
      const next = await inTime(
        parts.next() as Promise<IteratorResult<Buffer>>,
        () => tooSlow(bytes, bodyTimeoutMs),
        bodyTimeoutMs,
      );
      if (next.done) return;
      waitedMs += performance.now() - startedAt;
      bytes += next.value.length;
      if (bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
      if (waitedMs > bodyTimeoutMs + bytes / SLOWEST) throw tooSlow(bytes, bodyTimeoutMs);
      yield next.value;
    }
  } finally {
    // Not awaited: it would wait for bytes that may never come.
    void parts.return?.(undefined)?.catch(() => undefined);
  }
}

function inTime<T>(work: Promise<T>, late: () => Error, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    work.then(
      (value) => (clearTimeout(timer), resolve(value)),
      (error: unknown) => (clearTimeout(timer), reject(error as Error)),
    );
  });
}
