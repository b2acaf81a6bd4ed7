/** What the library itself asks of a chunkedgraph: its info, roots of many supervoxels in one request, and whether roots are roots. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { GraphError, InfoError } from '../../base/errors.ts';
import { bytesOf, idsFromBytes, wordsOf } from '../../base/uint64.ts';
import { parseJson } from '../../http/json.ts';
import type { GraphServer } from './graph-server.ts';
import { requestLatestRoots, type SendLatestRootsRequest } from './latest-roots-request.ts';
import type { ServerClock } from './server-clock.ts';
import { toUnixSeconds } from '../ids/timestamp.ts';

export interface ChunkedGraphClientOptions {
  server: GraphServer;
  /** Longest silence of the server while it looks roots up. @default 600_000 */
  rootTimeoutMs?: number;
}

export interface RootsRequest {
  /** The moment, in ms since 1970; the server includes an edit made at exactly this millisecond. */
  timestampMs: number;
  /** Layer at which the climb ends; undefined: the root layer. */
  stopLayer?: number;
  /** Whether an ID can be an answer, by its high word: no graph has any above its roots, but a web page of the right length is full of them. */
  isPossible?: (high: number) => boolean;
  signal?: AbortSignal;
}

/** Request bodies above this are gzipped; the server undoes it. */
const GZIP_ABOVE = 256 * 1024;
/** Room for an error page or a traceback, however few IDs were asked. */
const SMALLEST_BOUND = 64 * 1024;
const INFO_BOUND = 16 * 1024 * 1024;

const gzipAsync = promisify(gzip);

export class ChunkedGraphClient {
  readonly #options: ChunkedGraphClientOptions;

  constructor(options: ChunkedGraphClientOptions) {
    this.#options = options;
  }

  get clock(): ServerClock {
    return this.#options.server.clock;
  }

  /**
   * The table's info and the address the server answered from.
   * @throws GraphError; InfoError BAD_INFO when the answer is no JSON.
   */
  async info(signal?: AbortSignal): Promise<{ json: unknown; serverAddress: string | undefined }> {
    const { server } = this.#options,
      { infoUrl } = server.path;
    const { body, serverAddress } = await server.request({ url: infoUrl, maxBytes: INFO_BOUND, signal });
    const json = parseJson(body);
    if (json !== undefined) return { json, serverAddress };
    throw new InfoError(
      'BAD_INFO',
      `info at ${infoUrl} is no JSON${body[0] === 0x3c ? ' but a web page: is the address right, and is a log-in needed?' : ''}`,
      infoUrl,
    );
  }

  /**
   * What the server answers for each ID, in order, duplicates kept. It is an answer, not yet a root: the server echoes unknown IDs.
   * Asked once: see batch-sender.ts for what is done about failures.
   * Source: PyChunkedGraph, app/segmentation/common.py, `handle_roots`.
   *
   * @throws GraphError; `signal.reason`.
   */
  async roots(
    ids: BigUint64Array,
    { timestampMs, stopLayer, isPossible, signal }: RootsRequest,
  ): Promise<BigUint64Array> {
    const { server, rootTimeoutMs = 600_000 } = this.#options;
    const url = `${server.path.tableUrl}/roots_binary`;
    const plain = bytesOf(ids),
      zipped = plain.byteLength > GZIP_ABOVE;
    const { body, status } = await server.request({
      method: 'POST',
      url,
      query: {
        timestamp: toUnixSeconds(timestampMs),
        ...(stopLayer !== undefined && { stop_layer: String(stopLayer) }),
      },
      body: zipped ? await gzipAsync(plain, { level: 1 }) : plain,
      // A form type (the default of some clients) makes the server swallow the body and answer nothing.
      headers: { 'content-type': 'application/octet-stream', ...(zipped && { 'content-encoding': 'gzip' }) },
      maxBytes: Math.max(plain.byteLength, SMALLEST_BOUND),
      idleTimeoutMs: rootTimeoutMs,
      retry: false,
      signal,
    });
    if (body.byteLength !== plain.byteLength)
      throw new GraphError(
        'BAD_REPLY',
        `${url} answered ${body.byteLength} bytes for ${ids.length} IDs; expected ${plain.byteLength}`,
        url,
        status,
      );
    // Nobody else has the body: where it is aligned it is the answer.
    const answers =
      body.byteOffset % 8 === 0
        ? new BigUint64Array(body.buffer, body.byteOffset, ids.length)
        : idsFromBytes(body);
    const words = wordsOf(answers);
    if (isPossible)
      for (let at = 1; at < words.length; at += 2)
        if (!isPossible(words[at]))
          throw new GraphError(
            'BAD_REPLY',
            `${url} answered ${answers[at >>> 1]}, which is above all layers of the graph`,
            url,
            status,
          );
    return answers;
  }

  /**
   * Of each ID of the root layer: itself when it is a root at the moment, an edit of that very millisecond included; else 0.
   * @throws GraphError; `signal.reason`.
   */
  async currentRoots(
    ids: BigUint64Array,
    { timestampMs, signal }: Pick<RootsRequest, 'timestampMs' | 'signal'>,
  ): Promise<BigUint64Array> {
    const { server, rootTimeoutMs: idleTimeoutMs = 600_000 } = this.#options;
    const send: SendLatestRootsRequest = ({ path, body, ...question }) =>
      server.request({
        ...question,
        url: `${server.path.tableUrl}/${path}`,
        body: new TextEncoder().encode(`{"node_ids":[${body.node_ids.join(',')}]}`),
        headers: { 'content-type': 'application/json' },
        maxBytes: Math.max(8 * body.node_ids.length, SMALLEST_BOUND),
        idleTimeoutMs,
        retry: false,
        signal,
      });
    const latest = await requestLatestRoots(server, ids, timestampMs, send, signal);
    return ids.map((id, k) => (latest[k] ? id : 0n));
  }
}
