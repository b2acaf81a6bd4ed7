/**
 * How long do labels of one crackle chunk take, beside the C++ codec called from Python?
 *
 *     tsx bench/codecs-crackle.ts FOLDER [PYTHON]
 *
 * FOLDER holds one scale of a crackle volume of 128 x 128 x 64 uint64 chunks, gzipped (`*.gz`); every 32nd chunk is used.
 * PYTHON has crackle-codec installed; it runs on the same chunks, a chunk at a time and in turn with us, one thread each.
 * Medians over the chunks of medians over the repeats, in microseconds. Answers are compared with Python's before any timing.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { crackleCodec } from '../lib/codecs/crackle.ts';
import { wordsView } from '../lib/precomputed/data-type.ts';

const [folder, python] = process.argv.slice(2);
const SLICE = 128 * 128;
const VOXELS = SLICE * 64;
const layout = { chunkSize: [128, 128, 64], channels: 1, dataType: 'uint64' } as const;

const PEER = `
import gzip, hashlib, json, sys, time, crackle
b = gzip.decompress(open(sys.argv[1], 'rb').read())
def timed(run, n):
    times = []
    for i in range(n):
        t = time.perf_counter(); run(i); times.append(time.perf_counter() - t)
    return sorted(times)[n // 2] * 1e6
whole = crackle.decompress(b, parallel=1)
print(json.dumps({'hash': hashlib.sha256(whole.tobytes('F')).hexdigest(),
  'slice': timed(lambda i: crackle.codec.decompress_range(b, i * 37 % 64, i * 37 % 64 + 1, 1), 64),
  'whole': timed(lambda i: crackle.decompress(b, parallel=1), 15)}))
`;

let seed = 1;
const random = (below: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

function decode(bytes: Uint8Array, offsets: Uint32Array): { us: number; labels: BigUint64Array } {
  const labels = new BigUint64Array(offsets.length);
  const outIndex = Uint32Array.from(offsets.keys());
  const start = performance.now();
  crackleCodec.decodePoints(bytes, layout, offsets, wordsView(labels), outIndex);
  return { us: 1000 * (performance.now() - start), labels };
}
const points = (count: number, from: number, below: number): Uint32Array => Uint32Array.from({ length: count }, () => from + random(below));
const everyVoxel = Uint32Array.from({ length: VOXELS }, (_, k) => k);

const CASES = {
  'one voxel': () => points(1, 0, VOXELS),
  '1,000 voxels of one slice': () => points(1000, random(64) * SLICE, SLICE),
  '1,000 voxels of all slices': () => points(1000, 0, VOXELS),
};
const ours: Record<string, number[]> = {};
const peer: Record<string, number[]> = {};
const files = readdirSync(folder).filter((name) => name.endsWith('.gz')).sort().filter((_, k) => k % 32 === 0);
for (const [k, file] of [files[0], ...files].entries()) {
  const bytes = gunzipSync(readFileSync(join(folder, file)));
  if (python) {
    const { hash, ...times } = JSON.parse(execFileSync(python, ['-c', PEER, join(folder, file)], { encoding: 'utf8' })) as { hash: string; slice: number; whole: number };
    const whole = new Uint8Array(decode(bytes, everyVoxel).labels.buffer);
    if (createHash('sha256').update(whole).digest('hex') !== hash) throw new Error(`${file}: not what Python reads`);
    if (k > 0) for (const [name, us] of Object.entries(times)) (peer[`C++ from Python, ${name}`] ??= []).push(us);
  }
  for (const [name, offsets] of Object.entries(CASES)) {
    const us = median(Array.from({ length: 60 }, () => decode(bytes, offsets()).us));
    if (k > 0) (ours[name] ??= []).push(us); // the first chunk warms up
  }
}
for (const [name, values] of Object.entries({ ...peer, ...ours }))
  console.log(`${name.padEnd(28)} ${median(values).toFixed(1).padStart(8)} us   (chunks: ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`);
