/** Everything a PyChunkedGraph server can be asked about one table; IDs are bigints, lists of them BigUint64Arrays, both ways. */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { bytesOf } from '../../base/uint64.ts';
import type { ServerReply } from '../server/graph-server.ts';
import { guardMethods } from './graph-methods.ts';
import { EDIT_PATHS, sendEditAndRead, sendEdit, type EditOptions, type EditResult } from './edits.ts';
import type { CallOptions } from './endpoints.ts';
import { GraphHistory } from './graph-history.ts';
import { toSplitBody, checkPoint } from './graph-points.ts';
import { checkOperationId } from './check-arguments.ts';
import * as nodes from './nodes.ts';
import type { GraphPoint } from './nodes.ts';
import { count } from './reply-schemas.ts';
import { isUndone } from './is-undone.ts';

export interface GraphRequestOptions extends CallOptions {
  /** @default 'GET', which may have a body here */
  method?: 'GET' | 'POST';
  query?: Record<string, string | number | boolean | undefined>;
  /** Bytes as they stand, a BigUint64Array as little-endian uint64; anything else as JSON, bigints and arrays of them as raw digits. */
  body?: unknown;
  /** What the answer is read as: JSON whose integers beyond 2^53 are bigints; little-endian uint64; text; bytes. @default 'json' */
  as?: 'json' | 'ids' | 'text' | 'bytes';
  /** Whether what may pass is tried again. @default true for GET */
  retry?: boolean;
}

/**
 * The graph of a volume: `volume.graph`. Where no timestamp is given, the volume's counts (`volume.at(…)`), else now.
 *
 * All methods throw GraphError (UNKNOWN_ID for an ID the graph does not have, or not at that moment; BAD_REPLY for an answer that is none;
 * BROKEN_ENDPOINT), TypeError or RangeError for what cannot be meant, an option nobody knows included, TimestampError, DeadlineError (see
 * `timeoutMs`), and `signal.reason`. They take their arguments and options before they return.
 */
