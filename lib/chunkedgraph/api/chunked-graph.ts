/**
 * `volume.graph`: the requests to one table of a PyChunkedGraph server. IDs are bigints, and lists of IDs are
 * BigUint64Arrays, in arguments and in results. This file has edits and free requests; the base classes have
 * roots, nodes and history.
 */
import * as z from 'zod/mini';
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

/** Options of `graph.request`. */
export interface GraphRequestOptions extends CallOptions {
  /** HTTP method. A GET may have a body here. @default 'GET' */
  method?: 'GET' | 'POST';
  /** Query parameters. Undefined values are left out. @default none */
  query?: Record<string, string | number | boolean | undefined>;
  /**
   * The body. Bytes are sent unchanged, a BigUint64Array as little-endian uint64, and anything else as JSON,
   * in which bigints and arrays of them are written as digits. @default no body
   */
  body?: unknown;
  /**
   * How the answer is read: `json`, with integers beyond 2^53 as bigints; `ids`, little-endian uint64;
   * `text`; or `bytes`.
   * @default 'json'
   */
  as?: 'json' | 'ids' | 'text' | 'bytes';
  /** Whether temporary failures are retried. @default true for GET */
  retry?: boolean;
}

/**
 * The graph of a volume: `volume.graph`. A call without a timestamp uses the volume's (see `volume.at`), or
 * else now.
 *
 * Every method rejects with:
 * - GraphError: UNKNOWN_ID for an ID that the graph does not have, or does not have at the timestamp;
 *   BAD_REPLY for an answer of the wrong form; BROKEN_ENDPOINT for an endpoint that the server is known to
 *   break; and the codes for HTTP failures.
 * - TypeError or RangeError for an argument or option that is not valid, including an unknown option.
 * - TimestampError for a timestamp that is not valid.
 * - DeadlineError when `timeoutMs` is over, and `signal.reason` after an abort.
 *
 * Arguments and options are read before the method returns, so the caller may change them afterwards.
 *
 * @example
 * ```ts
 * const volume = await openGraphene('graphene://https://HOST/segmentation/table/NAME');
 * const { graph } = volume;
 * const [root] = await graph.roots([supervoxel], { timestamp: '2024-06-05' });
 * const supervoxels = await graph.leaves(root);
 * const { root: old, suggestions } = await graph.suggestLatestRoots(root);
 * ```
 */
export class ChunkedGraph extends GraphHistory {
  /**
   * Merges the objects at two points, which may be at most three graph chunks apart. If a point has a
   * supervoxel ID, its coordinates are only recorded. If it has a root ID, the server searches for a
   * supervoxel around it, which fails near the edge of the volume. An edit is never sent twice.
   *
   * @param a First point: an ID, and coordinates in nanometres.
   * @param b Second point.
   * @param options Options of the edit.
   * @returns The operation and the new root.
   * @throws GraphError EDITS_NOT_ALLOWED unless the volume was opened with `allowEdits`; EDIT_UNCERTAIN if it
   *   is unknown whether the edit happened, for example after an abort once the request was sent (the abort
   *   is the `cause`).
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
   * Splits an object so that the sources and the sinks are in different objects. An edit is never sent twice.
   *
   * @param sources Points on one side, at least one.
   * @param sinks Points on the other side, at least one.
   * @param options Options of the edit. With `mincut: false`, the server cuts exactly between each source and
   *   the sink of the same index, instead of searching for the best cut. Default: `mincut: true`.
   * @returns The operation and the new roots.
   * @throws The errors of {@link merge}.
   */
  async split(
    sources: readonly GraphPoint[],
    sinks: readonly GraphPoint[],
    { mincut, ...options }: EditOptions & { mincut?: boolean } = {},
  ): Promise<EditResult> {
    return this.#edit('split', toSplitBody(sources, sinks), { mincut }, options);
  }

  /**
   * Previews a split near its points, without an edit. The server looks only at a box around the points
   * (version 2.21: 240 × 240 × 24 voxels more on each side). The objects that {@link split} makes contain
   * these parts and the rest of the object.
   *
   * @param sources Points on one side, at least one.
   * @param sinks Points on the other side, at least one.
   * @param options Options of the call.
   * @returns The parts as lists of supervoxels.
   */
  async splitPreview(
    sources: readonly GraphPoint[],
    sinks: readonly GraphPoint[],
    options: CallOptions = {},
  ): Promise<nodes.SplitPreview> {
    toSplitBody(sources, sinks);
    return nodes.splitPreview(this.context.api, sources, sinks, options);
  }

