/** What was edited, and what became of roots: the third part of `volume.graph`. */
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

/** See `ChunkedGraph`. */
export class GraphHistory extends GraphNodes {
  /**
   * How roots came out of one another: replaced → replacing, as far as `from` and `to`; nodes just beyond them that are linked are kept.
   * @throws GraphError UNKNOWN_ID, too, for an ID below the roots.
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

  /** Of each root those that its parts had at `timestampPast`; one request each. The server heeds no moment in the future of it. */
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
   * Roots at `from` that are no more at `to`, and roots at `to` that were not yet at `from`, ascending; edits of those very milliseconds
   * have happened. Either may be the earlier moment. With `raw: true` what the server says of a window: all that were replaced or made in
   * between, also both, also twice.
   * @throws TimestampError when the graph was made between the two, as the server does not list the roots that it began with; with `raw`, when
   *   `from` is later than `to`.
   */
  async deltaRoots({
    from,
    to,
    raw = false,
    ...options
  }: Omit<WindowOptions, 'from'> & { from: Timestamp; raw?: boolean }): Promise<DeltaRoots> {
    const fromMs = await this.context.resolveOptionalMs(from, options.signal);
    if (fromMs === undefined) throw new TypeError('from is a moment in the past');
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

  /** How much was edited in the history of a root, and by whom. @param options.filtered Only what concerns the root itself. @default true */
  async changeLog(
    root: bigint,
    { filtered = true, ...options }: CallOptions & { filtered?: boolean } = {},
  ): Promise<operations.ChangeLog> {
    return operations.changeLog(this.context.api, checkId(root), filtered, options);
  }

  /** The edits in the history of a root, oldest first. @param options.filtered Only those that concern the root itself. @default true */
  async tabularChangeLog(
    root: bigint,
    options: CallOptions & { filtered?: boolean } = {},
  ): Promise<operations.RootOperation[]> {
    return (await this.tabularChangeLogs([root], options)).get(root)!;
  }

  /** The same of many roots in one request. */
  async tabularChangeLogs(
    roots: Ids,
    { filtered = true, ...options }: CallOptions & { filtered?: boolean } = {},
  ): Promise<Map<bigint, operations.RootOperation[]>> {
    return operations.tabularChangeLogs(this.context.api, sortDistinct(checkIds(roots)), filtered, options);
  }

  /** The merges in the history of a root, with the edges they added; `merge_log` fails when there was an undo. */
  async mergeLog(root: bigint, options: CallOptions = {}): Promise<operations.OperationDetails[]> {
    const log = await this.tabularChangeLog(root, { ...options, filtered: false });
    const merges = log.filter(({ isMerge }) => isMerge).map(({ operationId }) => operationId);
    const details = await this.operationDetails(merges, options);
    return merges.flatMap((operationId) => details.get(operationId) ?? []);
  }

  /**
   * All edits of the table from one moment to another, oldest first; needs the permission to view as an administrator. Those that failed or
   * are under way are in the log, too: the `status` of their details tells.
   */
  async operations({ from, to, ...options }: WindowOptions = {}): Promise<operations.LoggedOperation[]> {
    return operations.operations(
      this.context.api,
      await this.context.resolveOptionalMs(from, options.signal),
      await this.context.resolveMs(to, options.signal),
      options,
    );
  }

  /** Edits of one user; needs the permission to view as an administrator. @param options.includeUndone @default false */
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

  /** Of each operation that the log has, what it did. */
  async operationDetails(
    operationIds: readonly number[],
    options: CallOptions = {},
  ): Promise<Map<number, operations.OperationDetails>> {
    return operations.operationDetails(this.context.api, operationIds.map(checkOperationId), options);
  }

  /**
   * Half a second before the first edit, if that is among the first hundred operations; undefined where there is none. Not the graph's
   * age: earlier moments are good to ask about.
   */
  async oldestTimestamp(options: CallOptions = {}): Promise<Date | undefined> {
    return history.oldestTimestamp(this.context.api, options);
  }

  /**
   * When a root was last edited: when it was made, unless it was there from the beginning.
   * @throws GraphError UNKNOWN_ID, too, for an ID below the roots.
   */
  async lastEdit(root: bigint, options: CallOptions = {}): Promise<Date | undefined> {
    const id = this.context.checkRoots(toIdList(root)),
      [madeMs] = await rootTimestamps(this.context.api, id, options);
    const { links } = await history.lineageWalk(this.context.api, id, madeMs, 0, options);
    return links.length > 0 ? new Date(madeMs) : undefined;
  }

  /**
   * The roots that hold what a root held, at the moment, as the history of edits has it: later ones that it became, earlier ones it was
   * made of, itself where it is one. What was merged in and split off again counts as well: `suggestLatestRoots` weighs them. An ID below the
   * roots has no history: of it those are meant that hold its supervoxels at the moment.
   */
  latestRoots(root: bigint, options?: TimedOptions): Promise<BigUint64Array>;
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
   * The roots that a root was made of: at `timestamp`, or in the beginning.
   * @throws GraphError UNKNOWN_ID, too, for an ID below the roots.
   */
  originalRoots(root: bigint, options?: TimedOptions): Promise<BigUint64Array>;
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
   * Which roots hold the parts of a root at the moment, by a vote of its layer-2 nodes (and of the supervoxels of those that edits
   * replaced), or of all supervoxels. Any node will do, of any moment and any layer: what is below the roots is never suggested itself, and a
   * supervoxel votes for its own root.
   * @param options.by @default 'level2'
   */
  suggestLatestRoots(
    root: bigint,
    options?: TimedOptions & { by?: 'level2' | 'supervoxels' },
  ): Promise<Suggestion>;
  suggestLatestRoots(
    roots: Ids,
    options?: TimedOptions & { by?: 'level2' | 'supervoxels' },
  ): Promise<Suggestion[]>;
  async suggestLatestRoots(
    roots: bigint | Ids,
    { timestamp, by = 'level2', ...options }: TimedOptions & { by?: 'level2' | 'supervoxels' } = {},
  ): Promise<Suggestion | Suggestion[]> {
    if (by !== 'level2' && by !== 'supervoxels')
      throw new TypeError(`by is 'level2' or 'supervoxels', not ${String(by)}`);
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
