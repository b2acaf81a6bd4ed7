/**
 * Compares the roots at two timestamps. Source: PyChunkedGraph, pychunkedgraph/graph/misc.py,
 * `get_proofread_root_ids`.
 */
import * as z from 'zod/mini';
import { TimestampError } from '../../base/errors.ts';
import { toUnixSeconds } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { oldestTimestamp } from './history.ts';
import { LOG_LAG_MS } from './operations.ts';
import { isLatestRoots, rootTimestamps } from './root-lifetimes.ts';
import { ids as idList } from './reply-schemas.ts';

/** The difference between the roots at two timestamps. */
export interface DeltaRoots {
  /** Roots at the first timestamp that are not roots at the second. */
  oldRoots: BigUint64Array;
  /** Roots at the second timestamp that are not roots at the first. */
  newRoots: BigUint64Array;
}

const delta = z.object({ old_roots: idList, new_roots: idList });

/**
 * Returns all roots that were replaced or created by operations in the log from `fromMs` to `toMs`, both
 * included. A root that was created and then replaced is in both lists; some roots occur twice.
 */
export async function rawDeltaRoots(
  api: Endpoints,
  fromMs: number,
  toMs: number,
  options: CallOptions,
): Promise<DeltaRoots> {
  if (fromMs > toMs)
    throw new TimestampError(
      `from, ${iso(fromMs)}, is later than to, ${iso(toMs)}: the server lists edits from one timestamp to a later one`,
    );
  const query = { timestamp_past: toUnixSeconds(fromMs), timestamp_future: toUnixSeconds(toMs) };
  const { old_roots: oldRoots, new_roots: newRoots } = await api.json(
    delta,
    { path: 'delta_roots', query },
    options,
  );
  return { oldRoots, newRoots };
}

/**
 * Compares the roots at two timestamps, in either order. The log is ordered by when it was written, so it
 * only tells which roots to check. `is_latest_roots` then decides for both timestamps.
 *
 * @param firstRoots Returns some roots that the graph began with; none if no node is found.
 * @throws TimestampError if the graph was made between the timestamps, because the server does not list the
 *   roots that it began with.
 */
export async function deltaRoots(
  api: Endpoints,
  fromMs: number,
  toMs: number,
  firstRoots: () => Promise<BigUint64Array>,
  options: CallOptions,
): Promise<DeltaRoots> {
  if (fromMs > toMs) {
    const { oldRoots, newRoots } = await deltaRoots(api, toMs, fromMs, firstRoots, options);
    return { oldRoots: newRoots, newRoots: oldRoots };
  }
  const raw = await rawDeltaRoots(api, fromMs, toMs + LOG_LAG_MS, options);
  const touched = BigUint64Array.from(new Set([...raw.oldRoots, ...raw.newRoots])).sort();
  const [before, after] = await Promise.all([
    isLatestRoots(api, touched, fromMs, options),
    isLatestRoots(api, touched, toMs, options),
  ]);
  if (!before.includes(true)) await checkBegun(api, fromMs, toMs, firstRoots, options);
  return {
    oldRoots: touched.filter((_id, k) => before[k] && !after[k]),
    newRoots: touched.filter((_id, k) => !before[k] && after[k]),
  };
}

/** How far `oldest_timestamp` is before the first edit. */
const LEAD_MS = 500;

/**
 * Checks that the graph was already made at `fromMs`, or not yet at `toMs`. @throws TimestampError if not.
 */
async function checkBegun(
  api: Endpoints,
  fromMs: number,
  toMs: number,
  firstRoots: () => Promise<BigUint64Array>,
  options: CallOptions,
): Promise<void> {
  const oldest = (await oldestTimestamp(api, options))?.getTime();
  if (oldest !== undefined && oldest + LEAD_MS <= fromMs) return;
  const replaced = oldest === undefined ? new BigUint64Array(0) : await firstReplaced(api, oldest, options);
  const first = replaced.length > 0 ? replaced : await firstRoots();
  if (first.length === 0)
    throw new TimestampError(
      `it is unknown whether the graph existed at ${iso(fromMs)}: it has no edits, and no node was found`,
    );
  const made = await rootTimestamps(api, first, options),
    begunMs = Math.max(...made);
  if (begunMs <= fromMs || toMs < Math.min(...made)) return;
  throw new TimestampError(
    `${iso(fromMs)} is before ${iso(begunMs)}, when the graph was made, and the server does not list the roots that it began with`,
  );
}

/** Returns roots that the first edits replaced and that no edit had created. */
async function firstReplaced(
  api: Endpoints,
  oldestMs: number,
  options: CallOptions,
): Promise<BigUint64Array> {
  const { oldRoots, newRoots } = await rawDeltaRoots(api, oldestMs, oldestMs + LOG_LAG_MS, options),
    made = new Set(newRoots);
  return oldRoots.filter((root) => !made.has(root));
}

const iso = (ms: number): string => new Date(ms).toISOString();