export class ChunkedGraph extends GraphHistory {
  /**
   * Joins two objects where two points are, at most three graph chunks apart. With a supervoxel's ID the point is only noted; with a
   * root's, the server looks around it, and fails near the edge of the volume.
   * @throws GraphError EDITS_NOT_ALLOWED unless the volume was opened with `allowEdits`; EDIT_UNCERTAIN when nobody knows whether it happened, as
   *   after an abort once it was sent (its `cause`).
   */
  async merge(a: GraphPoint, b: GraphPoint, options: EditOptions = {}): Promise<EditResult> {
    return this.#edit(
      'merge',
      [
        nodes.toNodeTuple(checkPoint(a, 'the first point')),
        nodes.toNodeTuple(checkPoint(b, 'the second point')),
      ],
      {},
      options,
    );
  }

  /**
   * Parts an object so that sources and sinks are apart.
   * @param options.mincut false: cuts exactly between each source and the sink of the same number. @default true
   * @throws as {@link merge}
   */
  async split(
    sources: readonly GraphPoint[],
    sinks: readonly GraphPoint[],
    { mincut, ...options }: EditOptions & { mincut?: boolean } = {},
  ): Promise<EditResult> {
    return this.#edit('split', toSplitBody(sources, sinks), { mincut }, options);
  }

  /**
   * What a split would come to near the points; changes nothing. The server looks at a box around them only (of 2.21: 240 × 240 × 24 voxels more on each
   * side): the parts that `split` makes hold these and what of the object lies beyond.
   */
  async splitPreview(
    sources: readonly GraphPoint[],
    sinks: readonly GraphPoint[],
    options: CallOptions = {},
  ): Promise<nodes.SplitPreview> {
    toSplitBody(sources, sinks);
    return nodes.splitPreview(this.context.api, sources, sinks, options);
  }

  /** Takes an operation back. `done: false`: nothing was left to undo, and nothing happened. @throws as {@link merge} */
  async undo(
    operationId: number,
    options: EditOptions = {},
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    return this.#again('undo', operationId, options);
  }

  /**
   * Does again what was undone. `done: false`: nothing was undone, and nothing happened: the log is asked first, since the server would carry
   * out again what nobody has undone.
   * @throws as {@link merge}; GraphError UNKNOWN_ID when there is no such operation.
   */
  async redo(
    operationId: number,
    options: EditOptions = {},
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    this.#mayEdit('redo');
    const id = checkOperationId(operationId),
      { signal, timeoutMs, maxBytes } = options;
    if (
      !(await isUndone(this.context.api, id, this.context.parts.windowClock.now(), {
        signal,
        timeoutMs,
        maxBytes,
      }))
    )
      return { done: false };
    return this.#again('redo', id, options);
  }

  /** What the service speaks, and which PyChunkedGraph it is. */
  async versions(options: CallOptions = {}): Promise<{ api: number[]; server: string }> {
    const service = new URL(this.context.api.server.path.infoUrl).pathname.replace(
      /\/table\/[^/]+\/info$/,
      '',
    );
    const [api, server] = await Promise.all([
      this.context.api.json(z.array(count), { path: `${service}/api/versions` }, options),
      this.context.api.json(z.string(), { path: `${service}/api/version` }, options),
    ]);
    return { api, server };
  }

  /**
   * Anything else. IDs stay exact both ways.
   * @param path Below the table (`node/123/root`), or of the whole service, beginning with `/`; without a query.
   * @throws GraphError EDITS_NOT_ALLOWED for paths that change the graph, unless the volume was opened with `allowEdits`; EDIT_UNCERTAIN as `merge`.
   */
  request(path: string, options: GraphRequestOptions & { as: 'ids' }): Promise<BigUint64Array>;
  request(path: string, options: GraphRequestOptions & { as: 'text' }): Promise<string>;
  request(path: string, options: GraphRequestOptions & { as: 'bytes' }): Promise<Uint8Array>;
  request(path: string, options?: GraphRequestOptions): Promise<unknown>;
  async request(
    path: string,
    {
      method = 'GET',
      query,
      body,
      as = 'json',
      retry = method === 'GET',
      ...options
    }: GraphRequestOptions = {},
  ): Promise<unknown> {
    if (/[?#]/.test(path)) throw new RangeError('a path has no query: pass query');
    // a URL drops tabs and dots
    const changes = EDIT_PATHS.test(decoded(new URL(this.context.api.urlOf(path)).pathname));
    if (changes) this.#mayEdit(path);
    const call = { method, path, query, body: body instanceof BigUint64Array ? bytesOf(body) : body };
    const read = (reply: ServerReply): unknown => {
      if (as === 'ids') return this.context.api.parseIdsReply(reply, call);
      if (as === 'json') return this.context.api.parseJsonReply(z.unknown(), reply, call);
      return as === 'text' ? new TextDecoder().decode(reply.body) : reply.body;
    };
    return changes
      ? sendEditAndRead(this.context.api, call, options, read)
      : read(await this.context.api.reply({ ...call, retry }, options));
  }

  async #edit(
    path: string,
    body: unknown,
    query: Record<string, boolean | undefined>,
    options: EditOptions,
  ): Promise<EditResult> {
    this.#mayEdit(path);
    const { operationId, newRoots } = await sendEdit(this.context.api, { path, body, query }, options);
    if (operationId === undefined)
      throw new GraphError(
        'BAD_REPLY',
        `${this.context.api.urlOf(path)} answered without an operation: nothing happened`,
        this.context.api.urlOf(path),
        200,
      );
    return { operationId, newRoots };
  }

  async #again(
    path: 'undo' | 'redo',
    operation: number,
    options: EditOptions,
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    this.#mayEdit(path);
    const { operationId, newRoots } = await sendEdit(
      this.context.api,
      { path, body: { operation_id: checkOperationId(operation) } },
      options,
    );
    return operationId === undefined ? { done: false } : { done: true, operationId, newRoots };
  }

  #mayEdit(path: string): void {
    if (!this.context.parts.allowEdits)
      throw new GraphError(
        'EDITS_NOT_ALLOWED',
        `${this.context.api.urlOf(path)} would change the graph: open the volume with allowEdits: true`,
        this.context.api.urlOf(path),
      );
  }

  static {
    guardMethods<ChunkedGraph>(this.prototype, (graph) => graph.context.parts);
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
