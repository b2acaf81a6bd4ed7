/**
 * Measures one root look-up of graphene-points in one process: looks up the roots of n supervoxels, checks
 * every answer and prints one JSON line. This is plain JavaScript, as a TypeScript loader would take half of
 * the memory.
 *
 *   node bench/measure-roots.mjs --base URL --n IDS --distinct DISTINCT [--one-by-one]
 */
import { parseArgs } from 'node:util';
import { openGraphene } from 'graphene-points';

const { values: args } = parseArgs({
  options: {
    base: { type: 'string' },
    n: { type: 'string' },
    distinct: { type: 'string' },
    'one-by-one': { type: 'boolean', default: false },
  },
});
const n = Number(args.n),
  distinct = Number(args.distinct);

/** The same IDs as in peers/roots.py: chunks in mixed order, ascending segments, scattered repeats. */
const ids = new BigUint64Array(n),
  words = new Uint32Array(ids.buffer);
for (let k = 0; k < n; k++) {
  const i = distinct === n ? k : (k * 7919 + 13) % distinct;
  const x = Math.floor((i * 40503) / 16) % 60,
    y = Math.floor((i * 30011) / 128) % 60;
  words[2 * k] = i + 1;
  words[2 * k + 1] = 2 ** 24 + x * 2 ** 14 + y * 2 ** 4;
}

const volume = await openGraphene(`graphene://${args.base}/segmentation/table/t`, { token: null });
const peakMb = () => Math.round(process.resourceUsage().maxRSS / 102.4) / 10;
const before = peakMb();
await fetch(`${args.base}/count`);
const cpu = process.cpuUsage(),
  began = performance.now();
const rootIds = args['one-by-one']
  ? BigUint64Array.from(await Promise.all(Array.from(ids, (id) => volume.rootOf(id))))
  : (await volume.roots(ids)).rootIds;
const seconds = (performance.now() - began) / 1000,
  used = process.cpuUsage(cpu),
  peak = peakMb();
const roots = new Uint32Array(rootIds.buffer);
let wrong = 0;
for (let k = 0; k < n; k++)
  if (roots[2 * k] !== words[2 * k] || roots[2 * k + 1] !== words[2 * k + 1] + 6 * 2 ** 24) wrong++;
const count = await (await fetch(`${args.base}/count`)).json();
console.log(
  JSON.stringify({
    wall_s: seconds,
    cpu_s: (used.user + used.system) / 1e6,
    before_mb: before,
    peak_mb: peak,
    wrong,
    ...count,
  }),
);
await volume.close();
