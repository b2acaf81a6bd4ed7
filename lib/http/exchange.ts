/**
 * One attempt of one request over got's stream interface. got's promise interface costs a fifth more CPU per request, and
 * its own retries read failing bodies without a bound, so the attempts are counted in client.ts.
 * got's errors show their request's headers when printed: none leaves this file, not even as a `cause`.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Got } from 'got';
import { RequestError, type Broken, type LookupError } from '../base/errors.ts';
import { forbidden } from './address.ts';
import type { HttpMeter } from './meter.ts';
import type { Headers } from './redirect.ts';
import { redactUrl } from './excerpt.ts';
import type { Failure } from './retry.ts';
import type { Stopper } from './stopper.ts';

export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  /** As sent: a content encoding is still around it. Replies of status 300 and above are cut at 64 KiB. */
  body: Uint8Array;
  /** Where the reply came from, redirects followed. Holds the query: use `redactUrl` in messages. */
  url: string;
  /** The IP address that answered, where it is known. */
  serverAddress: string | undefined;
}

export interface Exchange {
  url: URL;
  method: 'GET' | 'HEAD' | 'POST';
  headers: Headers;
  body: Uint8Array | undefined;
  maxBytes: number;
  connectTimeoutMs: number;
  idleTimeoutMs: number;
  meter: HttpMeter | undefined;
}

export type Outcome = { reply: HttpReply } | { error: LookupError; failure: Failure };

const FAILED_BODY_BYTES = 65_536;

/** Errors after which the same request may succeed. The others (certificates, malformed headers) stand. */
const TRANSIENT = new Set(['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRINUSE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH']);

/** Of these, those after which nothing was sent. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRINUSE']);

/** Resolves for every end but a stop, which rejects with the stop's reason. */
export function exchange(got: Got, asked: Exchange, stopper: Stopper): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { url, method, headers, body, meter } = asked;
    const hasBody = method === 'POST' || !!body?.byteLength;
    if (meter) meter.requests++;
    const stream = got.stream(url, {
      method,
      headers,
      // Whatever may have a body and has none would wait for one to be written.
      body: hasBody ? Buffer.from(body?.buffer ?? new ArrayBuffer(0), body?.byteOffset, body?.byteLength) : undefined,
      allowGetBody: hasBody,
    });
    const chunks: Uint8Array[] = [];
    let received = 0;
    let reply: Omit<HttpReply, 'body' | 'url'> | undefined;
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    /** Whether the socket had been kept alive: its server may have closed it just before it was asked. */
    let reused = false;

    const end = (act: () => void): void => {
      if (over) return;
      over = true;
      stopper.idle();
      clearTimeout(timer);
      act();
    };
    const succeed = (): void => end(() => resolve({ reply: { ...reply!, body: joined(chunks, received), url: url.href } }));
    const fail = (error: LookupError, kind: Failure['kind']): void =>
      end(() => {
        stream.destroy();
        resolve({ error, failure: { kind } });
      });
    const failWith = (code: 'TIMEOUT' | 'CONNECTION' | 'TOO_LARGE', what: string, kind: Failure['kind'], broken?: Broken): void =>
      fail(new RequestError(code, `${method} ${redactUrl(url)}: ${what}`, redactUrl(url), reply?.status, { broken }), kind);
    /** False when no more is wanted. */
    const fits = (bytes: number): boolean => {
      if (reply!.status >= 300) {
        if (bytes <= FAILED_BODY_BYTES) return true;
        succeed();
        stream.destroy();
      } else {
        if (bytes <= asked.maxBytes) return true;
        failWith('TOO_LARGE', `more than the ${asked.maxBytes} bytes expected`, 'final');
      }
      return false;
    };

    stopper.onStop((reason) =>
      end(() => {
        stream.destroy();
        reject(reason);
      }),
    );
    // From the socket on: a request that waits for a free one is not idle.
    const watchSilence = (): void => {
      clearTimeout(timer);
      if (!over) timer = setTimeout(() => failWith('TIMEOUT', `nothing received for ${asked.idleTimeoutMs} ms`, 'idle', 'silent'), asked.idleTimeoutMs);
    };
    stream.once('socket', (socket: Socket) => {
      if (over) return;
      reused = !socket.connecting;
      if (reused) return watchSilence();
      timer = setTimeout(() => failWith('TIMEOUT', `no connection within ${asked.connectTimeoutMs} ms`, 'connection', 'unreachable'), asked.connectTimeoutMs);
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', watchSilence);
    });
    stream.once('response', (response: { statusCode: number; headers: IncomingHttpHeaders; ip?: string }) => {
      timer?.refresh();
      reply = { status: response.statusCode, headers: response.headers, serverAddress: response.ip };
      // Refused before its first byte, not after the last that fits; a failing reply is read as far as it is wanted.
      if (reply.status < 300 && method !== 'HEAD') fits(Number(response.headers['content-length'] ?? 0));
    });
    stream.on('data', (chunk: Uint8Array) => {
      if (over) return;
      timer?.refresh();
      received += chunk.byteLength;
      if (meter) meter.bytes += chunk.byteLength;
      chunks.push(chunk);
      fits(received);
    });
    stream.once('end', succeed);
    // Stays: a stream that was destroyed may still have something to say, and nobody else listens.
    stream.on('error', (error: { code?: string }) => {
      const code = error.code ?? 'unknown error';
      if (code === 'FORBIDDEN_ADDRESS') fail(forbidden(url.hostname), 'final');
      else if (reply && TRANSIENT.has(code)) failWith('CONNECTION', `the body ended early (${code})`, 'connection', 'cut');
      else if (!TRANSIENT.has(code)) failWith('CONNECTION', `connection failed (${code})`, 'final');
      else failWith('CONNECTION', `connection failed (${code})`, 'connection', UNREACHABLE.has(code) ? 'unreachable' : reused ? 'stale' : 'cut');
    });
  });
}

/** One chunk is handed on as it is: its memory is what the socket read, little more than the body. */
const joined = (chunks: readonly Uint8Array[], bytes: number): Uint8Array => (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes));
