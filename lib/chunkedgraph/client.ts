/** One table of a PyChunkedGraph server: its info, and roots of many supervoxels in one request. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DecodeError, GraphError, InfoError, RequestError } from '../base/errors.ts';
import { bytesOf, idsFromBytes } from '../base/uint64.ts';
import { decompress } from '../compression/decompress.ts';
import type { HttpClient, HttpReply } from '../http/client.ts';
import type { GraphPath } from './graph-path.ts';
import { errorOfReply } from './reply.ts';
import { ServerClock } from './server-clock.ts';
import { toUnixSeconds } from './timestamp.ts';
import type { FoundToken } from './token.ts';

export interface ChunkedGraphClientOptions {
  http: HttpClient;
  path: GraphPath;
  token?: FoundToken;
  clock?: ServerClock;
  /** Longest silence of the server while it looks roots up. @default 600_000 */
  rootTimeoutMs?: number;
}

export interface RootsQuestion {
  /** The moment, in ms since 1970; the server includes an edit made at exactly this millisecond. */
  timestampMs: number;
  /** Layer at which the climb ends; undefined: the root layer. */
  stopLayer?: number;
  signal?: AbortSignal;
}

/** Request bodies above this are gzipped; the server undoes it. */
const GZIP_ABOVE = 256 * 1024;
/** Room for an error page or a traceback, however few IDs were asked. */
const SMALLEST_BOUND = 64 * 1024;
const INFO_BOUND = 16 * 1024 * 1024;

const gzipAsync = promisify(gzip);

export class ChunkedGraphClient {
  readonly clock: ServerClock;
  readonly #options: ChunkedGraphClientOptions;

  constructor(options: ChunkedGraphClientOptions) {
    this.#options = options;
    this.clock = options.clock ?? new ServerClock();
  }

  /**
   * The table's info and the address the server answered from.
   * @throws GraphError; InfoError BAD_INFO when the answer is no JSON.
   */
  async info(signal?: AbortSignal): Promise<{ json: unknown; serverAddress: string | undefined }> {
    const { infoUrl } = this.#options.path;
    const reply = await this.#ask(infoUrl, { method: 'GET', url: infoUrl, maxBytes: INFO_BOUND, signal });
    const body = await bodyOf(reply, infoUrl, INFO_BOUND);
    try {
      return { json: JSON.parse(new TextDecoder().decode(body)), serverAddress: reply.serverAddress };
    } catch {
      throw new InfoError('BAD_INFO', `info at ${infoUrl} is no JSON${body[0] === 0x3c ? ' but a web page: is the address right, and is a log-in needed?' : ''}`, infoUrl);
    }
  }

  /**
   * What the server answers for each ID, in order, duplicates kept. It is an answer, not yet a root: the server echoes unknown IDs.
   * Source: PyChunkedGraph, app/segmentation/common.py, `handle_roots`.
   *
   * @throws GraphError; `signal.reason`.
   */
  async roots(ids: BigUint64Array, { timestampMs, stopLayer, signal }: RootsQuestion): Promise<BigUint64Array> {
    const url = `${this.#options.path.tableUrl}/roots_binary`;
    const query = new URLSearchParams({ timestamp: toUnixSeconds(timestampMs), ...(stopLayer !== undefined && { stop_layer: String(stopLayer) }) });
    const plain = bytesOf(ids), zipped = plain.byteLength > GZIP_ABOVE;
    const maxBytes = Math.max(plain.byteLength, SMALLEST_BOUND);
    const reply = await this.#ask(url, {
      method: 'POST',
      url: `${url}?${query.toString()}`,
      body: zipped ? await gzipAsync(plain, { level: 1 }) : plain,
      // A form type (the default of some clients) makes the server swallow the body and answer nothing.
      headers: { 'content-type': 'application/octet-stream', ...(zipped && { 'content-encoding': 'gzip' }) },
      maxBytes,
      idleTimeoutMs: this.#options.rootTimeoutMs ?? 600_000,
      signal,
    });
    const body = await bodyOf(reply, url, maxBytes);
    if (body.byteLength !== plain.byteLength)
      throw new GraphError('BAD_REPLY', `${url} answered ${body.byteLength} bytes for ${ids.length} IDs; expected ${plain.byteLength}`, url, reply.status);
    return idsFromBytes(body);
  }

  async #ask(url: string, request: Omit<Parameters<HttpClient['request']>[0], 'followRedirects' | 'retry'>): Promise<HttpReply> {
    const { http, token, path } = this.#options;
    let reply: HttpReply;
    try {
      reply = await http.request({
        ...request,
        headers: {
          // Marks a program: without it the server sends whoever has no token to a log-in page instead of answering 401.
          'x-requested-with': 'graphene-points',
          'accept-encoding': 'identity',
          ...(token && { authorization: `Bearer ${token.token}` }),
          ...request.headers,
        },
        followRedirects: false,
        retry: true,
      });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const code = error.code === 'TIMEOUT' || error.code === 'CONNECTION' ? error.code : 'BAD_REPLY';
      throw new GraphError(code, error.message, url, error.status, { cause: error });
    }
    this.clock.note(reply.headers.date);
    const failure = errorOfReply(reply, { url, token, origin: path.origin });
    if (failure) throw failure;
    return reply;
  }
}

/** @throws GraphError BAD_REPLY when the content encoding is broken or holds more than `maxBytes`. */
async function bodyOf({ body, headers, status }: HttpReply, url: string, maxBytes: number): Promise<Uint8Array> {
  try {
    return await decompress(body, headers['content-encoding'], { maxBytes });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new GraphError('BAD_REPLY', `${url}: ${error.message}`, url, status, { cause: error });
  }
}
