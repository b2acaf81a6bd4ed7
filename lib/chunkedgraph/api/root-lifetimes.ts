/**
 * Requests when roots were created and replaced. `is_latest_roots` and `root_timestamps` exclude edits at
 * exactly their timestamp, while root look-ups include them. The timestamps that are sent make up for that,
 * so all answers for one timestamp describe the same state.
 */
import * as z from 'zod/mini';
import { GraphError } from '../../base/errors.ts';
import { requestLatestRoots } from '../server/latest-roots-request.ts';
import { LAST_TIMESTAMP_MS, toExclusiveUnixSeconds } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';

/** Most IDs in one request. */
const BATCH = 50_000;

/** Sends IDs in batches. The results are in order. */
async function batched<T>(
  ids: BigUint64Array,
  size: number,
  send: (batch: BigUint64Array) => Promise<T>,
): Promise<T[]> {
  const calls: Promise<T>[] = [];
  for (let start = 0; start < ids.length; start += size) calls.push(send(ids.subarray(start, start + size)));
  return Promise.all(calls);
}

/**
 * Checks whether each ID is a root at a timestamp. An edit at exactly that millisecond is included. An ID
 * that is not a root, or not yet, is false.
 *
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
const timeList = z.array(z.number());
const times = z.object({ timestamp: timeList });

/**
 * Returns when each root was created, in ms since 1970.
 *
 * @throws GraphError UNKNOWN_ID if an ID is not a node of the graph; `signal.reason`.
 */
export async function rootTimestamps(
  api: Endpoints,
  ids: BigUint64Array,
  options?: CallOptions,
): Promise<Float64Array> {
  return requestTimes(api, ids, {}, options);
}

/**
 * Returns the last millisecond at which each was a root, in ms since 1970. For a root that still is one at
 * `timestampMs`, that is `timestampMs`.
 *
 * The request is about the millisecond after it. A server that excludes its timestamp answers that
 * millisecond for a root that still is one, and otherwise when the root was replaced. A server that includes
 * its timestamp may name exactly that millisecond as the replacement, which has the same meaning. But it also
 * knows roots that were created only then, so the creation times are checked first.
 *
 * @throws GraphError UNKNOWN_ID if an ID is not in the graph at that timestamp; `signal.reason`.
 */
export async function lastRootTimestamps(
  api: Endpoints,
  ids: BigUint64Array,
  timestampMs: number,
  options?: CallOptions,
): Promise<Float64Array> {
  return (await rootLifetimes(api, ids, timestampMs, options)).last;
}

/**
 * Returns both: when each root was created, and until when it was a root, up to `timestampMs`. @throws The
 * errors of {@link lastRootTimestamps}.
 */
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
      `${id} has been a root since ${since}, and was not a root at ${new Date(timestampMs).toISOString()}`,
      api.urlOf(TIMES),
      200,
    );
  }
  const times = await requestTimes(
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

async function requestTimes(
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
    // An empty list is the server's way to say that it knows none of the IDs.
    if (timestamp.length === 0)
      throw new GraphError(
        'UNKNOWN_ID',
        `${url}: the graph has none of the ${batch.length} IDs that start with ${batch[0]}`,
        url,
        200,
      );
    return api.check(timeList.check(z.length(batch.length)), timestamp, { path: TIMES }, 200);
  });
  return Float64Array.from(answers.flat(), (value) => Math.round(value * 1000));
}
