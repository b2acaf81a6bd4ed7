import type { CodeOf } from './error-codes.ts';
import { BRAND, errorJson, type ErrorJson } from './error-json.ts';
import { safeText } from './secret-redaction.ts';

/** Names the method by which an object is printed in Node. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Every error this package raises on purpose, under one root. Callers switch on `code` (`error-codes.ts` says what each means); messages
 * may be reworded. Misuse by the programmer (a wrong argument type, an impossible option) is a plain TypeError or RangeError.
 * No error holds a token, a signed query, request headers or a whole response body; see `secrets.ts` for those that a server repeats.
 */
export abstract class LookupError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(safeText(message), options);
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /** Name, code, message, fields and cause, without secrets; `reviveError` makes an error of it again, in another thread or process. */
  toJSON(): ErrorJson {
    return errorJson(this);
  }
}

/** One whose code says what it is. */
abstract class CodedError<Code extends string> extends LookupError {
  constructor(
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A cloud path that cannot be opened, or must not be. */
export class PathError extends CodedError<CodeOf<'PathError'>> {
  override readonly name = 'PathError';
}

/** Metadata that is missing, breaks its schema, or names something this version does not read. */
export class InfoError extends CodedError<CodeOf<'InfoError'>> {
  override readonly name = 'InfoError';
  /** Where the metadata was read from; no query, no credentials. */
  readonly url?: string;
  constructor(code: CodeOf<'InfoError'>, message: string, url?: string, options?: ErrorOptions) {
    super(code, message, options);
    this.url = url === undefined ? undefined : safeText(url);
  }
}

export type RequestErrorCode = CodeOf<'RequestError'>;

/**
 * How an exchange ended without its whole answer, for the ends that may pass: nobody could be reached; a connection kept from earlier had
 * been closed; the connection broke; it fell silent.
 */
export type BreakReason = 'unreachable' | 'stale' | 'cut' | 'silent';

/** A read that was tried (and, where it can help, tried again) and failed. Never the same thing as an absent object. */
export class RequestError extends CodedError<RequestErrorCode> {
  override readonly name = 'RequestError';
  /** For TIMEOUT and CONNECTION, where trying again may help. */
  readonly broken?: BreakReason;
  /** URL without credentials and query, or a file path. */
  readonly url: string;
  constructor(
    code: RequestErrorCode,
    message: string,
    url: string,
    /** HTTP status, when there was an answer. */
    readonly status?: number,
    { broken, ...options }: ErrorOptions & { broken?: BreakReason } = {},
  ) {
    super(code, message, options);
    this.url = safeText(url);
    if (broken !== undefined) this.broken = broken;
  }
}

/** Cloud credentials that are needed and missing, malformed, or of no use: their vendor refused them or did not answer. Holds no secret. */
export class CredentialsError extends CodedError<CodeOf<'CredentialsError'>> {
  override readonly name = 'CredentialsError';
}

export type DecodeErrorCode = CodeOf<'DecodeError'>;

/** Bytes that are there but do not follow their format. Retrying cannot help. */
export class DecodeError extends CodedError<DecodeErrorCode> {
  override readonly name = 'DecodeError';
}

/** One chunk that could not be read or decoded; `cause` says why. All points in it are `failed`. */
export class ChunkError extends LookupError {
  override readonly name = 'ChunkError';
  readonly code = 'CHUNK_FAILED';
  /** Where the chunk is stored. */
  readonly url: string;
  constructor(message: string, url: string, options?: ErrorOptions) {
    super(message, options);
    this.url = safeText(url);
  }

  /** @param cause Whatever broke it: an error of ours, which holds no secret, or what a store of the user's own threw, as it is. */
  static of(url: string, cause: unknown): ChunkError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ChunkError(`chunk ${url}: ${why}`, url, { cause });
  }

  /** What Node prints. Of a cause that is not ours only name, message and code are shown: its other fields may hold request headers. */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { cause, message, url, stack } = this;
    if (cause === undefined || (cause instanceof Error && BRAND in cause))
      return inspect(this, { ...options, customInspect: false });
    const shown = new ChunkError(message, url, { cause: errorJson(cause) });
    shown.stack = stack;
    return inspect(shown, { ...options, customInspect: false });
  }
}

