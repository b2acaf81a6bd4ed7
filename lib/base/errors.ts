/** The error classes of the package. All are subclasses of LookupError, and each has a `code`. */
import type { CodeOf } from './error-codes.ts';
import { BRAND, errorJson, type ErrorJson } from './error-json.ts';
import { safeText } from './secret-redaction.ts';

/** The method by which Node prints an object. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * The common base class of all errors of this package. Switch on `code`, which stays stable; messages may be
 * reworded (docs/errors.md says what each code means). A mistake in a program, such as a wrong argument type
 * or an impossible option, is a plain TypeError or RangeError.
 *
 * No error holds a token, a signed query, request headers or a whole response body. A secret that a server
 * repeats is hidden.
 *
 * @example
 * ```ts
 * try {
 *   await volume.scatteredPoints(points);
 * } catch (error) {
 *   if (error instanceof LookupError) console.error(error.code, JSON.stringify(error));
 *   else throw error;
 * }
 * ```
 */
export abstract class LookupError extends Error {
  /** What happened, in one word: one of the codes of the class. */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(safeText(message), options);
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /**
   * Returns name, code, message, fields and causes as plain JSON, without secrets. `reviveError` makes an
   * error from it again.
   */
  toJSON(): ErrorJson {
    return errorJson(this);
  }
}

/** An error class with several codes. */
abstract class CodedError<Code extends string> extends LookupError {
  constructor(
    /** What failed: one of the codes of this class. */
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * A path or address that is malformed, not supported, or not safe to open.
 *
 * @example
 * ```ts
 * await openPrecomputed('ftp://host/volume').catch((error) => error.code); // 'UNSUPPORTED_SCHEME'
 * ```
 */
export class PathError extends CodedError<CodeOf<'PathError'>> {
  /** Always `PathError`. */
  override readonly name = 'PathError';
}

/**
 * Metadata (an info file, a datastack, a graph's description) that was not found, breaks its schema, or names
 * something that this version does not read.
 *
 * @example
 * ```ts
 * const error = await openPrecomputed('gs://bucket/misspelt').catch((error) => error);
 * if (error instanceof InfoError && error.code === 'NOT_FOUND')
 *   console.error(`check the path: ${error.url}`);
 * ```
 */
export class InfoError extends CodedError<CodeOf<'InfoError'>> {
  /** Always `InfoError`. */
  override readonly name = 'InfoError';
  /** Where the metadata was read from, without query and credentials. */
  readonly url?: string;
  constructor(code: CodeOf<'InfoError'>, message: string, url?: string, options?: ErrorOptions) {
    super(code, message, options);
    this.url = url === undefined ? undefined : safeText(url);
  }
}

/** The codes of {@link RequestError}. */
export type RequestErrorCode = CodeOf<'RequestError'>;

/**
 * How a request ended without a whole answer, where a retry may help. `unreachable`: no connection could be
 * made. `stale`: a connection that was kept from an earlier request had been closed. `cut`: the connection
 * broke. `silent`: the server stopped responding.
 */
export type BreakReason = 'unreachable' | 'stale' | 'cut' | 'silent';

/**
 * A read that failed, after retries where a retry can help. An object that is not found is not a
 * RequestError.
 *
 * @example
 * ```ts
 * if (error instanceof RequestError && error.status === 403)
 *   console.error(`no permission to read ${error.url}`);
 * ```
 */
export class RequestError extends CodedError<RequestErrorCode> {
  /** Always `RequestError`. */
  override readonly name = 'RequestError';
  /** How the connection failed; only for TIMEOUT and CONNECTION, where a retry may help. */
  readonly broken?: BreakReason;
  /** The URL, without credentials and query, or a file path. */
  readonly url: string;
  constructor(
    code: RequestErrorCode,
    message: string,
    url: string,
    /** The HTTP status; undefined if there was no answer. */
    readonly status?: number,
    { broken, ...options }: ErrorOptions & { broken?: BreakReason } = {},
  ) {
    super(code, message, options);
    this.url = safeText(url);
    if (broken !== undefined) this.broken = broken;
  }
}

/**
 * Cloud credentials that are missing, malformed, or refused by the cloud provider. The error holds no secret.
 *
 * @example
 * ```ts
 * if (error instanceof CredentialsError)
 *   console.error(error.message); // says where credentials are looked up
 * ```
 */
export class CredentialsError extends CodedError<CodeOf<'CredentialsError'>> {
  /** Always `CredentialsError`. */
  override readonly name = 'CredentialsError';
}

/** The codes of {@link DecodeError}. */
export type DecodeErrorCode = CodeOf<'DecodeError'>;

/**
 * Bytes that do not follow their format. A retry cannot help. It is usually the `cause` of a
 * {@link ChunkError}.
 *
 * @example
 * ```ts
 * if (error instanceof ChunkError && error.cause instanceof DecodeError)
 *   console.error(`damaged chunk: ${error.url}`);
 * ```
 */
export class DecodeError extends CodedError<DecodeErrorCode> {
  /** Always `DecodeError`. */
  override readonly name = 'DecodeError';
}

/**
 * A chunk that could not be read or decoded; `cause` says why. All points in it have the status `failed`.
 *
 * @example
 * ```ts
 * for (const { index, error } of result.rows()) if (error instanceof ChunkError)
 *   console.error(`point ${index}: ${error.url}`);
 * ```
 */
export class ChunkError extends LookupError {
  /** Always `ChunkError`. */
  override readonly name = 'ChunkError';
  /** Always `CHUNK_FAILED`. */
  readonly code = 'CHUNK_FAILED';
  /** Where the chunk is stored. */
  readonly url: string;
  constructor(message: string, url: string, options?: ErrorOptions) {
    super(message, options);
    this.url = safeText(url);
  }

  /**
   * Makes the error of one chunk.
   * @param url Where the chunk is stored.
   * @param cause What was thrown: an error of this package, or whatever the user's own store threw.
   */
  static of(url: string, cause: unknown): ChunkError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ChunkError(`chunk ${url}: ${why}`, url, { cause });
  }

  /**
   * What Node prints. A cause from outside this package shows only its name, message and code: its other
   * fields may hold request headers.
   */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { cause, message, url, stack } = this;
    if (cause === undefined || (cause instanceof Error && BRAND in cause))
      return inspect(this, { ...options, customInspect: false });
    const shown = new ChunkError(message, url, { cause: errorJson(cause) });
    shown.stack = stack;
    return inspect(shown, { ...options, customInspect: false });
  }
}

