/**
 * Measures the memory and the speed of a root cache of N entries.
 *
 *   node --expose-gc --import tsx bench/root-cache.ts [--entries 10000000] [--roots 100000]
 *
 * A function in this process replaces the server and takes almost no time, so only the work of the cache is
 * timed.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { wordsOf } from '../lib/base/uint64.ts';
import { IdLayout } from '../lib/chunkedgraph/ids/id-layout.ts';
import { RootCache } from '../lib/chunkedgraph/root-cache/root-cache.ts';
import type { RootSource } from '../lib/chunkedgraph/roots/root-source.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: { entries: { type: 'string', default: '10000000' }, roots: { type: 'string', default: '100000' } },
});
const entries = Number(args.entries),
  roots = Number(args.roots),
  BATCH = 1_000_000;
const SEEN_MS = 1_700_000_000_000,
  LATER_MS = SEEN_MS + 60_000;

/**
 * Returns the next batch of supervoxels, of many graph chunks in mixed order. The low word of an ID gives its
 * root.
 */
function makeBatch(start: number): BigUint64Array {
  const ids = new BigUint64Array(Math.min(BATCH, entries - start)),
    words = wordsOf(ids);
  for (let i = 0; i < ids.length; i++) {
    const scattered = Math.imul(start + i, 0x9e3779b1) >>> 0;
    words[2 * i] = start + i;
    words[2 * i + 1] = 0x01000000 | (scattered & 0xffff);
  }
  return ids;
}
const source: RootSource = {
  lookUp: async (ids, options) => {
    const rootIds = new BigUint64Array(ids.length),
      words = wordsOf(ids),
      out = wordsOf(rootIds);
    for (let i = 0; i < ids.length; i++) {
      out[2 * i] = 1 + ((Math.imul(words[2 * i], 0x85ebca6b) >>> 0) % roots);
      out[2 * i + 1] = 0x06000000;
    }
    return {
      timestampMs: options!.timestampMs!,
      settled: true,
      rootIds,
      outcomes: new Uint8Array(ids.length),
      failures: [],
      distinct: ids.length,
      requests: 1,
    };
  },
};
const open = (): RootCache =>
  new RootCache(
    {
      source,
      history: {
        isLatest: async (rootIds) => new Uint8Array(rootIds.length).fill(1),
        createdMs: async (rootIds) => new Float64Array(rootIds.length),
      },
      graph: 'bench',
      nLayers: 6,
      ids: new IdLayout({ layerBits: 8, spatialBits: new Map() }),
      windowClock: { now: () => LATER_MS + 1e6, isSettled: () => true },
    },
    { maxEntries: entries },
  );

async function pass(cache: RootCache, timestampMs: number): Promise<{ perSecond: number; cached: number }> {
  let seconds = 0,
    cached = 0;
  for (let start = 0; start < entries; start += BATCH) {
    const ids = makeBatch(start),
      began = performance.now();
    const answer = await cache.lookUp(ids, { timestampMs });
    seconds += (performance.now() - began) / 1000;
    cached += answer.cached!;
    const expected = await source.lookUp(ids, { timestampMs });
    if (Buffer.compare(new Uint8Array(answer.rootIds.buffer), new Uint8Array(expected.rootIds.buffer)) !== 0)
      throw new Error('a wrong root');
  }
  return { perSecond: entries / seconds, cached };
}

const million = (n: number): string => (n / 1e6).toFixed(1);
const memory = (): number => (global.gc?.(), process.memoryUsage().arrayBuffers);
const before = memory();
const cache = open();
const rows: [string, string][] = [];
rows.push([
  'first look-up, million IDs/s, without a server',
  million((await pass(cache, SEEN_MS)).perSecond),
]);
const { bytes, entries: held } = cache.stats;
rows.push(
  ['bytes per entry', (bytes / held).toFixed(1)],
  ['bytes per entry, as the process counts them', ((memory() - before) / held).toFixed(1)],
);
for (const [name, timestampMs] of [
  ['second look-up', SEEN_MS],
  ['a minute later, all roots checked and current', LATER_MS],
  ['second look-up a minute later', LATER_MS],
] as const) {
  const { perSecond, cached } = await pass(cache, timestampMs);
  if (cached !== entries) throw new Error(`${entries - cached} IDs were not in the cache`);
  rows.push([`${name}, million IDs/s`, million(perSecond)]);
}
const folder = mkdtempSync(join(tmpdir(), 'root-cache-')),
  file = join(folder, 'roots');
try {
  let began = performance.now();
  await cache.save(file);
  rows.push(
    ['saving, s', ((performance.now() - began) / 1000).toFixed(1)],
    ['file, MB', (statSync(file).size / 1e6).toFixed(0)],
  );
  const loaded = open();
  began = performance.now();
  if ((await loaded.load(file)) !== entries) throw new Error('not all entries were loaded');
  rows.push(['loading, s', ((performance.now() - began) / 1000).toFixed(1)]);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(
  `${machine()}\n\n${held.toLocaleString('en-US')} entries, ${cache.stats.roots.toLocaleString('en-US')} roots.\n`,
);
console.log(['| | |', '|---|--:|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'));
