/**
 * When a root came and went. `is_latest_roots` and `root_timestamps` look at what is older than their timestamp, where root look-ups include
 * an edit made at it: `toExclusiveUnixSeconds` makes up for that, so that all answers for one moment are about one state.
 */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { toExclusiveUnixSeconds } from '../timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';

/** IDs in one request. */
const BATCH = 50_000;

/** In batches, in order, the calls under the cap. */
async function batched<T>(ids: BigUint64Array, size: number, ask: (batch: BigUint64Array) => Promise<T>): Promise<T[]> {
  const calls: Promise<T>[] = [];
  for (let start = 0; start < ids.length; start += size) calls.push(ask(ids.subarray(start, start + size)));
  return Promise.all(calls);
}

/**
 * Whether each ID is a root at a moment, an edit of that very millisecond included. Whatever is no root, or not yet, is false.
 * @param timestampMs In ms since 1970.
 * @throws GraphError; `signal.reason`.
 */
export async function isLatestRoots(api: Endpoints, ids: BigUint64Array, timestampMs: number, options?: CallOptions): Promise<boolean[]> {
  const answers = await batched(ids, BATCH, (batch) =>
    api.json(
      z.object({ is_latest: z.array(z.boolean()).length(batch.length) }),
      { method: 'POST', path: 'is_latest_roots', query: { timestamp: toExclusiveUnixSeconds(timestampMs) }, body: { node_ids: batch } },
      options,
    ),
  );
  return answers.flatMap(({ is_latest }) => is_latest);
}

const times = z.object({ timestamp: z.array(z.number()) });

/**
 * When each root was made, in ms since 1970.
 * @throws GraphError UNKNOWN_ID when one is no node of the graph; `signal.reason`.
 */
export async function rootTimestamps(api: Endpoints, ids: BigUint64Array, options?: CallOptions): Promise<Float64Array> {
  return askTimes(api, ids, {}, 0, options);
}

/**
 * The last millisecond, in ms since 1970, at which each was a root; for those that still are at `timestampMs`: that.
 * @throws GraphError UNKNOWN_ID when one is none of the graph at that moment; `signal.reason`.
 */
export async function lastRootTimestamps(api: Endpoints, ids: BigUint64Array, timestampMs: number, options?: CallOptions): Promise<Float64Array> {
  return askTimes(api, ids, { latest: true, timestamp: toExclusiveUnixSeconds(timestampMs) }, 1, options);
}

async function askTimes(api: Endpoints, ids: BigUint64Array, query: Record<string, string | boolean>, lessMs: number, options?: CallOptions): Promise<Float64Array> {
  const path = 'root_timestamps';
  const answers = await batched(ids, BATCH, async (batch) => {
    const { timestamp } = await api.json(times, { method: 'POST', path, query, body: { node_ids: batch } }, options);
    const url = `${api.server.path.tableUrl}/${path}`;
    // The server's way to say that it knows none of them.
    if (timestamp.length === 0) throw new GraphError('UNKNOWN_ID', `${url}: the graph has no root among the ${batch.length} IDs from ${batch[0]} on`, url, 200);
    return api.check(times.shape.timestamp.length(batch.length), timestamp, { path }, 200);
  });
  return Float64Array.from(answers.flat(), (value) => Math.round(value * 1000) - lessMs);
}

