/**
 * Measures how long it takes to read voxels of one chunk, compared with the codecs of CloudVolume.
 *
 *   npm run bench:codecs -- --volumes DIR [--python PYTHON]
 *
 * DIR is the output of peers/make_volumes.py: gzipped uint64 chunks of 128 x 128 x 64. Every 32nd chunk is
 * used and is decompressed before the clock starts. graphene-points and Python take turns chunk by chunk,
 * with one thread each. A figure is the median over the chunks of the median over the repeats, in
 * microseconds. Every voxel is compared before a figure counts. The table goes to results/codecs.md.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { runWithoutPause } from '../lib/base/cooperative-work.ts';
import { requireCodec } from '../lib/codecs/registry.ts';
import { wordsView } from '../lib/precomputed/data-type.ts';
import { machine } from './machine.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const { values: args } = parseArgs({ options: { volumes: { type: 'string' }, python: { type: 'string' } } });
if (!args.volumes) throw new Error('--volumes DIR is needed: see bench/README.md');

const ENCODINGS = {
  raw_gzip: 'raw',
  cseg_gzip: 'compressed_segmentation',
  crackle_gzip: 'crackle',
  compresso_gzip: 'compresso',
};
const SLICE = 128 * 128,
  VOXELS = SLICE * 64;
const layout = { chunkSize: [128, 128, 64], channels: 1, dataType: 'uint64', blockSize: [8, 8, 8] } as const;

let seed = 1;
const random = (below: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
const points = (count: number, from: number, below: number): Uint32Array =>
  Uint32Array.from({ length: count }, () => from + random(below));
const CASES = {
  'one voxel': () => points(1, 0, VOXELS),
  '1,000 of one slice': () => points(1000, random(64) * SLICE, SLICE),
  '1,000 of the chunk': () => points(1000, 0, VOXELS),
};

interface Peer {
  hash: string;
  'one voxel': number;
  'whole chunk': number;
}

function startPeer(python: string): {
  measure: (file: string, encoding: string) => Promise<Peer>;
  end: () => void;
} {
  const child = spawn(python, [join(HERE, 'peers/codecs.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const measure = async (file: string, encoding: string): Promise<Peer> => {
    child.stdin.write(`${file} ${encoding}\n`);
    return JSON.parse((await lines.next()).value as string) as Peer;
  };
  return { measure, end: () => child.stdin.end() };
}

const peer = args.python ? startPeer(args.python) : undefined;
const rows: string[] = [];
for (const [name, encoding] of Object.entries(ENCODINGS)) {
  const folder = join(args.volumes, name, '8_8_40');
  if (!existsSync(folder)) continue;
  const codec = requireCodec(encoding, 'uint64'),
    quick = name === 'raw_gzip' || name === 'cseg_gzip';
  const decode = (bytes: Uint8Array, offsets: Uint32Array): { us: number; labels: BigUint64Array } => {
    const labels = new BigUint64Array(offsets.length),
      outIndex = Uint32Array.from(offsets.keys());
    const start = performance.now();
    runWithoutPause(codec.decodePoints(bytes, layout, offsets, wordsView(labels), outIndex));
    return { us: 1000 * (performance.now() - start), labels };
  };
  /** Microseconds per call, each of which reads one random voxel. */
  const timeSingleVoxels = (bytes: Uint8Array, calls: number): number => {
    const voxels = Array.from({ length: calls }, () => CASES['one voxel']()),
      label = new Uint32Array(2),
      first = new Uint32Array(1);
    const start = performance.now();
    for (const offset of voxels) runWithoutPause(codec.decodePoints(bytes, layout, offset, label, first));
    return (1000 * (performance.now() - start)) / calls;
  };
  const files = readdirSync(folder)
    .sort()
    .filter((_, k) => k % 32 === 0);
  const ours: Record<string, number[]> = {},
    theirs: Record<string, number[]> = {};
  for (const [k, file] of [files[0], ...files].entries()) {
    const bytes = gunzipSync(readFileSync(join(folder, file)));
    if (peer) {
      const { hash, ...times } = await peer.measure(join(folder, file), encoding);
      const whole = decode(
        bytes,
        Uint32Array.from({ length: VOXELS }, (_, at) => at),
      ).labels;
      if (createHash('sha256').update(new Uint8Array(whole.buffer)).digest('hex') !== hash)
        throw new Error(`${file}: the voxels differ from those of the peer`);
      for (const [what, us] of Object.entries(times)) (theirs[what] ??= []).push(us);
    }
    for (const [what, offsets] of Object.entries(CASES)) {
      // As for the peer, each call reads one random voxel of the chunk. One call may be shorter than the
      // clock's resolution, so many calls are timed together.
      const us = median(
        Array.from({ length: what === 'one voxel' ? 20 : 100 }, () =>
          what === 'one voxel' ? timeSingleVoxels(bytes, quick ? 1000 : 40) : decode(bytes, offsets()).us,
        ),
      );
      if (k > 0) (ours[what] ??= []).push(us); // the first chunk warms up
    }
  }
  const one = median(ours['one voxel']),
    slice = median(ours['1,000 of one slice']),
    all = median(ours['1,000 of the chunk']);
  const [peerOne, peerWhole] = peer
    ? [median(theirs['one voxel']), median(theirs['whole chunk'])]
    : [NaN, NaN];
  const cell = (us: number, digits = 1): string => (Number.isNaN(us) ? '' : us.toFixed(digits));
  rows.push(
    `| ${encoding} | ${cell(one, 2)} | ${cell(peerOne)} | ${cell(one / peerOne, 3)} | ${cell((slice - one) / 999, 3)} | ${cell(all)} | ${encoding === 'raw' ? 'a view' : cell(peerWhole)} | ${encoding === 'raw' ? '' : cell(all / peerWhole, 2)} |`,
  );
  console.log(rows.at(-1));
}
peer?.end();

mkdirSync(join(HERE, 'results'), { recursive: true });
writeFileSync(
  join(HERE, 'results/codecs.md'),
  `# Voxels of one chunk, beside CloudVolume's codecs

${machine()}
uint64, 128 x 128 x 64, real segmentation, already decompressed. Microseconds, one thread. The peer's figures include its Python overhead.

| encoding | one voxel | peer | ratio | each further voxel of its slice | 1,000 of the chunk | peer, whole chunk | ratio |
|---|--:|--:|--:|--:|--:|--:|--:|
${rows.join('\n')}
`,
);