export type GraphErrorCode = CodeOf<'GraphError'>;

export interface GraphErrorOptions extends ErrorOptions {
  serverMessage?: string;
  retryAfter?: string;
}

/** A chunkedgraph server that refused, failed, or answered something that is not an answer. */
export class GraphError extends CodedError<GraphErrorCode> {
  override readonly name = 'GraphError';
  /** What the server says is wrong, 200 characters at most; never its traceback. */
  readonly serverMessage?: string;
  /** The reply's `Retry-After`, as it stands. */
  readonly retryAfter?: string;
  /** Endpoint asked, without its query. */
  readonly url: string;
  constructor(
    code: GraphErrorCode,
    message: string,
    url: string,
    readonly status?: number,
    { serverMessage, retryAfter, ...options }: GraphErrorOptions = {},
  ) {
    super(code, message, options);
    this.url = safeText(url);
    if (serverMessage !== undefined) this.serverMessage = safeText(serverMessage);
    if (retryAfter !== undefined) this.retryAfter = safeText(retryAfter);
  }
}

/** A timestamp that is no moment, or an ambiguous one. */
export class TimestampError extends LookupError {
  override readonly name = 'TimestampError';
  readonly code = 'BAD_TIMESTAMP';
}

export type PointErrorCode = CodeOf<'PointError'>;

/** One point or ID without an answer, where one value was asked for. Its code is the status in upper case. */
export class PointError extends CodedError<PointErrorCode> {
  override readonly name = 'PointError';
}

/** What every answer has. The one in an error is that of the call, and has all that it would have returned. */
export interface PartialResult {
  /** `PointStatus` codes, in the order asked. */
  readonly status: Uint8Array;
  rows(): IterableIterator<{ index: number; status: string; error?: Error }>;
}

/** Some chunks or root look-ups failed; everything else is in `result`. */
export class PartialResultError<Result = PartialResult> extends LookupError {
  override readonly name = 'PartialResultError';
  readonly code = 'PARTIAL';
  constructor(
    message: string,
    /** The whole answer, with `failed` and `rootFailed` where something broke. */
    readonly result: Result,
    /** Why, keyed by chunk URL or `roots:<first ID of the batch>`. */
    readonly causes: Map<string, Error>,
  ) {
    super(message, { cause: causes.values().next().value });
  }
}

/** The time that a call was given (`timeoutMs`) is over. Connections are fine: the same call may succeed with more of it. */
export class DeadlineError extends LookupError {
  override readonly name = 'DeadlineError';
  readonly code = 'TIMEOUT';
  constructor(
    readonly timeoutMs: number,
    /** What had not come by then; undefined when that is the whole answer. */
    readonly missing?: { what: 'chunks' | 'points' | 'roots'; count: number; of: number },
    options?: ErrorOptions,
  ) {
    super(
      missing
        ? `${missing.count} of ${missing.of} ${missing.what} had not come within ${timeoutMs} ms`
        : `not done within ${timeoutMs} ms`,
      options,
    );
  }
}

/** The volume was closed while, or before, it was asked. */
export class VolumeClosedError extends LookupError {
  override readonly name = 'VolumeClosedError';
  readonly code = 'CLOSED';
  constructor() {
    super('the volume is closed');
  }
}

/** A snapshot of a root cache that cannot be read, taken or written. */
export class SnapshotError extends CodedError<CodeOf<'SnapshotError'>> {
  override readonly name = 'SnapshotError';
}

/** A table that cannot be read or written as asked. */
export class TableError extends CodedError<CodeOf<'TableError'>> {
  override readonly name = 'TableError';
}
