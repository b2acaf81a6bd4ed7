/**
 * Sends the three requests that look-ups need: a table's info, the roots of many supervoxels, and whether IDs
 * are roots.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { GraphError, InfoError } from '../../base/errors.ts';
import { bytesOf, idsFromBytes, wordsOf } from '../../base/uint64.ts';
import { parseJson } from '../../http/json.ts';
import type { GraphServer } from './graph-server.ts';
import { requestLatestRoots, type SendLatestRootsRequest } from './latest-roots-request.ts';
import type { ServerClock } from './server-clock.ts';
import { toUnixSeconds } from '../ids/timestamp.ts';

/** Settings of a client. */
export interface ChunkedGraphClientOptions {
  server: GraphServer;
  /** How long the server may be silent during a root look-up, in ms. @default 600_000 */
  rootTimeoutMs?: number;
}

/** The parts of a request for roots, apart from its IDs. */
export interface RootsRequest {
  /** The timestamp, in ms since 1970. The server includes an edit at exactly this millisecond. */
  timestampMs: number;
  /** Layer at which the look-up ends. @default the root layer */
  stopLayer?: number;
  /**
   * Whether an ID can be an answer, by its high word. No graph has IDs above its root layer, but a web page
   * that has the right length contains many.
   */
  isPossible?: (high: number) => boolean;
  signal?: AbortSignal;
}

/** Request bodies above this size are compressed with gzip. */
const GZIP_ABOVE = 256 * 1024;
/** Room for an error page or a traceback, even if few IDs are requested. */
const SMALLEST_BOUND = 64 * 1024;
const INFO_BOUND = 16 * 1024 * 1024;

const gzipAsync = promisify(gzip);

/** The client of one table. It sends each request once: retries belong to batch-sender.ts. */
export class ChunkedGraphClient {
  readonly #options: ChunkedGraphClientOptions;

  constructor(options: ChunkedGraphClientOptions) {
    this.#options = options;
  }

  get clock(): ServerClock {
    return this.#options.server.clock;
  }

  /**
   * Returns the table's info, and the address of the server that answered.
   *
   * @throws GraphError; InfoError BAD_INFO when the answer is not JSON.
   */
  async info(signal?: AbortSignal): Promise<{ json: unknown; serverAddress: string | undefined }> {
    const { server } = this.#options,
      { infoUrl } = server.path;
    const { body, serverAddress } = await server.request({ url: infoUrl, maxBytes: INFO_BOUND, signal });
    const json = parseJson(body);
    if (json !== undefined) return { json, serverAddress };
    throw new InfoError(
      'BAD_INFO',
      `info at ${infoUrl} is ${body[0] === 0x3c ? 'a web page, not JSON: check the address, and whether the server needs a log-in' : 'not JSON'}`,
      infoUrl,
    );
  }

  /**
   * Returns the server's answer for each ID, in order, with duplicates. An answer is not yet a root, because
   * the server echoes unknown IDs.
   *
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
      // With the content type of a form (the default of some clients), the server ignores the body and
      // answers nothing.
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
    // No other code holds the body, so an aligned body can become the answer without a copy.
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
            `${url} answered ${answers[at >>> 1]}, which is an ID above the root layer of the graph`,
            url,
            status,
          );
    return answers;
  }

  /**
   * Returns each ID of the root layer if it is a root at the timestamp, and 0 if it is not. An edit at
   * exactly that millisecond is included.
   *
   * @throws GraphError; `signal.reason`.
   */
  async currentRoots(
    ids: BigUint64Array,
    { timestampMs, signal }: Pick<RootsRequest, 'timestampMs' | 'signal'>,
  ): Promise<BigUint64Array> {
    const { server, rootTimeoutMs: idleTimeoutMs = 600_000 } = this.#options;
    const send: SendLatestRootsRequest = ({ path, body, ...request }) =>
      server.request({
        ...request,
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
