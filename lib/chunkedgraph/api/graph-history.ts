/** The third part of `volume.graph`: edits, and the history of roots. */
import type { Timestamp } from '../ids/timestamp.ts';
import { deltaRoots, rawDeltaRoots, type DeltaRoots } from './delta-roots.ts';
import type { CallOptions, TimedOptions, WindowOptions } from './endpoints.ts';
import { GraphNodes } from './graph-nodes.ts';
import * as history from './history.ts';
import { checkId, checkIds, checkOperationId, sortDistinct, toIdList, type Ids } from './check-arguments.ts';
import * as operations from './operations.ts';
import { findFirstRoots, findOriginals } from './originals.ts';
import { rootTimestamps } from './root-lifetimes.ts';
import { findRelatedRoots, suggestRoots, type Suggestion } from './successors.ts';

/** The last base class of `ChunkedGraph`, for history. */
export class GraphHistory extends GraphNodes {
  /**
   * Returns how roots developed from each other, between `from` and `to`. Linked nodes just outside this time
   * are included.
   *
   * @param roots One or more root IDs.
   * @param options `from`, `to`, and options of the call. Defaults: the whole history, until now.
   * @returns Nodes, and links from each replaced root to the root that replaced it.
   * @throws GraphError UNKNOWN_ID, also for an ID below the root layer.
   */
  async lineageGraph(
    roots: bigint | Ids,
    { from, to, ...options }: WindowOptions = {},
  ): Promise<history.LineageGraph> {
    return history.lineageGraph(
      this.context.api,
      this.context.checkRoots(toIdList(roots)),
      await this.context.resolveOptionalMs(from, options.signal),
      await this.context.resolveMs(to, options.signal),
      options,
    );
  }

  /**
   * Returns the roots that the parts of each root had at an earlier timestamp. It sends one request per root.
   *
   * The server ignores any other timestamp for this request.
   *
   * @param roots Root IDs.
   * @param options `timestampPast`, and options of the call. Default: as far back as the history goes.
   */
  async pastIdMapping(
    roots: Ids,
    { timestampPast, ...options }: CallOptions & { timestampPast?: Timestamp } = {},
  ): Promise<history.IdMapping> {
    return history.pastIdMapping(
      this.context.api,
      sortDistinct(checkIds(roots)),
      await this.context.resolveOptionalMs(timestampPast, options.signal),
      options,
    );
  }

  /**
   * Compares the roots at two timestamps: which roots at `from` are not roots at `to`, and the reverse. Edits
   * at exactly these milliseconds are included. Either timestamp may be the earlier one. With `raw: true`, it
   * returns the server's own list: all roots that were replaced or created in between, including those that
   * were both, and some of them twice.
   *
   * @param options `from`, `to`, `raw`, and options of the call. Defaults: `to` is the volume's timestamp, or
   *   else now; `raw: false`.
   * @returns Root IDs in ascending order; with `raw`, in the server's order.
   * @throws TimestampError if the graph was made between the two timestamps, because the server does not list
   *   the roots that it began with; with `raw`, if `from` is later than `to`.
   */
  async deltaRoots({
    from,
    to,
    raw = false,
    ...options
  }: Omit<WindowOptions, 'from'> & { from: Timestamp; raw?: boolean }): Promise<DeltaRoots> {
    const fromMs = await this.context.resolveOptionalMs(from, options.signal);
    if (fromMs === undefined) throw new TypeError('from must be a timestamp in the past');
    const toMs = await this.context.resolveMs(to, options.signal);
    return raw
      ? rawDeltaRoots(this.context.api, fromMs, toMs, options)
      : deltaRoots(
          this.context.api,
          fromMs,
          toMs,
          () => findFirstRoots(this, this.context.api, this.context.parts.grid, options),
          options,
        );
  }

  /**
   * Counts the edits in the history of a root, by user. With `filtered: false`, it includes edits that do not
   * concern the root itself.
   *
   * @param root A root ID.
   * @param options `filtered`, and options of the call. Default: `filtered: true`.
   */
  async changeLog(
    root: bigint,
    { filtered = true, ...options }: CallOptions & { filtered?: boolean } = {},
  ): Promise<operations.ChangeLog> {
    return operations.changeLog(this.context.api, checkId(root), filtered, options);
  }

  /**
   * Returns the edits in the history of a root, oldest first. With `filtered: false`, it includes edits that
   * do not concern the root itself.
   *
   * @param root A root ID.
   * @param options `filtered`, and options of the call. Default: `filtered: true`.
   */
  async tabularChangeLog(
    root: bigint,
    options: CallOptions & { filtered?: boolean } = {},
  ): Promise<operations.RootOperation[]> {
    return (await this.tabularChangeLogs([root], options)).get(root)!;
  }

