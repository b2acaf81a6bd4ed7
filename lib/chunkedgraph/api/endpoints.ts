/**
 * Sends calls to the server's API and checks the answers. 64-bit integers stay exact in both directions,
 * replies have a size limit, and an answer of the wrong form becomes an error that names the endpoint and
 * what was expected.
 */
import PQueue from 'p-queue';
import type * as z from 'zod/mini';
import { withJointSignal, pause } from '../../base/abort.ts';
import { GraphError } from '../../base/errors.ts';
import { idsFromBytes } from '../../base/uint64.ts';
import { RetryCounter, type OnRetry } from '../../failures/retry-counter.ts';
import { decideByError } from '../../failures/retry-decision.ts';
import { firstIssue, safeParse } from '../../base/schema.ts';
import { formatExactJson, parseExactJson } from '../server/exact-json.ts';
import type { ServerReply, ServerRequest, GraphServer } from '../server/graph-server.ts';
import type { Timestamp } from '../ids/timestamp.ts';
import { explainError } from './explain-error.ts';

/** Options of every call of `volume.graph`. */
export interface CallOptions {
  /** Aborts the call. @default none */
  signal?: AbortSignal;
  /**
   * Time limit of the call in ms, for all its requests together. After that it rejects with DeadlineError. An
   * edit that was already sent rejects with GraphError EDIT_UNCERTAIN. @default the volume's `timeoutMs`; no
   * limit for edits
   */
  timeoutMs?: number;
  /** Longest reply that is accepted, in bytes. @default 256 MiB */
  maxBytes?: number;
  /**
   * If true, a BigUint64Array argument is not copied: the caller promises not to write to it until the call
   * has ended.
   * @default false
   */
  borrow?: boolean;
}

/** Options of a call with a timestamp. */
export interface TimedOptions extends CallOptions {
  /** The timestamp of the call. @default the volume's timestamp, or else now */
  timestamp?: Timestamp;
}

/** Options of a call about a span of time. */
export interface WindowOptions extends CallOptions {
  /** The earlier timestamp. @default as far back as the history goes */
  from?: Timestamp;
  /**
   * The later timestamp. An edit at exactly this millisecond is included. @default the volume's timestamp, or
   * else now
   */
  to?: Timestamp;
}

/** One call: what is sent, apart from {@link CallOptions}. */
export interface EndpointCall {
  /** HTTP method. A GET may have a body here. @default 'GET' */
  method?: 'GET' | 'POST';
  /** Path below the table (`node/123/root`), or of the whole service if it starts with `/`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** The body. Bytes are sent unchanged, and anything else as JSON with exact bigints. */
  body?: unknown;
  /**
   * Whether temporary failures (429, 502 to 504, a broken connection) are retried. A 500 usually means bad
   * input. @default true
   */
  retry?: boolean;
  /** Called before each attempt. */
  onSend?: () => void;
}

/** Settings of the API client. */
export interface EndpointsOptions {
  server: GraphServer;
  /** Aborts when the volume is closed. */
  closeSignal?: AbortSignal;
  /** Most calls at the same time. @default 4 */
  concurrency?: number;
  /** How long the server may be silent, in ms. @default 600_000 */
  timeoutMs?: number;
  /** Most retries of one call. @default 4 */
  retries?: number;
  onRetry?: OnRetry;
}

const MAX_BYTES = 256 * 1024 * 1024;

/** The API client of one table. */
export class Endpoints {
  readonly server: GraphServer;
  readonly #options: EndpointsOptions;
  readonly #queue: PQueue;

