/** What a request is, and whoever sends it. */
import type { AddressPolicy } from './address.ts';
import type { HttpReply, Method } from './exchange.ts';
import type { HttpMeter } from './meter.ts';
import type { Headers } from './secret-headers.ts';

export type { AddressPolicy, Headers, HttpReply };

export type Authorize = (request: { method: string; url: URL; headers: Headers }) => Promise<Headers>;

export interface HttpRequest {
  url: string | URL;
  /** @default 'GET' */
  method?: Method;
  /** `accept-encoding` is `gzip, br, zstd` unless given; bodies always come back as sent. */
  headers?: Headers;
  /**
   * Makes the headers that prove who asks (lower-case names), anew for every attempt: signatures and tokens age while a request waits.
   * Asked no more once a redirect has left the origin. What it throws ends the request as it is.
   */
  authorize?: Authorize;
  /** For POST, and for servers that want one with a GET. */
  body?: Uint8Array;
  /** Bytes `start` (inclusive) to `end` (exclusive). The reply says what came: 206, or 200 with everything. */
  range?: { start: number; end: number };
  signal?: AbortSignal;
  /** A longer body is RequestError TOO_LARGE. @default 64 MiB */
  maxBytes?: number;
  meter?: HttpMeter;
  /** @default the client's */
  idleTimeoutMs?: number;
  /** Whether failures that may pass are tried again. @default true for GET and HEAD */
  retry?: boolean;
  /** Up to 3, for GET and HEAD; otherwise a redirect is a reply. @default true */
  followRedirects?: boolean;
  /** @default 'any' */
  allowAddress?: AddressPolicy;
  /** Whether no proxy is used, whatever the environment says. @default false */
  bypassProxy?: boolean;
}

export interface HttpClient {
  /**
   * The server's answer, whatever its status, after the retries worth making.
   * @throws RequestError TIMEOUT, CONNECTION, TOO_LARGE, REDIRECT; PathError FORBIDDEN_ADDRESS; `signal.reason`.
   */
  request(request: HttpRequest): Promise<HttpReply>;
  /** Ends requests under way with RequestError CONNECTION and closes all sockets. */
  close(): void;
}

export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