  /**
   * Returns the edits in the history of many roots, in one request.
   *
   * @param roots Root IDs.
   * @param options `filtered`, and options of the call. Default: `filtered: true`.
   * @returns For each root, its edits, oldest first.
   */
  async tabularChangeLogs(
    roots: Ids,
    { filtered = true, ...options }: CallOptions & { filtered?: boolean } = {},
  ): Promise<Map<bigint, operations.RootOperation[]>> {
    return operations.tabularChangeLogs(this.context.api, sortDistinct(checkIds(roots)), filtered, options);
  }

  /**
   * Returns the merges in the history of a root, with the edges that they added. It reads the details of the
   * operations, because the server's `merge_log` fails if the history has an undo.
   *
   * @param root A root ID.
   * @param options Options of the call.
   */
  async mergeLog(root: bigint, options: CallOptions = {}): Promise<operations.OperationDetails[]> {
    const log = await this.tabularChangeLog(root, { ...options, filtered: false });
    const merges = log.filter(({ isMerge }) => isMerge).map(({ operationId }) => operationId);
    const details = await this.operationDetails(merges, options);
    return merges.flatMap((operationId) => details.get(operationId) ?? []);
  }

  /**
   * Returns all edits of the table between two timestamps, oldest first. The user needs the permission to
   * view as an administrator. The log includes edits that failed or still run: the `status` in their details
   * tells.
   *
   * @param options `from`, `to`, and options of the call. Defaults: the whole log, until now.
   */
  async operations({ from, to, ...options }: WindowOptions = {}): Promise<operations.LoggedOperation[]> {
    return operations.operations(
      this.context.api,
      await this.context.resolveOptionalMs(from, options.signal),
      await this.context.resolveMs(to, options.signal),
      options,
    );
  }

  /**
   * Returns the edits of one user between two timestamps. The caller needs the permission to view as an
   * administrator. With `includeUndone: true`, it includes edits that were undone.
   *
   * @param userId The user's ID.
   * @param options `from`, `to`, `includeUndone`, and options of the call. Defaults: the whole log, until
   *   now; `includeUndone: false`.
   */
  async userOperations(
    userId: string | number,
    { from, to, includeUndone = false, ...options }: WindowOptions & { includeUndone?: boolean } = {},
  ): Promise<operations.Operation[]> {
    return operations.userOperations(
      this.context.api,
      String(userId),
      await this.context.resolveOptionalMs(from, options.signal),
      await this.context.resolveMs(to, options.signal),
      includeUndone,
      options,
    );
  }

  /**
   * Returns the details of operations. Operations that the log does not have are left out.
   *
   * @param operationIds Operation IDs, whole numbers from 1.
   * @param options Options of the call.
   * @returns For each operation ID, its details.
   */
  async operationDetails(
    operationIds: readonly number[],
    options: CallOptions = {},
  ): Promise<Map<number, operations.OperationDetails>> {
    return operations.operationDetails(this.context.api, operationIds.map(checkOperationId), options);
  }

  /**
   * Returns the time half a second before the first edit, if that edit is among the first hundred operations.
   * It is not the age of the graph: look-ups at earlier timestamps work.
   *
   * @param options Options of the call.
   * @returns Undefined if there is no such edit.
   */
  async oldestTimestamp(options: CallOptions = {}): Promise<Date | undefined> {
    return history.oldestTimestamp(this.context.api, options);
  }

  /**
   * Returns when a root was last edited, which is when it was created. Undefined for a root that the graph
   * began with.
   *
   * @param root A root ID.
   * @param options Options of the call.
   * @throws GraphError UNKNOWN_ID, also for an ID below the root layer.
   */
  async lastEdit(root: bigint, options: CallOptions = {}): Promise<Date | undefined> {
    const id = this.context.checkRoots(toIdList(root)),
      [madeMs] = await rootTimestamps(this.context.api, id, options);
    const { links } = await history.lineageWalk(this.context.api, id, madeMs, 0, options);
    return links.length > 0 ? new Date(madeMs) : undefined;
  }

