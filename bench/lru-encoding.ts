/**
 * Measures what it costs, and what memory it saves, to keep raw chunks as compressed_segmentation.
 *
 *   tsx bench/lru-encoding.ts --volumes DIR --base URL [--runs 5]
 *
 * URL serves DIR, which holds `raw_gzip`, `cseg_gzip` (the same labels, encoded in C++) and `u100k`: see
 * bench/README.md. First, every 16th chunk is encoded in this process and compared. Then the points are read
 * cold and warm, each run in a fresh process; the cases take turns.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { compressedSegmentationCodec } from '../lib/codecs/compressed-segmentation.ts';
import { ENCODED_BLOCK_SIZE, SegmentationEncoder } from '../lib/codecs/encode-compressed-segmentation.ts';
import { wordsView } from '../lib/precomputed/data-type.ts';
import { machine } from './machine.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const { values: args } = parseArgs({
  options: { volumes: { type: 'string' }, base: { type: 'string' }, runs: { type: 'string', default: '5' } },
});
if (!args.volumes || !args.base) throw new Error('--volumes DIR and --base URL are needed');

const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);
const median = (numbers: number[]): number => sorted(numbers)[numbers.length >> 1];
const spread = (numbers: number[], digits: number): string =>
  `${median(numbers).toFixed(digits)} (${sorted(numbers)[0].toFixed(digits)}–${sorted(numbers).at(-1)!.toFixed(digits)})`;
const mean = (numbers: number[]): string =>
  Math.round(numbers.reduce((sum, n) => sum + n, 0) / numbers.length).toLocaleString('en-US');

const layout = {
  chunkSize: [128, 128, 64],
  channels: 1,
  dataType: 'uint64',
  blockSize: ENCODED_BLOCK_SIZE,
} as const;
const everyVoxel = Uint32Array.from({ length: 128 * 128 * 64 }, (_, k) => k);

function encodeChunks(): { ms: number[]; raw: number[]; ours: number[]; peer: number[] } {
  const result = { ms: [] as number[], raw: [] as number[], ours: [] as number[], peer: [] as number[] };
  const chunk = (volume: string, name: string): Uint8Array =>
    gunzipSync(readFileSync(join(args.volumes!, volume, '8_8_40', name)));
  for (const name of readdirSync(join(args.volumes!, 'raw_gzip/8_8_40')).filter((_, k) => k % 16 === 0)) {
    const raw = chunk('raw_gzip', name),
      times: number[] = [];
    let encoded: Uint8Array | undefined;
    for (let repeat = 0; repeat < 9; repeat++) {
      const began = performance.now();
      const encoder = new SegmentationEncoder(layout);
      encoder.add(raw);
      encoded = encoder.finish();
      times.push(performance.now() - began);
    }
    const labels = new BigUint64Array(everyVoxel.length);
    compressedSegmentationCodec.decodePoints(encoded!, layout, everyVoxel, wordsView(labels), everyVoxel);
    if (Buffer.compare(new Uint8Array(labels.buffer), raw) !== 0)
      throw new Error(`${name}: the encoded chunk does not decode to the same labels`);
    result.ms.push(median(times));
    result.raw.push(raw.byteLength);
    result.ours.push(encoded!.byteLength);
    result.peer.push(chunk('cseg_gzip', name).byteLength);
  }
  return result;
}

const CASES = [
  { name: 'nothing kept', flags: [] },
  { name: '`same`, 1 GB', flags: ['--lru', '1e9'] },
  { name: '`same`, 5 GB', flags: ['--lru', '5e9'] },
  {
    name: '`compressed_segmentation`, 1 GB',
    flags: ['--lru', '1e9', '--lru-encoding', 'compressed_segmentation'],
  },
];

interface Pass {
  wall_s: number;
  cpu_s: number;
  requests: number;
  points_per_s: number;
  wrong: number;
}

async function measure(flags: string[]): Promise<{ cold: Pass; warm?: Pass; peak_rss_mb: number }> {
  const parameters = [
    join(HERE, 'measure.mjs'),
    '--base',
    args.base!,
    '--volume',
    'raw_gzip',
    '--points',
    join(args.volumes!, 'u100k'),
    ...flags,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, parameters);
  const measured = JSON.parse(stdout.trim().split('\n').at(-1)!) as Awaited<ReturnType<typeof measure>>;
  if (measured.cold.wrong + (measured.warm?.wrong ?? 0) > 0)
    throw new Error(`wrong answers: ${flags.join(' ')}`);
  return measured;
}

const { ms, raw, ours, peer } = encodeChunks();
const measured = CASES.map(() => [] as Awaited<ReturnType<typeof measure>>[]);
await measure([]); // fills the page cache, so that every case reads from it
for (let round = 0; round < Number(args.runs); round++)
  for (const [k, { flags }] of CASES.entries()) measured[k].push(await measure(flags));
const rows = CASES.map(({ name }, k) => {
  const runs = measured[k],
    warm = runs.flatMap((run) => run.warm ?? []);
  const cells = [
    spread(
      runs.map(({ cold }) => cold.wall_s),
      2,
    ),
    median(runs.map(({ cold }) => cold.cpu_s)).toFixed(2),
    ...(warm.length > 0
      ? [
          spread(
            warm.map(({ wall_s }) => 1000 * wall_s),
            0,
          ),
          median(warm.map((pass) => pass.points_per_s)).toLocaleString('en-US'),
          String(warm[0].requests),
        ]
      : ['', '', '']),
    median(runs.map(({ peak_rss_mb }) => peak_rss_mb)).toFixed(0),
  ];
  return `| ${name} | ${cells.join(' | ')} |`;
});

const report = `# Raw chunks kept as compressed_segmentation

${machine()}

${ours.length} of 512 chunks of 128 x 128 x 64 uint64, real labels, mean bytes: raw ${mean(raw)}, ours ${mean(ours)}, C++ ${mean(peer)}. Encoding takes
${spread(ms, 1)} ms per chunk: the median over the chunks (least–most) of the median of 9.

100,000 uniform points in all 512 chunks over loopback HTTP, read cold and then again; ${args.runs} fresh processes each, median (least–most).

| lruEncoding, lruBytes | cold s | cold CPU s | warm ms | warm points/s | warm requests | peak MB |
|---|--:|--:|--:|--:|--:|--:|
${rows.join('\n')}
`;
console.log(report);
mkdirSync(join(HERE, 'results'), { recursive: true });
writeFileSync(join(HERE, 'results/lru-encoding.md'), report);