  constructor(options: EndpointsOptions) {
    this.server = options.server;
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency ?? 4 });
  }

  /**
   * Sends a call, and returns its JSON answer as `schema` reads it.
   *
   * @throws GraphError, with BAD_REPLY for an answer of the wrong form; `signal.reason`.
   */
  async json<T>(schema: z.core.$ZodType<T>, call: EndpointCall, options?: CallOptions): Promise<T> {
    return (await this.jsonAndHeaders(schema, call, options)).value;
  }

  /** Does the same as {@link json}, and also returns the headers of the reply. */
  async jsonAndHeaders<T>(
    schema: z.core.$ZodType<T>,
    call: EndpointCall,
    options?: CallOptions,
  ): Promise<{ value: T; headers: ServerReply['headers'] }> {
    const reply = await this.reply(call, options);
    return { value: this.parseJsonReply(schema, reply, call), headers: reply.headers };
  }

  /** Reads the JSON of a reply with `schema`. @throws GraphError BAD_REPLY. */
  parseJsonReply<T>(
    schema: z.core.$ZodType<T>,
    { body, status }: ServerReply,
    call: Pick<EndpointCall, 'path'>,
  ): T {
    return this.check(schema, this.#parsed(body, call, status), call, status);
  }

  /** Reads the little-endian uint64 of a reply. @throws GraphError BAD_REPLY. */
  parseIdsReply({ body, status }: ServerReply, call: Pick<EndpointCall, 'path'>): BigUint64Array {
    if (body.byteLength % 8 !== 0)
      throw this.#badReply(call, `with ${body.byteLength} bytes; expected a multiple of 8`, status);
    return idsFromBytes(body);
  }

  /**
   * Sends a call, and returns its binary answer, which is little-endian uint64. @throws The errors of {@link
   * json}.
   */
  async ids(call: EndpointCall, options: CallOptions = {}): Promise<BigUint64Array> {
    return this.parseIdsReply(await this.reply(call, options), call);
  }

  /** Sends a call, and returns the reply. @throws GraphError; DeadlineError; `signal.reason`. */
  async reply(
    { path, query = {}, body, method, retry = true, onSend }: EndpointCall,
    { signal, maxBytes = MAX_BYTES }: CallOptions = {},
  ): Promise<ServerReply> {
    const { closeSignal, timeoutMs = 600_000, retries = 4 } = this.#options;
    const parameters = Object.entries(query).filter(([, value]) => value !== undefined);
    const raw = body instanceof Uint8Array;
    const request: ServerRequest = {
      method,
      maxBytes,
      onSend,
      url: this.urlOf(path),
      query: Object.fromEntries(parameters.map(([name, value]) => [name, String(value)])),
      body: raw || body === undefined ? body : new TextEncoder().encode(formatExactJson(body)),
      // Without a content type, or with that of a form, the server may ignore the body.
      headers:
        body === undefined
          ? undefined
          : { 'content-type': raw ? 'application/octet-stream' : 'application/json' },
      idleTimeoutMs: timeoutMs,
      retry: false, // retried below, where the meaning of a status is known
    };
    try {
      return await withJointSignal([signal, closeSignal], ({ signal: bound }) =>
        this.#queue.add(() => this.#send({ ...request, signal: bound }, retry ? retries : 0), {
          signal: bound,
        }),
      );
    } catch (error) {
      throw explainError(error);
    }
  }

  async #send(request: ServerRequest, retries: number): Promise<ServerReply> {
    const tries = new RetryCounter({ retries, onRetry: this.#options.onRetry });
    for (;;) {
      try {
        return await this.server.request(request);
      } catch (error) {
        const delayMs = tries.nextDelayMs(decideByError('calls', error), (error as GraphError).retryAfter);
        if (delayMs === undefined) throw error;
        await pause(delayMs, request.signal);
      }
    }
  }

  /**
   * Checks a value against a schema. @throws GraphError BAD_REPLY, which names the endpoint and what is wrong
   * with the answer.
   */
  check<T>(schema: z.core.$ZodType<T>, value: unknown, call: Pick<EndpointCall, 'path'>, status?: number): T {
    const parsed = safeParse(schema, value);
    if (!parsed.success)
      throw this.#badReply(call, `in an unexpected form: ${firstIssue(parsed.error)}`, status);
    return parsed.data;
  }

  #parsed(body: Uint8Array, call: Pick<EndpointCall, 'path'>, status: number): unknown {
    try {
      return parseExactJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      throw this.#badReply(
        call,
        body[0] === 0x3c ? 'with a web page, not JSON' : 'without valid JSON',
        status,
      );
    }
  }

  #badReply({ path }: Pick<EndpointCall, 'path'>, what: string, status?: number): GraphError {
    const url = this.urlOf(path);
    return new GraphError('BAD_REPLY', `${url} answered ${what}`, url, status);
  }

  /** Returns the URL of a call without its query, as errors name it. */
  urlOf(path: string): string {
    const { origin, tableUrl } = this.server.path;
    return path.startsWith('/') ? `${origin}${path}` : `${tableUrl}/${path}`;
  }
}
