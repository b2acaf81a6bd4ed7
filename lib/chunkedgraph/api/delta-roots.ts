/** Which roots came and went between two moments. Source: PyChunkedGraph, pychunkedgraph/graph/misc.py, `get_proofread_root_ids`. */
import * as z from 'zod';
import { TimestampError } from '../../base/errors.ts';
import { toUnixSeconds } from '../ids/timestamp.ts';
import type { CallOptions, Endpoints } from './endpoints.ts';
import { oldestTimestamp } from './history.ts';
import { LOG_LAG_MS } from './operations.ts';
import { isLatestRoots, rootTimestamps } from './root-lifetimes.ts';
import { ids as idList } from './reply-schemas.ts';

export interface DeltaRoots {
  oldRoots: BigUint64Array;
  newRoots: BigUint64Array;
}

const delta = z.object({ old_roots: idList, new_roots: idList });

/** All roots that operations logged from `fromMs` to `toMs`, both included, replaced or made: those in between in both lists, some twice. */
export async function rawDeltaRoots(
  api: Endpoints,
  fromMs: number,
  toMs: number,
  options: CallOptions,
): Promise<DeltaRoots> {
  if (fromMs > toMs)
    throw new TimestampError(
      `from, ${iso(fromMs)}, is later than to, ${iso(toMs)}: the server lists what was done from one moment to a later one`,
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
 * Roots that were at one moment and are not at the other, and the reverse; either moment may be the earlier one. The log goes by when it was
 * written: it only says which roots to look at, and `is_latest_roots` decides about both moments.
 *
 * @param firstRoots Some roots that the graph began with; none when no node is found.
 * @throws TimestampError when the graph was made between the moments: nobody lists the roots that it began with.
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

/** `oldest_timestamp` is so much before the first edit. */
const LEAD_MS = 500;

/** @throws TimestampError unless the graph had been made at `fromMs`, or had not at `toMs`. */
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
      `nothing tells whether the graph had been made at ${iso(fromMs)}: it has no edits, and no node was found`,
    );
  const made = await rootTimestamps(api, first, options),
    begunMs = Math.max(...made);
  if (begunMs <= fromMs || toMs < Math.min(...made)) return;
  throw new TimestampError(
    `${iso(fromMs)} is before ${iso(begunMs)}, when the graph was made, and the server has no list of the roots that it began with`,
  );
}

/** Roots that the first edits replaced and none had made. */
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
