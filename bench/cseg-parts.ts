/**
 * From which chunk size on would it pay to read one value of compressed_segmentation by ranges, where it is stored without a bitstream?
 *
 *   tsx bench/cseg-parts.ts --volumes DIR
 *
 * DIR is what peers/make_volumes.py wrote: how many bytes a voxel takes comes from every 32nd chunk of cseg_gzip, unzipped; the rest is
 * calculated. A value by parts takes two round trips: the block header (its place is known; the reply tells the size of the chunk), then
 * the packed word and the block's table, read as far as it can reach. A whole chunk takes one.
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
  `${perVoxel.toFixed(3)} bytes a voxel, ${(median(stored.map(({ length }) => length)) / VOXELS).toFixed(3)} as gzip`,
);

for (const [latencyMs, bytesPerMs] of [
  [10, 25_000],
  [20, 100_000],
]) {
  console.log(
    `${latencyMs} ms a request, ${bytesPerMs / 1000} MB/s: break-even at ${((latencyMs * bytesPerMs) / 1e6).toFixed(2)} MB, ${((latencyMs * bytesPerMs) / perVoxel / 1e6).toFixed(1)} million voxels`,
  );
  for (const side of [64, 128, 256, 512]) {
    const bytes = perVoxel * side ** 3;
    console.log(
      `  ${side}^3: ${(bytes / 1e6).toFixed(2)} MB, whole ${(latencyMs + bytes / bytesPerMs).toFixed(0)} ms, parts ${2 * latencyMs} ms`,
    );
  }
}
