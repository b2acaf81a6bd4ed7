/**
 * Measures one case of graphene-points in one process: opens a volume, reads a point set cold and then
 * `--again` times more, checks every answer and prints one JSON line. This is plain JavaScript, as a
 * TypeScript loader would take half of the memory.
 *
 *   node bench/measure.mjs --base URL --volume NAME --points FILE_WITHOUT_SUFFIX [--lru BYTES]
 *                         [--lru-encoding ENCODING] [--concurrency N] [--workers N] [--take N] [--again N]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openPrecomputed } from 'graphene-points';
import { mainThreadSeconds, passes } from './passes.mjs';

const { values: args } = parseArgs({
  options: {
    base: { type: 'string' },
    volume: { type: 'string' },
    points: { type: 'string' },
    lru: { type: 'string', default: '0' },
    'lru-encoding': { type: 'string' },
    concurrency: { type: 'string' },
    workers: { type: 'string' },
    take: { type: 'string' },
    again: { type: 'string', default: '0' },
  },
});
const read = (suffix) => readFileSync(`${args.points}.${suffix}`);
const input = read('f64'),
  count = Number(args.take ?? input.byteLength / 24);
const points = new Float64Array(3 * count),
  set = new Float64Array(input.buffer, input.byteOffset, input.byteLength / 8);
for (let at = 0; at < points.length; at += set.length) points.set(set.subarray(0, points.length - at), at);
const options = { lruBytes: Number(args.lru), lruEncoding: args['lru-encoding'] };
for (const name of ['concurrency', 'workers']) if (args[name]) options[name] = Number(args[name]);

const volume = await openPrecomputed(`${args.base}/${args.volume}`, options);

const peakMb = () => Math.round(process.resourceUsage().maxRSS / 102.4) / 10;
const before = peakMb();

async function run() {
  const cpu = process.cpuUsage(),
    main = mainThreadSeconds(),
    began = performance.now();
  const result = await volume.scatteredPoints(points, { borrow: true });
  const seconds = (performance.now() - began) / 1000,
    used = process.cpuUsage(cpu),
    mainUsed = mainThreadSeconds() - main;
  return {
    wall_s: seconds,
    cpu_s: (used.user + used.system) / 1e6,
    main_cpu_s: mainUsed,
    peak_mb: peakMb(),
    requests: result.stats.requests,
    bytes: result.stats.bytes,
    ids: result.values,
  };
}

/** Counts wrong values. It runs after the clock and the peak were read, so that the check is not measured. */
function check({ ids, ...run }) {
  const truth = read('u64'),
    n = truth.length / 8,
    words = new Uint32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
  let wrong = 0;
  for (let i = 0; i < ids.length; i++)
    if (
      words[2 * i] !== truth.readUInt32LE(8 * (i % n)) ||
      words[2 * i + 1] !== truth.readUInt32LE(8 * (i % n) + 4)
    )
      wrong++;
  return { ...run, wrong };
}

console.log(
  JSON.stringify({
    points: points.length / 3,
    before_mb: before,
    ...(await passes(async () => check(await run()), Number(args.again))),
  }),
);
await volume.close();
