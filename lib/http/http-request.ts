/** The interface of the HTTP client: what a request consists of, and what the client does with it. */
import type { Stop } from '../base/stop.ts';
import type { AddressPolicy } from './address.ts';
import type { HttpReply, Method } from './exchange.ts';
import type { HttpMeter } from './meter.ts';
import type { BodyWork } from './remote-exchange.ts';
import type { Headers } from './secret-headers.ts';

export type { AddressPolicy, Headers, HttpReply };

/** Makes the headers with credentials for one attempt. */
export type Authorize = (request: { method: string; url: URL; headers: Headers }) => Promise<Headers>;

/** One request to the HTTP client. */
export interface HttpRequest {
  url: string | URL;
  /** @default 'GET' */
  method?: Method;
  /** `accept-encoding` is `gzip, br, zstd` unless given. The body of the reply is never decompressed here. */
  headers?: Headers;
  /**
   * Makes the headers with the credentials, names in lower case. It is called for every attempt, because
   * signatures and tokens expire while a request waits. It is not called after a redirect to another origin.
   * An error that it throws ends the request unchanged.
   */
  authorize?: Authorize;
  /** For POST, and for servers that expect a body with a GET. */
  body?: Uint8Array;
  /**
   * Bytes `start` (inclusive) to `end` (exclusive). Status 206 means that the range came; 200 means the whole
   * object.
   */
  range?: { start: number; end: number };
  signal?: AbortSignal;
  /** Ends the request, instead of a signal: it costs less. */
  stop?: Stop;
  /** A longer body gives RequestError TOO_LARGE. @default 64 MiB */
  maxBytes?: number;
  meter?: HttpMeter;
  /** Work for the thread that sends the request, if that is another thread. */
  bodyWork?: BodyWork;
  /** Longest time without a byte, in ms. @default the client's */
  idleTimeoutMs?: number;
  /** Whether temporary failures are retried. @default true for GET and HEAD */
  retry?: boolean;
  /**
   * Whether up to 3 redirects of a GET or HEAD are followed. If not, the redirect is the reply.
   * @default true
   */
  followRedirects?: boolean;
  /** @default 'any' */
  allowAddress?: AddressPolicy;
  /** Whether to ignore the proxies that the environment names. @default false */
  bypassProxy?: boolean;
}

/** Sends HTTP requests. `createHttpClient` makes one. */
export interface HttpClient {
  /**
   * Sends a request, with retries. Resolves with the last reply, whatever its status.
   * @throws RequestError TIMEOUT, CONNECTION, TOO_LARGE, REDIRECT; PathError FORBIDDEN_ADDRESS;
   *   `signal.reason`.
   */
  request(request: HttpRequest): Promise<HttpReply>;
  /** Ends requests in flight with RequestError CONNECTION and closes all sockets. */
  close(): void;
}

/** Default of `maxBytes`: 64 MiB. */
export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
