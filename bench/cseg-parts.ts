/**
 * Calculates the chunk size from which it would pay to read one value of compressed_segmentation by ranges,
 * if the chunk is stored uncompressed.
 *
 *   tsx bench/cseg-parts.ts --volumes DIR
 *
 * DIR is the output of peers/make_volumes.py. The bytes per voxel are measured on every 32nd chunk of
 * cseg_gzip, decompressed; the rest is calculated. A read by ranges takes two round trips: one for the block
 * header (its offset is known, and the reply tells the size of the chunk), one for the packed word and the
 * block's table, up to the table's longest possible end. A read of a whole chunk takes one round trip.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

const { values: args } = parseArgs({ options: { volumes: { type: 'string' } } });
if (!args.volumes) throw new Error('--volumes DIR is needed: see bench/README.md');
const folder = join(args.volumes, 'cseg_gzip', '8_8_40'),
  VOXELS = 128 * 128 * 64;
const stored = readdirSync(folder)
  .filter((_, k) => k % 32 === 0)
  .map((name) => readFileSync(join(folder, name)));
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];
const perVoxel = median(stored.map((bytes) => gunzipSync(bytes).length)) / VOXELS;
console.log(
  `${perVoxel.toFixed(3)} bytes per voxel, ${(median(stored.map(({ length }) => length)) / VOXELS).toFixed(3)} as gzip`,
);

for (const [latencyMs, bytesPerMs] of [
  [10, 25_000],
  [20, 100_000],
]) {
  console.log(
    `${latencyMs} ms per request, ${bytesPerMs / 1000} MB/s: break-even at ${((latencyMs * bytesPerMs) / 1e6).toFixed(2)} MB, ${((latencyMs * bytesPerMs) / perVoxel / 1e6).toFixed(1)} million voxels`,
  );
  for (const side of [64, 128, 256, 512]) {
    const bytes = perVoxel * side ** 3;
    console.log(
      `  ${side}^3: ${(bytes / 1e6).toFixed(2)} MB, whole ${(latencyMs + bytes / bytesPerMs).toFixed(0)} ms, ranges ${2 * latencyMs} ms`,
    );
  }
}
