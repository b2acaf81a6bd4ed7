/**
 * Sends requests to one table of a PyChunkedGraph server, or to another CAVE service. It adds the token and
 * the headers, keeps the clock, and turns a failed reply into an error.
 */
import { DecodeError, GraphError, RequestError } from '../../base/errors.ts';
import { decompress } from '../../compression/decompress.ts';
import type { AddressPolicy, Headers, HttpClient, HttpReply } from '../../http/http-request.ts';
import { normalizeContentEncoding } from '../../storage/content-encoding.ts';
import type { GraphPath, Host } from './graph-path.ts';
import { processPace, type Pace } from '../../failures/pace.ts';
import { errorFromReply } from './reply-error.ts';
import { ServerClock } from './server-clock.ts';
import type { FoundToken } from './token.ts';

/** Settings of a server. */
export interface GraphServerOptions<P extends Host = GraphPath> {
  http: HttpClient;
  path: P;
  token?: FoundToken;
  clock?: ServerClock;
  /** Most requests per second to this host, including retries. @default no limit */
  rateLimit?: number;
  /** The pace of requests. @default the pace that the process shares */
  pace?: Pace;
  /** Which addresses may be contacted: `public` for a host that another server named. @default 'any' */
  allowAddress?: AddressPolicy;
}

/** One request. */
export interface ServerRequest {
  /** HTTP method. A GET may have a body, because some endpoints need one. @default 'GET' */
  method?: 'GET' | 'POST';
  /** The URL, without its query. */
  url: string;
  query?: Record<string, string>;
  body?: Uint8Array;
  headers?: Record<string, string>;
  /** Most bytes of the answer, compressed or not. A longer answer is GraphError BAD_REPLY. */
  maxBytes: number;
  /** How long the server may be silent, in ms. @default the HTTP client's limit */
  idleTimeoutMs?: number;
  /** Whether temporary failures are retried. @default true */
  retry?: boolean;
  /** Called before each attempt. From then on the server may have received the request. */
  onSend?: () => void;
  signal?: AbortSignal;
}

/** The reply to a successful request. */
export interface ServerReply {
  /** The body, decompressed. */
  body: Uint8Array;
  status: number;
  headers: HttpReply['headers'];
  /** IP address that the answer came from. */
  serverAddress: string | undefined;
}

/**
 * A server, with the token and the clock for it.
 *
 * @typeParam P A table of a chunkedgraph, or the host of another CAVE service.
 */
export class GraphServer<P extends Host = GraphPath> {
  readonly path: P;
  readonly clock: ServerClock;
  /**
   * Whether `is_latest_roots` includes edits at exactly its timestamp. Undefined until known: see
   * latest-roots-request.ts.
   */
  includesTimestamp: boolean | undefined;
  readonly #options: GraphServerOptions<P>;
  #address: string | undefined;

  constructor(options: GraphServerOptions<P>) {
    this.#options = options;
    this.path = options.path;
    this.clock = options.clock ?? new ServerClock();
  }

  /** The token that each request carries. */
  get token(): FoundToken | undefined {
    return this.#options.token;
  }

  /** Returns the same server for another token. Both share the connections, the pace and the clock. */
  withToken(token: FoundToken): GraphServer<P> {
    const other = new GraphServer({ ...this.#options, clock: this.clock, token });
    other.includesTimestamp = this.includesTimestamp;
    return other;
  }

  /** IP address that the last answer came from. */
  get address(): string | undefined {
    return this.#address;
  }

  /**
   * Sends one request, and returns the reply if its status is 200.
   *
   * @throws GraphError for every other reply, and if there is no reply; `signal.reason`.
   */
  async request({
    url,
    query,
    headers,
    method = 'GET',
    retry = true,
    onSend,
    ...request
  }: ServerRequest): Promise<ServerReply> {
    const { http, token, path, rateLimit, pace = processPace, allowAddress } = this.#options;
    const beforeEach = async (): Promise<Headers> => {
      if (rateLimit !== undefined) await pace.allow(path.host, rateLimit, request.signal);
      onSend?.();
      return {};
    };
    let reply: HttpReply;
    try {
      reply = await http.request({
        ...request,
        method,
        retry,
        url: query && Object.keys(query).length > 0 ? `${url}?${new URLSearchParams(query).toString()}` : url,
        headers: {
          // This header marks a program. Without it, the server redirects a request without a token to a
          // log-in page instead of answering 401.
          'x-requested-with': 'graphene-points',
          'accept-encoding': 'identity',
          ...(token && { authorization: `Bearer ${token.token}` }),
          ...headers,
        },
        followRedirects: false,
        allowAddress,
        ...((rateLimit !== undefined || onSend) && { authorize: beforeEach }),
      });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const code = error.code === 'TIMEOUT' || error.code === 'CONNECTION' ? error.code : 'BAD_REPLY';
      throw new GraphError(code, error.message, url, error.status, { cause: error });
    }
    this.#address = reply.serverAddress;
    this.clock.noteDate(reply.headers.date);
    const failure = errorFromReply(reply, { url, token, origin: path.origin });
    if (failure) throw failure;
    return {
      body: await decompressBody(reply, url, request.maxBytes),
      status: reply.status,
      headers: reply.headers,
      serverAddress: reply.serverAddress,
    };
  }
}

/**
 * Decompresses a reply.
 *
 * @throws GraphError BAD_REPLY if the content encoding is broken, or if the body is longer than `maxBytes`.
 */
async function decompressBody(
  { body, headers, status }: HttpReply,
  url: string,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    return await decompress(body, normalizeContentEncoding(headers['content-encoding']), { maxBytes });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new GraphError('BAD_REPLY', `${url}: ${error.message}`, url, status, { cause: error });
  }
}
