/**
 * One call of the server's API: a body in, a checked answer out. 64-bit integers stay exact both ways, replies are bounded, and what is no
 * answer is an error that names the endpoint and what was expected there.
 */
import PQueue from 'p-queue';
import type { z } from 'zod';
import { withJointSignal, pause } from '../../base/abort.ts';
import { GraphError } from '../../base/errors.ts';
import { idsFromBytes } from '../../base/uint64.ts';
import { RetryCounter, type OnRetry } from '../../failures/retry-counter.ts';
import { decideByError } from '../../failures/retry-decision.ts';
import { firstIssue } from '../../precomputed/first-issue.ts';
import { formatExactJson, parseExactJson } from '../server/exact-json.ts';
import type { ServerReply, ServerRequest, GraphServer } from '../server/graph-server.ts';
import type { Timestamp } from '../ids/timestamp.ts';
import { explainError } from './explain-error.ts';

export interface CallOptions {
  signal?: AbortSignal;
  /**
   * Most that the call may take, in ms, all its requests together; then it has failed with a DeadlineError. An edit that was sent by then
   * is EDIT_UNCERTAIN.
   * @default the volume's `timeoutMs`; for edits no limit
   */
  timeoutMs?: number;
  /** Longest reply that is taken. @default 256 MiB */
  maxBytes?: number;
  /** A BigUint64Array among the arguments is not copied: the caller promises not to write to it before the call has ended. @default false */
  borrow?: boolean;
}

export interface TimedOptions extends CallOptions {
  /** @default the volume's, else now */
  timestamp?: Timestamp;
}

export interface WindowOptions extends CallOptions {
  /** @default as far back as the history goes */
  from?: Timestamp;
  /** An edit of this very millisecond is included. @default the volume's moment, else now */
  to?: Timestamp;
}

/** What is asked, apart from {@link CallOptions}. */
export interface EndpointCall {
  /** @default 'GET', which may have a body here */
  method?: 'GET' | 'POST';
  /** Below the table's address: `node/123/root`; or a whole path of the service, beginning with `/`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** Bytes as they stand; anything else as JSON, bigints as raw digits. */
  body?: unknown;
  /** Whether what may pass (429, 502 to 504, a broken connection) is tried again; a 500 means bad input more often than not. @default true */
  retry?: boolean;
  /** Told before each attempt. */
  onSend?: () => void;
}

export interface EndpointsOptions {
  server: GraphServer;
  /** Aborts when the volume is closed. */
  closeSignal?: AbortSignal;
  /** Calls at once. @default 4 */
  concurrency?: number;
  /** Longest silence of the server. @default 600_000 */
  timeoutMs?: number;
  /** Most repeats of one call. @default 4 */
  retries?: number;
  onRetry?: OnRetry;
}

const MAX_BYTES = 256 * 1024 * 1024;

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
   * The answer as `schema` makes it.
   * @throws GraphError, BAD_REPLY for an answer that is not what was asked for; `signal.reason`.
   */
  async json<T>(schema: z.ZodType<T>, call: EndpointCall, options?: CallOptions): Promise<T> {
    return (await this.jsonAndHeaders(schema, call, options)).value;
  }

  /** The same, with the reply's headers. */
  async jsonAndHeaders<T>(
    schema: z.ZodType<T>,
    call: EndpointCall,
    options?: CallOptions,
  ): Promise<{ value: T; headers: ServerReply['headers'] }> {
    const reply = await this.reply(call, options);
    return { value: this.parseJsonReply(schema, reply, call), headers: reply.headers };
  }

  /** A reply's JSON as `schema` makes it. @throws GraphError BAD_REPLY. */
  parseJsonReply<T>(
    schema: z.ZodType<T>,
    { body, status }: ServerReply,
    call: Pick<EndpointCall, 'path'>,
  ): T {
    return this.check(schema, this.#parsed(body, call, status), call, status);
  }

  /** A reply's little-endian uint64. @throws GraphError BAD_REPLY. */
  parseIdsReply({ body, status }: ServerReply, call: Pick<EndpointCall, 'path'>): BigUint64Array {
    if (body.byteLength % 8 !== 0)
      throw this.#bad(call, `${body.byteLength} bytes; expected a multiple of 8`, status);
    return idsFromBytes(body);
  }

  /** A binary answer: little-endian uint64. @throws as {@link json}. */
  async ids(call: EndpointCall, options: CallOptions = {}): Promise<BigUint64Array> {
    return this.parseIdsReply(await this.reply(call, options), call);
  }

  /** @throws GraphError; DeadlineError; `signal.reason`. */
  async reply(
    { path, query = {}, body, method, retry = true, onSend }: EndpointCall,
    { signal, maxBytes = MAX_BYTES }: CallOptions = {},
  ): Promise<ServerReply> {
    const { closeSignal: life, timeoutMs = 600_000, retries = 4 } = this.#options;
    const asked = Object.entries(query).filter(([, value]) => value !== undefined);
    const raw = body instanceof Uint8Array;
    const request: ServerRequest = {
      method,
      maxBytes,
      onSend,
      url: this.urlOf(path),
      query: Object.fromEntries(asked.map(([name, value]) => [name, String(value)])),
      body: raw || body === undefined ? body : new TextEncoder().encode(formatExactJson(body)),
      // Without a type, or with that of a form, the server may swallow the body.
      headers:
        body === undefined
          ? undefined
          : { 'content-type': raw ? 'application/octet-stream' : 'application/json' },
      idleTimeoutMs: timeoutMs,
      retry: false, // here, where it is known what a status means
    };
    try {
      return await withJointSignal([signal, life], ({ signal: bound }) =>
        this.#queue.add(() => this.#ask({ ...request, signal: bound }, retry ? retries : 0), {
          signal: bound,
        }),
      );
    } catch (error) {
      throw explainError(error);
    }
  }

  async #ask(request: ServerRequest, retries: number): Promise<ServerReply> {
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

  /** @throws GraphError BAD_REPLY naming the endpoint and what is wrong with its answer. */
  check<T>(schema: z.ZodType<T>, value: unknown, call: Pick<EndpointCall, 'path'>, status?: number): T {
    const parsed = schema.safeParse(value);
    if (!parsed.success)
      throw this.#bad(call, `something else than expected: ${firstIssue(parsed.error)}`, status);
    return parsed.data;
  }

  #parsed(body: Uint8Array, call: Pick<EndpointCall, 'path'>, status: number): unknown {
    try {
      return parseExactJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      throw this.#bad(call, `no JSON${body[0] === 0x3c ? ' but a web page' : ''}`, status);
    }
  }

  #bad({ path }: Pick<EndpointCall, 'path'>, what: string, status?: number): GraphError {
    const url = this.urlOf(path);
    return new GraphError('BAD_REPLY', `${url} answered ${what}`, url, status);
  }

  /** Where a call goes, without its query: what errors name. */
  urlOf(path: string): string {
    const { origin, tableUrl } = this.server.path;
    return path.startsWith('/') ? `${origin}${path}` : `${tableUrl}/${path}`;
  }
}
