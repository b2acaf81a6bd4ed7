/** Looks up the roots of supervoxels, and what became of roots, as a caller sees a graph. */
import type { GrapheneVolume } from '../../graphene/graphene-volume.ts';
import type { RootOptions } from '../../graphene/option-types.ts';
import { outputNames } from '../../jobs/columns.ts';
import { createLatestLookup } from '../../jobs/latest-lookup.ts';
import { resolveJobTimestamp } from '../../lookup-table/open-volume.ts';
import type { Caller } from '../access/caller.ts';
import type { BodyIds } from '../bodies/body-rows.ts';
import type { ReplyColumn } from '../bodies/reply-columns.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { ServedVolume } from '../volumes.ts';
import { applyPreset, type Answered, type LookUp } from './look-up.ts';

/** Returns the graph of a volume as a caller sees it. @throws HttpRefusal 400 without a graph; 403. */
export function graphOf(served: ServedVolume, caller: Caller): GrapheneVolume {
  if (!served.opened.graph) throw new HttpRefusal(400, `${served.name} has no graph, and so no roots`);
  const graph = caller.graphFor(served);
  if (!graph) throw new HttpRefusal(403, `you may not ask for roots of ${served.name}`);
  return graph;
}

/** A look-up whose batches follow each other, all at the timestamp of the first. */
function inTurn(
  columns: readonly ReplyColumn[],
  ask: (rows: BodyIds, timestamp: Date | undefined, signal: AbortSignal) => Promise<Answered>,
): LookUp<BigUint64Array> {
  return {
    columns,
    once: (rows, signal) => ask(rows, undefined, signal),
    async *stream(batches, signal) {
      let timestamp: Date | undefined;
      for await (const rows of batches) {
        const answered = await ask(rows, timestamp, signal);
        timestamp = answered.timestamp;
        yield answered;
      }
    },
  };
}

/** Prepares the look-up of roots. */
export function createRootsLookUp(
  graph: GrapheneVolume,
  { timestamp, stopLayer, validate }: Pick<RootOptions, 'timestamp' | 'stopLayer' | 'validate'>,
): LookUp<BigUint64Array> {
  const [, root, status] = outputNames({ kind: 'graph', stopLayer });
  return inTurn(
    [
      { name: root, kind: 'id' },
      { name: status, kind: 'status' },
    ],
    async ({ values, count, preset }, pinned, signal) => {
      const found = await graph.roots(values, {
        timestamp: pinned ?? timestamp,
        stopLayer,
        validate,
        onError: 'status',
        borrow: true,
        signal,
      });
      applyPreset(found.status, preset);
      return {
        timestamp: found.timestamp,
        status: found.status,
        stats: found.stats,
        batch: { rows: count, columns: [found.rootIds, found.status] },
      };
    },
  );
}

/** Prepares the look-up of what became of roots: the same as the command `latest`, and `is_latest`. */
export function createLatestRootsLookUp(
  graph: GrapheneVolume,
  timestamp: RootOptions['timestamp'],
): LookUp<BigUint64Array> {
  const columns: ReplyColumn[] = [
    { name: 'is_latest', kind: 'flag' },
    { name: 'latest_root_id', kind: 'id' },
    { name: 'confidence', kind: 'number' },
    { name: 'status', kind: 'status' },
  ];
  return inTurn(columns, async ({ values, count, preset }, pinned, signal) => {
    const at = pinned ?? (await resolveJobTimestamp(timestamp, graph, signal)) ?? graph.now();
    const lookup = createLatestLookup(
      {
        now: () => graph.now(),
        isLatest: (ids, when, stop) =>
          graph.graph.isLatestRoots(ids, { timestamp: when, borrow: true, signal: stop }),
        suggest: (ids, when, stop) => graph.graph.suggestLatestRoots(ids, { timestamp: when, signal: stop }),
      },
      { timestamp: at },
    );
    const none = new Uint8Array(count);
    const { columns: found, status } = await lookup.lookUp(
      {
        ids: [values],
        presetStatus: [preset ?? none],
        earlierStatus: none,
        points: new Float64Array(0),
        pointStatus: none,
      },
      signal,
    );
    applyPreset(status, preset);
    const [latest, confidence, changed] = found.map((column) => column.values);
    // 0: not changed, 1: changed, 2: not known.
    const isLatest = (changed as Uint8Array).map((code) => (code === 2 ? 2 : 1 - code));
    return {
      timestamp: at,
      status,
      batch: {
        rows: count,
        columns: [isLatest, latest as BigUint64Array, confidence as Float64Array, status],
      },
    };
  });
}
