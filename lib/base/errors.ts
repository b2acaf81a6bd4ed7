import { StoreAnswerError } from './store-answer-error.ts';
import { safeText } from './secrets.ts';

/**
 * Every error this package raises on purpose, under one root. Callers switch on `code`; messages may be reworded.
 * Misuse by the programmer (a wrong argument type, an impossible option) is a plain TypeError or RangeError.
 * No error holds a token, a signed query, request headers or a whole response body; see `secrets.ts` for those that a server repeats.
 */
export abstract class LookupError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(safeText(message), options);
  }
}

/** A cloud path that cannot be opened, or must not be. */
export class PathError extends LookupError {
  override readonly name = 'PathError';
  constructor(
    readonly code: 'BAD_PATH' | 'UNSUPPORTED_SCHEME' | 'FORBIDDEN_ADDRESS' | 'INSECURE_TOKEN',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Metadata that is missing, breaks its schema, or names something this version does not read. */
export class InfoError extends LookupError {
  override readonly name = 'InfoError';
  /** Where the metadata was read from; no query, no credentials. */
  readonly url?: string;
  constructor(
    readonly code: 'NOT_FOUND' | 'BAD_INFO' | 'UNSUPPORTED',
    message: string,
    url?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.url = url === undefined ? undefined : safeText(url);
  }
}

export type RequestErrorCode =
  | 'HTTP_STATUS'
  | 'TIMEOUT'
  | 'CONNECTION'
  | 'TOO_LARGE'
  | 'REDIRECT'
  | 'BAD_RESPONSE'
  | 'IO'
  /** The object was replaced while parts of it were read, each time it was tried. */
  | 'CHANGED_UNDER_WAY';

/**
 * How an exchange ended without its whole answer, for the ends that may pass: nobody could be reached; a connection kept from earlier had
 * been closed; the connection broke; it fell silent.
 */
export type Broken = 'unreachable' | 'stale' | 'cut' | 'silent';

/** A read that was tried (and, where it can help, tried again) and failed. Never the same thing as an absent object. */
export class RequestError extends LookupError {
  override readonly name = 'RequestError';
  /** For TIMEOUT and CONNECTION, where trying again may help. */
  readonly broken?: Broken;
  /** URL without credentials and query, or a file path. */
  readonly url: string;
  constructor(
    readonly code: RequestErrorCode,
    message: string,
    url: string,
    /** HTTP status, when there was an answer. */
    readonly status?: number,
    { broken, ...options }: ErrorOptions & { broken?: Broken } = {},
  ) {
    super(message, options);
    this.url = safeText(url);
    if (broken !== undefined) this.broken = broken;
  }
}

/** Cloud credentials that are needed and missing, malformed, or of no use: their vendor refused them or did not answer. Holds no secret. */
export class CredentialsError extends LookupError {
  override readonly name = 'CredentialsError';
  constructor(
    readonly code: 'NOT_FOUND' | 'BAD_CREDENTIALS' | 'UNUSABLE',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type DecodeErrorCode =
  'TRUNCATED' | 'WRONG_SIZE' | 'TOO_LARGE' | 'BAD_HEADER' | 'BAD_CHECKSUM' | 'BAD_BITSTREAM' | 'UNSUPPORTED';

/** Bytes that are there but do not follow their format. Retrying cannot help. */
export class DecodeError extends LookupError {
  override readonly name = 'DecodeError';
  constructor(
    readonly code: DecodeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
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

  /** Whatever broke it. Only our own errors are passed on as causes: they are known to hold no secrets. */
  static of(url: string, error: unknown): ChunkError {
    const why = error instanceof Error ? error.message : String(error);
    return new ChunkError(
      `chunk ${url}: ${why}`,
      url,
      error instanceof LookupError || error instanceof StoreAnswerError ? { cause: error } : undefined,
    );
  }
}

export type GraphErrorCode =
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'MISSING_TOS'
  | 'LOGIN_REDIRECT'
  | 'HTTP_STATUS'
  /** The graph has no such ID, or not at that moment. */
  | 'UNKNOWN_ID'
  /** The server cannot do it, or answers wrongly, in the versions known. */
  | 'BROKEN_ENDPOINT'
  | 'EDITS_NOT_ALLOWED'
  /** The connection was lost after an edit was sent: it may have happened or not. */
  | 'EDIT_UNCERTAIN'
  | 'BAD_REPLY'
  | 'TIMEOUT'
  | 'CONNECTION';

export interface GraphErrorOptions extends ErrorOptions {
  serverMessage?: string;
  retryAfter?: string;
}

/** A chunkedgraph server that refused, failed, or answered something that is not an answer. */
export class GraphError extends LookupError {
  override readonly name = 'GraphError';
  /** What the server says is wrong, 200 characters at most; never its traceback. */
  readonly serverMessage?: string;
  /** The reply's `Retry-After`, as it stands. */
  readonly retryAfter?: string;
  /** Endpoint asked, without its query. */
  readonly url: string;
  constructor(
    readonly code: GraphErrorCode,
    message: string,
    url: string,
    readonly status?: number,
    { serverMessage, retryAfter, ...options }: GraphErrorOptions = {},
  ) {
    super(message, options);
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

/** One point or ID without an answer, where one value was asked for. */
export class PointError extends LookupError {
  override readonly name = 'PointError';
  constructor(
    /** The status in upper case: `OUT_OF_BOUNDS`, `NO_ROOT`, … */
    readonly code: Uppercase<string>,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Some chunks or root look-ups failed; everything else is in `result`. */
export class PartialResultError<Result = unknown> extends LookupError {
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
export class SnapshotError extends LookupError {
  override readonly name = 'SnapshotError';
  constructor(
    readonly code: 'NOT_FOUND' | 'DAMAGED' | 'FOREIGN' | 'UNSUPPORTED' | 'IO',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A table that cannot be read or written as asked. */
export class TableError extends LookupError {
  override readonly name = 'TableError';
  constructor(
    readonly code: 'MISSING_COLUMN' | 'COLUMN_EXISTS' | 'BAD_ROW' | 'BAD_FORMAT' | 'UNREADABLE' | 'IN_USE',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
