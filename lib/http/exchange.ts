/**
 * One attempt of one request: what happens on the wire becomes an outcome. The bytes are moved by a `Send`. A library's errors may show the request's headers when printed: none leaves this file, not even as a `cause`.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError, type BreakReason, type LookupError } from '../base/errors.ts';
import { isDescriptorShortage } from '../base/descriptor-shortage.ts';
import { forbiddenAddressError, type AddressPolicy } from './address.ts';
import type { HttpMeter } from './meter.ts';
import { redactUrl } from './excerpt.ts';
import { proxyRefusalStatus } from './proxy.ts';
import type { Headers } from './secret-headers.ts';
import type { Cancellation } from './cancellation.ts';

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

/** What a request may ask for. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof METHODS)[number];
export const isMethod = (text: string): text is Method => (METHODS as readonly string[]).includes(text);

/** It changes nothing, and may be sent again and elsewhere. */
export const isReadMethod = (method: Method = 'GET'): boolean => method === 'GET' || method === 'HEAD';

/** What is put on the wire. */
export interface OutgoingRequest {
  url: URL;
  method: Method;
  headers: Headers;
  body: Uint8Array | undefined;
}

export interface ExchangeOptions extends OutgoingRequest {
  maxBytes: number;
  connectTimeoutMs: number;
  idleTimeoutMs: number;
  allowAddress: AddressPolicy;
  /** The proxy that it goes through, for messages. */
  proxyName: string | undefined;
  meter: HttpMeter | undefined;
}

/** What is heard while a request is under way; after `onEnd`, `onError` or `destroy` it does not matter any more. */
export interface ResponseHandlers {
  readonly onSocket: (socket: Socket) => void;
  readonly onResponse: (
    response: { statusCode?: number; headers: IncomingHttpHeaders },
    serverAddress: string | undefined,
  ) => void;
  readonly onData: (chunk: Uint8Array) => void;
  /** The whole body has come. */
  readonly onEnd: () => void;
  readonly onError: (error: ConnectionFailure) => void;
}

/** What is looked at of an error of Node's, or of what stands in for its network. */
export interface ConnectionFailure {
  code?: string;
  message?: string;
  /** Of the system's errors: the call that failed. */
  syscall?: string;
  cause?: unknown;
}

/** Sends one request and tells `wire` what comes of it, never before it returns. `destroy` ends it at once. */
export type RequestSender = (outgoing: OutgoingRequest, wire: ResponseHandlers) => { destroy(): unknown };

/** A reply, or why there is none. */
export type ExchangeResult = { reply: HttpReply } | ExchangeFailure;

interface ExchangeFailure {
  error: LookupError;
  /** Nothing was sent, for lack of file descriptors. */
  ranOutOfDescriptors?: true;
  /** By which a proxy refused to pass the request on. */
  proxyStatus?: number;
}

const FAILED_BODY_BYTES = 65_536;

/** Errors after which nothing was sent, and the same request may succeed. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRINUSE',
]);

/** All errors after which the same request may succeed. The others (certificates, malformed headers) stand. */
const TRANSIENT = new Set([
  ...UNREACHABLE,
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
]);

