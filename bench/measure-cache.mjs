/**
 * Measures one read with or without a disk cache in one process: opens a volume, reads a point set once, closes the volume, checks every
 * answer and prints one JSON line. Closing is measured, because it waits until the chunks are on disk.
 *
 *   node bench/measure-cache.mjs --dist DIR --base URL --volume NAME --points FILE_WITHOUT_SUFFIX [--cache DIR]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: args } = parseArgs({
  options: {
    dist: { type: 'string' },
    base: { type: 'string' },
    volume: { type: 'string' },
    points: { type: 'string' },
    cache: { type: 'string' },
    revalidate: { type: 'string' },
  },
});
const { openPrecomputed } = await import(join(args.dist, 'lib/index.js'));
const input = readFileSync(`${args.points}.f64`);
const points = new Float64Array(input.buffer, input.byteOffset, input.byteLength / 8);
const volume = await openPrecomputed(`${args.base}/${args.volume}`, {
  cacheDir: args.cache,
  revalidate: args.revalidate,
});

const cpu = process.cpuUsage(),
  began = performance.now();
const { values, stats } = await volume.scatteredPoints(points);
const call_s = (performance.now() - began) / 1000;
await volume.close();
const wall_s = (performance.now() - began) / 1000,
  used = process.cpuUsage(cpu);
const peak_mb = process.resourceUsage().maxRSS / 1024;
const truth = readFileSync(`${args.points}.u64`),
  labels = new BigUint64Array(truth.buffer, truth.byteOffset, truth.byteLength / 8);
let wrong = 0;
for (let i = 0; i < labels.length; i++) if (values[i] !== labels[i]) wrong++;
const { requests, bytes, cacheHits, chunks } = stats;
console.log(
  JSON.stringify({
    cold: {
      wall_s,
      call_s,
      cpu_s: (used.user + used.system) / 1e6,
      peak_mb,
      wrong,
      requests,
      bytes,
      cacheHits,
      chunks,
    },
  }),
);