/** The codes of {@link GraphError}. */
export type GraphErrorCode = CodeOf<'GraphError'>;

/** Fields of a {@link GraphError} that not every error has. */
export interface GraphErrorOptions extends ErrorOptions {
  /** What the server says, at most 200 characters. */
  serverMessage?: string;
  /** The reply's `Retry-After` header. */
  retryAfter?: string;
}

/**
 * A chunkedgraph server, or another service of CAVE, refused a request, failed, or gave an invalid answer.
 *
 * @example
 * ```ts
 * if (error instanceof GraphError && error.code === 'MISSING_TOS')
 *   console.error(error.message); // names the page with the terms
 * ```
 */
export class GraphError extends CodedError<GraphErrorCode> {
  /** Always `GraphError`. */
  override readonly name = 'GraphError';
  /** The server's own error message, at most 200 characters, without its traceback. */
  readonly serverMessage?: string;
  /** The `Retry-After` header of the answer, unchanged. */
  readonly retryAfter?: string;
  /** The URL of the request, without its query. */
  readonly url: string;
  constructor(
    code: GraphErrorCode,
    message: string,
    url: string,
    /** The HTTP status; undefined if there was no answer. */
    readonly status?: number,
    { serverMessage, retryAfter, ...options }: GraphErrorOptions = {},
  ) {
    super(code, message, options);
    this.url = safeText(url);
    if (serverMessage !== undefined) this.serverMessage = safeText(serverMessage);
    if (retryAfter !== undefined) this.retryAfter = safeText(retryAfter);
  }
}

/**
 * A timestamp that is malformed or ambiguous, or that the graph has no answers for.
 *
 * @example
 * ```ts
 * try {
 *   volume.at('yesterday');
 * } catch (error) {
 *   if (error instanceof TimestampError) console.error(error.message); // says which forms are valid
 * }
 * ```
 */
export class TimestampError extends LookupError {
  /** Always `TimestampError`. */
  override readonly name = 'TimestampError';
  /** Always `BAD_TIMESTAMP`. */
  readonly code = 'BAD_TIMESTAMP';
}

/** The codes of {@link PointError}. */
export type PointErrorCode = CodeOf<'PointError'>;

/**
 * A point or ID without an answer, thrown by the calls for a single value. Its code is the status in upper
 * case.
 *
 * @example
 * ```ts
 * const error = await volume.supervoxelAt([-1, 0, 0]).catch((error) => error);
 * if (error instanceof PointError) console.error(error.code); // OUT_OF_BOUNDS
 * ```
 */
export class PointError extends CodedError<PointErrorCode> {
  /** Always `PointError`. */
  override readonly name = 'PointError';
}

/**
 * What the results of all calls have in common. The result in an error is the one that the call would have
 * returned.
 */
export interface PartialResult {
  /** A `PointStatus` code per point or ID, in the order of the input. */
  readonly status: Uint8Array;
  /** Iterates over the points or IDs in the order of the input. */
  rows(): IterableIterator<{
    /** The index of the point or ID in the call. */
    index: number;
    /** The status as text, such as `out_of_bounds`. */
    status: string;
    /** Why the row has no answer; only with `failed` and `root_failed`. */
    error?: Error;
  }>;
}

/**
 * Some chunks or root look-ups failed. `result` holds all answers; the missing ones have the status `failed`
 * or `rootFailed`.
 *
 * @example
 * ```ts
 * const result = await volume.scatteredPoints(points).catch((error: unknown) => {
 *   if (!isLookupError(error, 'PARTIAL')) throw error;
 *   for (const [key, cause] of error.causes) console.error(key, cause.message);
 *   return error.result;
 * });
 * ```
 */
