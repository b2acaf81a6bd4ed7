/**
 * What does it cost to fill a disk cache, and how much time does it save?
 *
 *   npm run build && tsx bench/disk-cache.ts [--runs 3] [--only REGEXP] [--set walks|uniform] [--against DIST] [--note TEXT] [--add]
 *
 * Each volume of `cache-volumes.ts` is read in fresh processes that take turns: without a cache, filling an empty one, and from the full
 * one. `--add` keeps the rows of other volumes in the report. `--against` names the `dist` folder of another version, which reads without a cache in the same rounds.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheStats } from '../lib/cache/cache-maintenance.ts';
import { ENCODINGS, makeCacheVolumes, SHAPES, STORAGES, volumeName, type Shape } from './cache-volumes.ts';
import { HERE, measure, median, spread, startServer, type Measured } from './harness.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    set: { type: 'string', default: 'walks' },
    against: { type: 'string' },
    note: { type: 'string', default: '' },
    add: { type: 'boolean', default: false },
  },
});
const DIST = join(HERE, '../dist'),
  VOLUMES = join(HERE, '.work/cache-volumes');

await makeCacheVolumes(VOLUMES);
const server = await startServer(VOLUMES);
const rows: string[] = [];
/** All caches are deleted at the end: some file systems make new files slowly for minutes after many were deleted. */
const caches: string[] = [];

const run = async (dist: string, volume: string, shape: Shape, cache?: string): Promise<Measured> => {
  const points = join(VOLUMES, `${args.set}_${shape}`);
  const parameters = ['--dist', dist, '--base', server.base, '--volume', volume, '--points', points];
  const script = join(HERE, 'measure-cache.mjs');
  return (
    await measure(server, process.execPath, [script, ...parameters, ...(cache ? ['--cache', cache] : [])])
  ).cold;
};

async function measureVolume(volume: string, shape: Shape): Promise<string> {
  const runs = {
    before: [] as Measured[],
    none: [] as Measured[],
    fill: [] as Measured[],
    read: [] as Measured[],
  };
  let megabytes = 0;
  for (let round = 0; round < Number(args.runs); round++) {
    const cache = mkdtempSync(join(tmpdir(), 'graphene-points-bench-cache-'));
    caches.push(cache);
    if (args.against) runs.before.push(await run(args.against, volume, shape));
    runs.none.push(await run(DIST, volume, shape));
    runs.fill.push(await run(DIST, volume, shape, cache));
    runs.read.push(await run(DIST, volume, shape, cache));
    megabytes = (await cacheStats(cache)).bytes / 1e6;
  }
  const cell = (of: readonly Measured[]): string =>
    of.length === 0
      ? ''
      : `${spread(
          of.map((one) => one.wall_s),
          2,
        )}, ${median(of.map((one) => one.cpu_s)).toFixed(2)}`;
  const ratio = (of: readonly Measured[], to: readonly Measured[]): string =>
    median(of.map((one, k) => one.wall_s / to[k].wall_s)).toFixed(2);
  const cold = args.against ? runs.before : runs.none;
  return [
    volume,
    cell(runs.before),
    cell(runs.none),
    cell(runs.fill),
    cell(runs.read),
    ratio(runs.fill, runs.none),
    ratio(runs.read, cold),
    megabytes.toFixed(0),
  ].join(' | ');
}

for (const shape of Object.keys(SHAPES) as Shape[])
  for (const encoding of ENCODINGS)
    for (const storage of STORAGES) {
      const volume = volumeName(shape, encoding, storage);
      if (!new RegExp(args.only).test(volume)) continue;
      rows.push(`| ${await measureVolume(volume, shape)} |`);
      console.log(rows.at(-1));
    }
server.stop();
for (const cache of caches) rmSync(cache, { recursive: true });

const REPORT = join(HERE, 'results/disk-cache.md');
const volumeOf = (row: string): string => row.split('|')[1].trim();
const kept =
  args.add && existsSync(REPORT)
    ? readFileSync(REPORT, 'utf8')
        .split('\n')
        .filter((line) => /^\| \w+_\d+x/.test(line) && !rows.some((row) => volumeOf(row) === volumeOf(line)))
    : [];
const order = Object.keys(SHAPES).flatMap((shape) =>
  ENCODINGS.flatMap((encoding) => STORAGES.map((storage) => volumeName(shape as Shape, encoding, storage))),
);
const all = [...kept, ...rows].sort((a, b) => order.indexOf(volumeOf(a)) - order.indexOf(volumeOf(b)));

const report = `# The disk cache

${machine()} ${args.note}

Wall seconds, median (least–most) of ${args.runs} fresh processes, then the median of CPU seconds. Loopback HTTP; the server runs on the same
cores. The times include \`close()\`, which waits until the chunks are on disk. "Fill" is compared with no cache, and "read" with
${args.against ? 'the version before' : 'no cache'}. Points: ${args.set}.

| volume | version before, no cache | no cache | fill | read | fill / no cache | read / cold | MB on disk |
|---|--:|--:|--:|--:|--:|--:|--:|
${all.join('\n')}
`;
mkdirSync(join(HERE, 'results'), { recursive: true });
if (rows.length > 0) writeFileSync(REPORT, report);