  /**
   * Returns the roots at the timestamp that a root is related to by the history of edits: the later roots
   * that it became, the earlier roots that it was made from, or itself if it is a root then. An object that
   * was merged in and split off again counts as well; `suggestLatestRoots` weighs the results. An ID below
   * the root layer has no history, so the roots of its supervoxels at the timestamp are returned.
   *
   * @param root One ID; for many, the result is a Map.
   * @param options `timestamp`, and options of the call. Default: the volume's timestamp, or else now.
   * @returns Root IDs in ascending order.
   * @throws GraphError UNKNOWN_ID, also for an ID below the root layer without a root at the timestamp.
   */
  latestRoots(root: bigint, options?: TimedOptions): Promise<BigUint64Array>;
  /**
   * Returns the related roots of many IDs, in the same way.
   *
   * @param roots IDs of any layers.
   * @param options `timestamp`, and options of the call. Default: the volume's timestamp, or else now.
   * @returns For each ID, root IDs in ascending order.
   */
  latestRoots(roots: Ids, options?: TimedOptions): Promise<Map<bigint, BigUint64Array>>;
  async latestRoots(
    roots: bigint | Ids,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<BigUint64Array | Map<bigint, BigUint64Array>> {
    const list = sortDistinct(toIdList(roots)),
      timestampMs = await this.context.resolveMs(timestamp, options.signal),
      isRoot = (id: bigint): boolean => this.ids.layerOf(id) === this.nLayers;
    const [related, voted] = await Promise.all([
      findRelatedRoots(this.context.api, list.filter(isRoot), timestampMs, options),
      this.suggestLatestRoots(
        list.filter((id) => !isRoot(id)),
        { ...options, timestamp: new Date(timestampMs) },
      ),
    ]);
    for (const { root: id, suggestions } of voted) {
      if (suggestions.length === 0)
        throw this.context.unknownIdError(
          `${id} has no root at ${new Date(timestampMs).toISOString()}`,
          'roots_binary',
        );
      related.set(id, BigUint64Array.from(suggestions, ({ root }) => root).sort());
    }
    return typeof roots === 'bigint' ? related.get(roots)! : related;
  }

  /**
   * Returns the roots that a root was made from: those at `timestamp`, or those that the graph began with.
   *
   * @param root One root ID; for many, the result is a Map.
   * @param options `timestamp`, and options of the call. Default: the beginning of the graph.
   * @returns Root IDs in ascending order.
   * @throws GraphError UNKNOWN_ID, also for an ID below the root layer.
   */
  originalRoots(root: bigint, options?: TimedOptions): Promise<BigUint64Array>;
  /**
   * Returns the roots that many roots were made from, in the same way.
   *
   * @param roots Root IDs.
   * @param options `timestamp`, and options of the call. Default: the beginning of the graph.
   * @returns For each root, root IDs in ascending order.
   */
  originalRoots(roots: Ids, options?: TimedOptions): Promise<Map<bigint, BigUint64Array>>;
  async originalRoots(
    roots: bigint | Ids,
    { timestamp, ...options }: TimedOptions = {},
  ): Promise<BigUint64Array | Map<bigint, BigUint64Array>> {
    const list = this.context.checkRoots(sortDistinct(toIdList(roots)));
    const found =
      timestamp === undefined
        ? await findOriginals(this.context.api, list, options)
        : await findRelatedRoots(
            this.context.api,
            list,
            await this.context.resolveMs(timestamp, options.signal),
            options,
          );
    return typeof roots === 'bigint' ? found.get(roots)! : found;
  }

  /**
   * Suggests which roots have the parts of an ID at the timestamp. The parts vote: the layer-2 nodes of the
   * ID (and the supervoxels of those that edits replaced), or with `by: 'supervoxels'` all its supervoxels.
   * The ID may be of any layer and of any time. An ID below the root layer is never suggested itself, and a
   * supervoxel votes for its own root.
   *
   * @param root One ID; for many, the result is a list.
   * @param options `timestamp`, `by`, and options of the call. Defaults: the volume's timestamp, or else now;
   *   `by: 'level2'`.
   * @returns The suggested roots, and the share of the parts that each has.
   */
  suggestLatestRoots(
    root: bigint,
    options?: TimedOptions & { by?: 'level2' | 'supervoxels' },
  ): Promise<Suggestion>;
  /**
   * Suggests the roots of many IDs, in the same way.
   *
   * @param roots IDs of any layers.
   * @param options `timestamp`, `by`, and options of the call. Defaults: the volume's timestamp, or else now;
   *   `by: 'level2'`.
   * @returns One suggestion per ID, in order.
   */
  suggestLatestRoots(
    roots: Ids,
    options?: TimedOptions & { by?: 'level2' | 'supervoxels' },
  ): Promise<Suggestion[]>;
  async suggestLatestRoots(
    roots: bigint | Ids,
    { timestamp, by = 'level2', ...options }: TimedOptions & { by?: 'level2' | 'supervoxels' } = {},
  ): Promise<Suggestion | Suggestion[]> {
    if (by !== 'level2' && by !== 'supervoxels')
      throw new TypeError(`by must be 'level2' or 'supervoxels', not ${String(by)}`);
    const timestampMs = await this.context.resolveMs(timestamp, options.signal);
    const then = new Date(timestampMs);
    const suggestions = await suggestRoots(toIdList(roots), by === 'level2' ? 2 : 1, {
      isLatest: (ids) => this.isLatestRoots(ids, { ...options, timestamp: then }),
      layerOf: (id) => this.ids.layerOf(id),
      leavesMany: (ids, stopLayer) => this.leavesMany(ids, { ...options, stopLayer }),
      removeForeign: (parts) => this.removeForeign(parts, options),
      rootsAt: (ids, stopLayer) => this.roots(ids, { timestamp: then, stopLayer, signal: options.signal }),
    });
    return typeof roots === 'bigint' ? suggestions[0] : suggestions;
  }
}