/** Resolves for every end but a stop, which rejects with the stop's reason. */
export function exchange(
  send: RequestSender,
  asked: ExchangeOptions,
  stopper: Cancellation,
): Promise<ExchangeResult> {
  return new Promise((resolve, reject) => {
    const { url, method, meter } = asked;
    if (meter) meter.requests++;
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
      stopper.clear();
      clearTimeout(timer);
      act();
    };
    const succeed = (): void =>
      end(() => resolve({ reply: { ...reply!, body: joined(chunks, received), url: url.href } }));
    const fail = (failed: ExchangeFailure): void =>
      end(() => {
        sent.destroy();
        resolve(failed);
      });
    const failWith = (
      code: 'TIMEOUT' | 'CONNECTION' | 'TOO_LARGE',
      what: string,
      broken?: BreakReason,
      more?: Omit<ExchangeFailure, 'error'>,
    ): void =>
      fail({
        error: new RequestError(
          code,
          `${method} ${redactUrl(url)}: ${what}${asked.proxyName === undefined ? '' : `, through the proxy ${asked.proxyName}`}`,
          redactUrl(url),
          reply?.status,
          { broken },
        ),
        ...more,
      });
    /** Ends the exchange when no more is wanted. */
    const checkFits = (bytes: number): void => {
      if (reply!.status >= 300) {
        if (bytes <= FAILED_BODY_BYTES) return;
        succeed();
        sent.destroy();
      } else if (bytes > asked.maxBytes)
        failWith('TOO_LARGE', `more than the ${asked.maxBytes} bytes expected`);
    };
    // From the socket on: a request that waits for a free one is not idle.
    const watchSilence = (): void => {
      clearTimeout(timer);
      if (!over)
        timer = setTimeout(
          () => failWith('TIMEOUT', `nothing received for ${asked.idleTimeoutMs} ms`, 'silent'),
          asked.idleTimeoutMs,
        );
    };

    const sent = send(asked, {
      onSocket(socket) {
        if (over) return;
        reused = !socket.connecting;
        if (reused) return watchSilence();
        timer = setTimeout(
          () => failWith('TIMEOUT', `no connection within ${asked.connectTimeoutMs} ms`, 'unreachable'),
          asked.connectTimeoutMs,
        );
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', watchSilence);
      },
      onResponse({ statusCode = 0, headers }, serverAddress) {
        timer?.refresh();
        reply = { status: statusCode, headers, serverAddress };
        // Refused before its first byte, not after the last that fits; a failing reply is read as far as it is wanted.
        if (reply.status < 300 && method !== 'HEAD') checkFits(Number(headers['content-length'] ?? 0));
      },
      onData(chunk) {
        if (over) return;
        timer?.refresh();
        received += chunk.byteLength;
        if (meter) meter.bytes += chunk.byteLength;
        chunks.push(chunk);
        checkFits(received);
      },
      onEnd: succeed,
      onError(error) {
        const { code = 'unknown error' } = error,
          proxyStatus = proxyRefusalStatus(code);
        if (code === 'FORBIDDEN_ADDRESS' && asked.allowAddress !== 'any')
          fail({ error: forbiddenAddressError(url.hostname, asked.allowAddress) });
        else if (isDescriptorShortage(error))
          fail({
            error: new RequestError(
              'CONNECTION',
              `${method} ${redactUrl(url)}: ${shortageOf(code)}`,
              redactUrl(url),
              undefined,
              { broken: 'unreachable' },
            ),
            ranOutOfDescriptors: true,
          });
        else if (proxyStatus !== undefined)
          failWith('CONNECTION', `the proxy answered ${proxyStatus}`, 'unreachable', { proxyStatus });
        else if (!TRANSIENT.has(code)) failWith('CONNECTION', `connection failed (${code})`);
        else if (reply) failWith('CONNECTION', `the body ended early (${code})`, 'cut');
        else
          failWith(
            'CONNECTION',
            `connection failed (${code})${wordsOf(error)}`,
            UNREACHABLE.has(code) ? 'unreachable' : reused ? 'stale' : 'cut',
          );
      },
    });
    stopper.onCancel((reason) =>
      end(() => {
        sent.destroy();
        reject(reason);
      }),
    );
  });
}

const shortageOf = (code: string): string =>
  `no file descriptor is left for a connection (${code}): let the process open more files (ulimit -n), or read less at a time`;

/**
 * What an error says that does not come from the system: a library that stands in for the network in tests says which host it blocked.
 * The system's own messages say no more than their code.
 */
function wordsOf({ code, syscall, message, cause }: ConnectionFailure): string {
  const isOfSystem = syscall !== undefined || (cause as ConnectionFailure | undefined)?.syscall !== undefined;
  if (isOfSystem || !message || code === undefined || !UNREACHABLE.has(code)) return '';
  return `: ${message.replace(/\?[^\s"']*/g, '').slice(0, 200)}`;
}

/** One chunk is handed on as it is: its memory is what the socket read, little more than the body. */
const joined = (chunks: readonly Uint8Array[], bytes: number): Uint8Array =>
  chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes);
