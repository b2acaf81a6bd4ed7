/** Asks one table of a PyChunkedGraph server, or another service beside it: marks, token, clock and errors are the same whatever is asked. */
import { DecodeError, GraphError, RequestError } from '../../base/errors.ts';
import { decompress } from '../../compression/decompress.ts';
import type { AddressPolicy, Headers, HttpClient, HttpReply } from '../../http/http-request.ts';
import { normalizeContentEncoding } from '../../storage/content-encoding.ts';
import type { GraphPath, Host } from './graph-path.ts';
import { processPace, type Pace } from '../../failures/pace.ts';
import { errorFromReply } from './reply-error.ts';
import { ServerClock } from './server-clock.ts';
import type { FoundToken } from './token.ts';

export interface GraphServerOptions<P extends Host = GraphPath> {
  http: HttpClient;
  path: P;
  token?: FoundToken;
  clock?: ServerClock;
  /** Requests a second to this host, repeats included. @default no limit */
  rateLimit?: number;
  /** @default the process's */
  pace?: Pace;
  /** `public` for a host that another server named. @default 'any' */
  allowAddress?: AddressPolicy;
}

export interface ServerRequest {
  /** @default 'GET'; a GET may have a body: some endpoints want one. */
  method?: 'GET' | 'POST';
  /** Without its query. */
  url: string;
  query?: Record<string, string>;
  body?: Uint8Array;
  headers?: Record<string, string>;
  /** A longer answer, packed or unpacked, is GraphError BAD_REPLY. */
  maxBytes: number;
  /** Longest silence. @default the HTTP client's */
  idleTimeoutMs?: number;
  /** Whether failures that may pass are tried again. @default true */
  retry?: boolean;
  /** Told before each attempt: from here on the server may have got it. */
  onSend?: () => void;
  signal?: AbortSignal;
}

export interface ServerReply {
  /** Without its content encoding. */
  body: Uint8Array;
  status: number;
  headers: HttpReply['headers'];
  /** The address the answer came from. */
  serverAddress: string | undefined;
}

/** @typeParam P A table of a chunkedgraph, or any host of the same manners. */
export class GraphServer<P extends Host = GraphPath> {
  readonly path: P;
  readonly clock: ServerClock;
  /** Whether `is_latest_roots` sees edits of its very timestamp; undefined until that is known: see latest-question.ts. */
  includesTimestamp: boolean | undefined;
  readonly #options: GraphServerOptions<P>;
  #address: string | undefined;

  constructor(options: GraphServerOptions<P>) {
    this.#options = options;
    this.path = options.path;
    this.clock = options.clock ?? new ServerClock();
  }

  /** What each request carries. */
  get token(): FoundToken | undefined {
    return this.#options.token;
  }

  /** That the last answer came from. */
  get address(): string | undefined {
    return this.#address;
  }

  /**
   * The body of a 200.
   * @throws GraphError for every other answer and for none; `signal.reason`.
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
          // Marks a program: without it the server sends whoever has no token to a log-in page instead of answering 401.
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
      body: await unpacked(reply, url, request.maxBytes),
      status: reply.status,
      headers: reply.headers,
      serverAddress: reply.serverAddress,
    };
  }
}

/** @throws GraphError BAD_REPLY when the content encoding is broken or holds more than `maxBytes`. */
async function unpacked(
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
