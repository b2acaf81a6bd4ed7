/**
 * When a root came and went. `is_latest_roots` and `root_timestamps` look at what is older than their timestamp, where root look-ups include
 * an edit made at it: what they are asked makes up for that, so that all answers for one moment are about one state.
 */
import * as z from 'zod';
import { GraphError } from '../../base/errors.ts';
import { requestLatestRoots } from '../server/latest-roots-request.ts';
import { LAST_TIMESTAMP_MS, toExclusiveUnixSeconds } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';

/** IDs in one request. */
const BATCH = 50_000;

/** In batches, in order, the calls under the cap. */
async function batched<T>(
  ids: BigUint64Array,
  size: number,
  ask: (batch: BigUint64Array) => Promise<T>,
): Promise<T[]> {
  const calls: Promise<T>[] = [];
  for (let start = 0; start < ids.length; start += size) calls.push(ask(ids.subarray(start, start + size)));
  return Promise.all(calls);
}

/**
 * Whether each ID is a root at a moment, an edit of that very millisecond included. Whatever is no root, or not yet, is false.
 * @param timestampMs In ms since 1970.
 * @throws GraphError; `signal.reason`.
 */
export async function isLatestRoots(
  api: Endpoints,
  ids: BigUint64Array,
  timestampMs: number,
  options?: CallOptions,
): Promise<boolean[]> {
  const latest = await batched(ids, BATCH, (batch) =>
    requestLatestRoots(
      api.server,
      batch,
      timestampMs,
      (question) => api.reply(question, options),
      options?.signal,
    ),
  );
  return latest.flat();
}

const TIMES = 'root_timestamps';
const times = z.object({ timestamp: z.array(z.number()) });

/**
 * When each root was made, in ms since 1970.
 * @throws GraphError UNKNOWN_ID when one is no node of the graph; `signal.reason`.
 */
export async function rootTimestamps(
  api: Endpoints,
  ids: BigUint64Array,
  options?: CallOptions,
): Promise<Float64Array> {
  return askTimes(api, ids, {}, options);
}

/**
 * The last millisecond, in ms since 1970, at which each was a root; for those that still are at `timestampMs`: that.
 *
 * The millisecond after it is asked about. A server that excludes its timestamp answers that one for a root that still is; for one that
 * was replaced, when. One that includes it may name the very millisecond as when it was replaced, which comes to the same; but it knows
 * roots that were made only then, and so do we by when they were made.
 * @throws GraphError UNKNOWN_ID when one is none of the graph at that moment; `signal.reason`.
 */
export async function lastRootTimestamps(
  api: Endpoints,
  ids: BigUint64Array,
  timestampMs: number,
  options?: CallOptions,
): Promise<Float64Array> {
  return (await rootLifetimes(api, ids, timestampMs, options)).last;
}

/** Both: when each was made, and until when it was a root, as far as `timestampMs`. @throws as {@link lastRootTimestamps}. */
export async function rootLifetimes(
  api: Endpoints,
  ids: BigUint64Array,
  timestampMs: number,
  options?: CallOptions,
): Promise<{ made: Float64Array; last: Float64Array }> {
  const made = await rootTimestamps(api, ids, options),
    tooNew = made.findIndex((ms) => ms > timestampMs);
  if (tooNew >= 0) {
    const [id, since] = [ids[tooNew], new Date(made[tooNew]).toISOString()];
    throw new GraphError(
      'UNKNOWN_ID',
      `${id} is a root since ${since}, and was none at ${new Date(timestampMs).toISOString()}`,
      api.urlOf(TIMES),
      200,
    );
  }
  const times = await askTimes(
    api,
    ids,
    { latest: true, timestamp: toExclusiveUnixSeconds(timestampMs) },
    options,
  );
  return {
    made,
    last: times.map((ms) => (ms > timestampMs || ms === LAST_TIMESTAMP_MS ? timestampMs : ms - 1)),
  };
}

async function askTimes(
  api: Endpoints,
  ids: BigUint64Array,
  query: Record<string, string | boolean>,
  options?: CallOptions,
): Promise<Float64Array> {
  const answers = await batched(ids, BATCH, async (batch) => {
    const { timestamp } = await api.json(
      times,
      { method: 'POST', path: TIMES, query, body: { node_ids: batch } },
      options,
    );
    const url = api.urlOf(TIMES);
    // The server's way to say that it knows none of them.
    if (timestamp.length === 0)
      throw new GraphError(
        'UNKNOWN_ID',
        `${url}: the graph has no root among the ${batch.length} IDs from ${batch[0]} on`,
        url,
        200,
      );
    return api.check(times.shape.timestamp.length(batch.length), timestamp, { path: TIMES }, 200);
  });
  return Float64Array.from(answers.flat(), (value) => Math.round(value * 1000));
}
