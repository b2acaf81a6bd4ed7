/**
 * One case of ours in one process: opens a volume, reads a point set cold and again warm, checks every answer, prints one JSON line.
 *
 *   tsx bench/measure.ts --base URL --volume NAME --points FILE_WITHOUT_SUFFIX [--lru BYTES] [--lru-encoding ENCODING] [--agglomerate]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openGraphene, openPrecomputed } from 'graphene-points';

const { values: args } = parseArgs({
  options: { base: { type: 'string' }, volume: { type: 'string' }, points: { type: 'string' }, lru: { type: 'string', default: '0' }, 'lru-encoding': { type: 'string' }, agglomerate: { type: 'boolean', default: false } },
});
const read = (suffix: string): ArrayBuffer => new Uint8Array(readFileSync(`${args.points}.${suffix}`)).buffer;
const points = new Float64Array(read('f64'));
const truth = new BigUint64Array(read('u64'));
const lruBytes = Number(args.lru), lruEncoding = args['lru-encoding'] as 'same' | 'compressed_segmentation' | undefined;

const volume = args.agglomerate
  ? await openGraphene(`graphene://${args.base}/segmentation/table/${args.volume}`, { lruBytes, lruEncoding, token: null })
  : await openPrecomputed(`${args.base}/${args.volume}`, { lruBytes, lruEncoding });

const peakMb = (): number => Math.round(process.resourceUsage().maxRSS / 102.4) / 10;
const before = peakMb();

async function run(): Promise<object> {
  const cpu = process.cpuUsage(), began = performance.now();
  const result = await volume.scatteredPoints(points);
  const seconds = (performance.now() - began) / 1000, used = process.cpuUsage(cpu);
  const ids = 'supervoxelIds' in result ? result.supervoxelIds : (result.values as BigUint64Array);
  let wrong = 0;
  for (let i = 0; i < truth.length; i++) if (ids[i] !== truth[i]) wrong++;
  const { requests, bytes, rootRequests } = result.stats;
  return { wall_s: seconds, points_per_s: Math.round(truth.length / seconds), cpu_s: (used.user + used.system) / 1e6, requests, bytes, rootRequests, wrong };
}

const cold = await run();
const warm = lruBytes > 0 ? await run() : undefined;
console.log(JSON.stringify({ peer: 'graphene-points', volume: args.volume, points: truth.length, cold, warm, rss_before_mb: before, peak_rss_mb: peakMb() }));
await volume.close();