export class PartialResultError<Result = PartialResult> extends LookupError {
  /** Always `PartialResultError`. */
  override readonly name = 'PartialResultError';
  /** Always `PARTIAL`. */
  readonly code = 'PARTIAL';
  constructor(
    message: string,
    /** The result of the call, with the status `failed` or `rootFailed` for each missing answer. */
    readonly result: Result,
    /** Why answers are missing, keyed by chunk URL or `roots:<first ID of the batch>`. */
    readonly causes: Map<string, Error>,
  ) {
    super(message, { cause: causes.values().next().value });
  }
}

/**
 * A call did not end within its `timeoutMs`. The connections did not fail, so the same call may succeed with
 * more time.
 *
 * @example
 * ```ts
 * const volume = await openGraphene(cloudPath, { timeoutMs: 50 }).catch((error) => {
 *   if (error instanceof DeadlineError) console.error(error.message); // the call did not end within 50 ms
 *   throw error;
 * });
 * ```
 */
export class DeadlineError extends LookupError {
  /** Always `DeadlineError`. */
  override readonly name = 'DeadlineError';
  /** Always `TIMEOUT`. */
  readonly code = 'TIMEOUT';
  constructor(
    /** The time limit of the call, in milliseconds. */
    readonly timeoutMs: number,
    /** What was missing at the deadline; undefined if the whole answer was missing. */
    readonly missing?: {
      /** What is counted. */
      what: 'chunks' | 'points' | 'roots';
      /** How many are missing. */
      count: number;
      /** How many were requested. */
      of: number;
    },
    options?: ErrorOptions,
  ) {
    super(
      missing
        ? `${missing.count} of ${missing.of} ${missing.what} were still missing after ${timeoutMs} ms`
        : `the call did not end within ${timeoutMs} ms`,
      options,
    );
  }
}

/**
 * The volume was closed before the call, or during it.
 *
 * @example
 * ```ts
 * await volume.close();
 * await volume.scatteredPoints(points).catch((error) => error.code); // 'CLOSED'
 * ```
 */
export class VolumeClosedError extends LookupError {
  /** Always `VolumeClosedError`. */
  override readonly name = 'VolumeClosedError';
  /** Always `CLOSED`. */
  readonly code = 'CLOSED';
  constructor() {
    super('the volume is closed');
  }
}

/**
 * A snapshot of a root cache cannot be read, used or written.
 *
 * @example
 * ```ts
 * // 'FOREIGN' if the snapshot belongs to another graph
 * await volume.rootCache?.load('roots.snapshot').catch((error) => error.code);
 * ```
 */
export class SnapshotError extends CodedError<CodeOf<'SnapshotError'>> {
  /** Always `SnapshotError`. */
  override readonly name = 'SnapshotError';
}

/**
 * A table (a file of rows) cannot be read or written as requested. The command line reports it.
 *
 * @example
 * ```ts
 * if (error instanceof TableError && error.code === 'MISSING_COLUMN') console.error(error.message);
 * ```
 */
export class TableError extends CodedError<CodeOf<'TableError'>> {
  /** Always `TableError`. */
  override readonly name = 'TableError';
}

/**
 * A Neuroglancer state, or a link to one, cannot be understood.
 *
 * @example
 * ```ts
 * if (error instanceof StateError && error.code === 'BAD_ANNOTATION')
 *   console.error(`annotation ${error.annotation} of layer ${error.layer}: ${error.message}`);
 * ```
 */
export class StateError extends CodedError<CodeOf<'StateError'>> {
  /** Always `StateError`. */
  override readonly name = 'StateError';
  /** The layer that is concerned, if it is one. */
  readonly layer?: string;
  /** The ID of the annotation that is concerned, if it is one; its number in the layer, from 1, if it has no ID. */
  readonly annotation?: string;
  constructor(
    code: CodeOf<'StateError'>,
    message: string,
    { layer, annotation, ...options }: ErrorOptions & { layer?: string; annotation?: string } = {},
  ) {
    super(code, message, options);
    if (layer !== undefined) this.layer = safeText(layer);
    if (annotation !== undefined) this.annotation = safeText(annotation);
  }
}

/**
 * The folder of a job cannot be used as requested. The command line reports it.
 *
 * @example
 * ```ts
 * if (error instanceof JobError && error.code === 'INPUT_CHANGED') console.error(error.message);
 * ```
 */
export class JobError extends CodedError<CodeOf<'JobError'>> {
  /** Always `JobError`. */
  override readonly name = 'JobError';
}

/**
 * The service (`graphene-points serve`) refuses a request, or does not start, because of who may ask it. Its
 * answers hold this error as JSON.
 *
 * @example
 * ```ts
 * if (error instanceof AccessError && error.code === 'UNSAFE_SETTINGS') console.error(error.message);
 * ```
 */
export class AccessError extends CodedError<CodeOf<'AccessError'>> {
  /** Always `AccessError`. */
  override readonly name = 'AccessError';
}
