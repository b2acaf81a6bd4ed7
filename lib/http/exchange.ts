/**
 * One attempt of one HTTP request, with its timeouts and size limits. A `RequestSender` moves the bytes. A
 * printed error of a library may show the headers of the request, so none leaves this file, not even as a
 * `cause`.
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

/** The reply of a server. */
export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  /** As sent: a content encoding is not undone. Replies of status 300 and above are cut at 64 KiB. */
  body: Uint8Array;
  /** Where the reply came from, after redirects. Includes the query: use `redactUrl` in messages. */
  url: string;
  /** The IP address that answered, if known. */
  serverAddress: string | undefined;
  /** What another thread made of the body, if it was given work; see {@link BodyWork}. */
  workResult?: unknown;
  /** With a `workResult`: the length of the body, which may have stayed in the other thread. */
  bodyBytes?: number;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** The HTTP methods that can be sent. */
export type Method = (typeof METHODS)[number];
/** Whether a text is one of the methods that can be sent. */
export const isMethod = (text: string): text is Method => (METHODS as readonly string[]).includes(text);

/** Whether a method only reads: its request may be retried and redirected. */
export const isReadMethod = (method: Method = 'GET'): boolean => method === 'GET' || method === 'HEAD';

/** The parts of a request that are sent. */
export interface OutgoingRequest {
  url: URL;
  method: Method;
  headers: Headers;
  body: Uint8Array | undefined;
}

/** A request and the limits for one attempt. */
export interface ExchangeOptions extends OutgoingRequest {
  maxBytes: number;
  connectTimeoutMs: number;
  idleTimeoutMs: number;
  allowAddress: AddressPolicy;
  /** The proxy of the request, for messages. */
  proxyName: string | undefined;
  meter: HttpMeter | undefined;
  /**
   * Returns memory for a body of this many bytes, which is then not joined from pieces. Undefined: it has
   * none.
   */
  memoryFor?: (bytes: number) => Uint8Array | undefined;
}

/**
 * What a sender reports about a request in flight. Calls after `onEnd`, `onError` or `destroy` have no
 * effect.
 */
export interface ResponseHandlers {
  readonly onSocket: (socket: Socket) => void;
  readonly onResponse: (
    response: { statusCode?: number; headers: IncomingHttpHeaders },
    serverAddress: string | undefined,
  ) => void;
  readonly onData: (chunk: Uint8Array) => void;
  /** Whether `onData` copies what it is given, so that the sender may use the memory again. */
  readonly copiesData?: () => boolean;
  /** The whole body has come. */
  readonly onEnd: () => void;
  readonly onError: (error: ConnectionFailure) => void;
}

/** The parts that are read of an error from Node, or from a library that replaces the network in tests. */
export interface ConnectionFailure {
  code?: string;
  message?: string;
  /** The system call that failed. Only errors of the operating system have it. */
  syscall?: string;
  cause?: unknown;
}

/**
 * Sends one request and reports to the handlers, never before it returns. `destroy` ends the request at once.
 */
export type RequestSender = (outgoing: OutgoingRequest, handlers: ResponseHandlers) => { destroy(): unknown };

/** A reply, or the reason why none came. */
export type ExchangeResult = { reply: HttpReply } | ExchangeFailure;

/** Why no reply came. */
interface ExchangeFailure {
  error: LookupError;
  /** Nothing was sent, because no file descriptor was free. */
  ranOutOfDescriptors?: true;
  /** The status with which a proxy refused to forward the request. */
  proxyStatus?: number;
}

const FAILED_BODY_BYTES = 65_536;
/**
 * So many pieces are joined at once: a body that comes byte by byte would take a hundred times its length.
 */
const JOINED_PIECES = 1024;

/** Errors that mean that nothing was sent. A retry may succeed. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRINUSE',
]);

/** All errors after which a retry may succeed. Any other (a certificate, a malformed header) is permanent. */
const TRANSIENT = new Set([
  ...UNREACHABLE,
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
]);

/**
 * Makes one attempt. Resolves with the reply or with the reason why none came.
 * @throws The reason of the cancellation.
 */