  /**
   * Undoes an operation.
   *
   * @param operationId The operation, a whole number from 1.
   * @param options Options of the edit.
   * @returns The new operation with `done: true`; or `done: false` if there was nothing to undo, and nothing
   *   changed.
   * @throws The errors of {@link merge}.
   */
  async undo(
    operationId: number,
    options: EditOptions = {},
  ): Promise<
    | (EditResult & {
        /** The edit was done. */
        done: true;
      })
    | {
        /** Nothing changed. */
        done: false;
      }
  > {
    return this.#undoOrRedo('undo', operationId, options);
  }

  /**
   * Redoes an operation that was undone. The server would also redo an operation that was not undone, so the
   * log is checked first.
   *
   * @param operationId The operation, a whole number from 1.
   * @param options Options of the edit.
   * @returns The new operation with `done: true`; or `done: false` if the operation was not undone, and
   *   nothing changed.
   * @throws The errors of {@link merge}; GraphError UNKNOWN_ID if there is no such operation.
   */
  async redo(
    operationId: number,
    options: EditOptions = {},
  ): Promise<
    | (EditResult & {
        /** The edit was done. */
        done: true;
      })
    | {
        /** Nothing changed. */
        done: false;
      }
  > {
    this.#checkMayEdit('redo');
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
    return this.#undoOrRedo('redo', id, options);
  }

  /**
   * Returns the API versions that the service supports, and the version of its PyChunkedGraph.
   *
   * @param options Options of the call.
   */
  async versions(options: CallOptions = {}): Promise<{
    /** The API versions that the service supports. */
    api: number[];
    /** The version of its PyChunkedGraph. */
    server: string;
  }> {
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
   * Sends any other request. 64-bit integers stay exact in both directions.
   *
   * @param path Path below the table (`node/123/root`), or of the whole service if it starts with `/`. It has
   *   no query.
   * @param options Method, query, body, and how the answer is read.
   * @returns The answer, in the form that `options.as` names.
   * @throws GraphError EDITS_NOT_ALLOWED for a path that changes the graph, unless the volume was opened with
   *   `allowEdits`; EDIT_UNCERTAIN as for {@link merge}; RangeError for a path with a query.
   */
  request(path: string, options: GraphRequestOptions & { as: 'ids' }): Promise<BigUint64Array>;
  /**
   * Sends any other request, and returns the answer as text.
   *
   * @param path Path below the table, or of the whole service if it starts with `/`.
   * @param options Method, query, body, and how the answer is read.
   */
  request(path: string, options: GraphRequestOptions & { as: 'text' }): Promise<string>;
  /**
   * Sends any other request, and returns the answer as bytes.
   *
   * @param path Path below the table, or of the whole service if it starts with `/`.
   * @param options Method, query, body, and how the answer is read.
   */
  request(path: string, options: GraphRequestOptions & { as: 'bytes' }): Promise<Uint8Array>;
  /**
   * Sends any other request, and returns the answer as JSON.
   *
   * @param path Path below the table, or of the whole service if it starts with `/`.
   * @param options Method, query, body, and how the answer is read.
   */
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
    if (/[?#]/.test(path)) throw new RangeError('a path cannot contain a query: use the query option');
    // A URL drops tabs and resolves dots, so the path is checked as it is sent.
    const changes = EDIT_PATHS.test(decoded(new URL(this.context.api.urlOf(path)).pathname));
    if (changes) this.#checkMayEdit(path);
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
    this.#checkMayEdit(path);
    const { operationId, newRoots } = await sendEdit(this.context.api, { path, body, query }, options);
    if (operationId === undefined)
      throw new GraphError(
        'BAD_REPLY',
        `${this.context.api.urlOf(path)} answered without an operation: nothing changed`,
        this.context.api.urlOf(path),
        200,
      );
    return { operationId, newRoots };
  }

  async #undoOrRedo(
    path: 'undo' | 'redo',
    operation: number,
    options: EditOptions,
  ): Promise<(EditResult & { done: true }) | { done: false }> {
    this.#checkMayEdit(path);
    const { operationId, newRoots } = await sendEdit(
      this.context.api,
      { path, body: { operation_id: checkOperationId(operation) } },
      options,
    );
    return operationId === undefined ? { done: false } : { done: true, operationId, newRoots };
  }

  #checkMayEdit(path: string): void {
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