export function exchange(
  send: RequestSender,
  options: ExchangeOptions,
  cancellation: Cancellation,
): Promise<ExchangeResult> {
  return new Promise((resolve, reject) => {
    const { url, method, meter } = options;
    if (meter) meter.requests++;
    const pieces: Uint8Array[] = [];
    let received = 0,
      loose = 0;
    let memory: Uint8Array | undefined;
    let reply: Omit<HttpReply, 'body' | 'url'> | undefined;
    let timer: NodeJS.Timeout | undefined;
    let hasEnded = false;
    /** Whether the socket was kept alive. The server may have closed it just before this request. */
    let reused = false;

    const end = (act: () => void): void => {
      if (hasEnded) return;
      hasEnded = true;
      cancellation.clear();
      clearTimeout(timer);
      act();
    };
    const succeed = (): void =>
      end(() =>
        resolve({
          reply: {
            ...reply!,
            body: memory?.subarray(0, received) ?? joinPieces(pieces, received),
            url: url.href,
          },
        }),
      );
    const fail = (failed: ExchangeFailure): void =>
      end(() => {
        sending.destroy();
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
          `${method} ${redactUrl(url)}: ${what}${options.proxyName === undefined ? '' : `, through the proxy ${options.proxyName}`}`,
          redactUrl(url),
          reply?.status,
          { broken },
        ),
        ...more,
      });
    /** Ends the exchange when the body is longer than allowed. */
    const checkFits = (bytes: number): void => {
      if (reply!.status >= 300) {
        if (bytes <= FAILED_BODY_BYTES) return;
        succeed();
        sending.destroy();
      } else if (bytes > options.maxBytes)
        failWith('TOO_LARGE', `more than the ${options.maxBytes} bytes expected`);
    };
    // Starts with the socket: a request that waits for a free socket is not idle.
    const watchSilence = (): void => {
      clearTimeout(timer);
      if (!hasEnded)
        timer = setTimeout(
          () => failWith('TIMEOUT', `nothing received for ${options.idleTimeoutMs} ms`, 'silent'),
          options.idleTimeoutMs,
        );
    };

    const sending = send(options, {
      onSocket(socket) {
        if (hasEnded) return;
        reused = !socket.connecting;
        if (reused) return watchSilence();
        timer = setTimeout(
          () => failWith('TIMEOUT', `no connection within ${options.connectTimeoutMs} ms`, 'unreachable'),
          options.connectTimeoutMs,
        );
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', watchSilence);
      },
      onResponse({ statusCode = 0, headers }, serverAddress) {
        timer?.refresh();
        reply = { status: statusCode, headers, serverAddress };
        // A body that is too large is refused before its first byte. A failed reply is read up to its own
        // limit.
        if (reply.status < 300 && method !== 'HEAD') {
          const bytes = Number(headers['content-length'] ?? 0);
          checkFits(bytes);
          if (!hasEnded && bytes > 0) memory = options.memoryFor?.(bytes);
        }
      },
      copiesData: () => memory !== undefined,
      onData(chunk) {
        if (hasEnded) return;
        timer?.refresh();
        memory?.set(chunk, received); // HTTP does not let more come than was announced
        received += chunk.byteLength;
        if (meter) meter.bytes += chunk.byteLength;
        if (!memory) pieces.push(chunk);
        if (!memory && ++loose === JOINED_PIECES) {
          pieces.push(Buffer.concat(pieces.splice(-loose)));
          loose = 0;
        }
        checkFits(received);
      },
      onEnd: succeed,
      onError(error) {
        const { code = 'unknown error' } = error,
          proxyStatus = proxyRefusalStatus(code);
        if (code === 'FORBIDDEN_ADDRESS' && options.allowAddress !== 'any')
          fail({ error: forbiddenAddressError(url.hostname, options.allowAddress) });
        else if (isDescriptorShortage(error))
          fail({
            error: new RequestError(
              'CONNECTION',
              `${method} ${redactUrl(url)}: ${shortageText(code)}`,
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
            `connection failed (${code})${detailOf(error)}`,
            UNREACHABLE.has(code) ? 'unreachable' : reused ? 'stale' : 'cut',
          );
      },
    });
    cancellation.onCancel((reason) =>
      end(() => {
        sending.destroy();
        reject(reason);
      }),
    );
  });
}

const shortageText = (code: string): string =>
  `no file descriptor is left for a connection (${code}): let the process open more files (ulimit -n), or run fewer reads at once`;

/**
 * Returns the message of an error that does not come from the operating system. A library that replaces the
 * network in tests says there which host it blocked. A message of the system only repeats its code.
 */
function detailOf({ code, syscall, message, cause }: ConnectionFailure): string {
  const isOfSystem = syscall !== undefined || (cause as ConnectionFailure | undefined)?.syscall !== undefined;
  if (isOfSystem || !message || code === undefined || !UNREACHABLE.has(code)) return '';
  return `: ${message.replace(/\?[^\s"']*/g, '').slice(0, 200)}`;
}

/**
 * Joins the pieces of a body. A single piece is returned without a copy: its memory is hardly larger than the
 * body.
 */
const joinPieces = (pieces: readonly Uint8Array[], bytes: number): Uint8Array =>
  pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes);
