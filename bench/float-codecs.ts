/**
 * Measures how long it takes to decode one chunk of floats, compared with the decoders of CloudVolume.
 *
 *   npm run bench:floats -- --python PYTHON
 *
 * The peer writes each chunk: 128 x 128 x 64 voxels like electron microscopy, with noise. graphene-points and
 * the peer take turns, with one thread each. A figure is the median of five turns, of the least of three
 * decodes, in milliseconds of CPU. float32 is compared bit by bit before a figure counts; the peer rounds
 * float64 of zfpc to float32. The table goes to results/float-codecs.md. --only TEXT measures the cases whose name
 * contains the text, such as `float64/rate`; the other rows stay as they are.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { runWithoutPause } from '../lib/base/cooperative-work.ts';
import { codecFor, requireCodec } from '../lib/codecs/registry.ts';
import { commit, machine } from './machine.ts';

const { values: args } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, only: { type: 'string', default: '' } },
});
const CASES = [
  'fpzip/float32/lossless',
  'fpzip/float32/precision',
  'fpzip/float64/lossless',
  'zfpc/float32/lossless',
  'zfpc/float32/tolerance',
  'zfpc/float32/lossless-xyz',
  'zfpc/float32/tolerance-xyz',
  'zfpc/float32/precision-xyz',
  'zfpc/float32/rate-xyz',
  'zfpc/float32/tolerance-xy',
  'zfpc/float32/precision-xy',
  'zfpc/float32/rate-xy',
  'zfpc/float32/tolerance-x',
  'zfpc/float32/rate-x',
  'zfpc/float64/lossless-xyz',
  'zfpc/float64/tolerance-xyz',
  'zfpc/float64/tolerance-xy',
  'zfpc/float64/rate-xy',
];
const TURNS = 5,
  VOXELS = 128 * 128 * 64;

const folder = mkdtempSync(join(tmpdir(), 'float-codecs-')),
  peer = spawn(args.python, [join(import.meta.dirname, 'peers/float_codecs.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }),
  answers = createInterface(peer.stdout)[Symbol.asyncIterator]();

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Returns the milliseconds of CPU that a run takes. */
function cpuMs(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const file = join(import.meta.dirname, 'results/float-codecs.md'),
  /** The lines of the table by case. */
  rows = new Map<string, string>();
for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
  const name = line.split(' | ', 3).join('/').slice('| '.length);
  if (CASES.includes(name)) rows.set(name, line);
}
for (const name of CASES.filter((one) => one.includes(args.only))) {
  const [encoding, dataType, mode] = name.split('/') as [string, 'float32' | 'float64', string];
  await codecFor(encoding)!.load?.();
  const codec = requireCodec(encoding, dataType),
    layout = { chunkSize: [128, 128, 64], channels: 1, dataType } as const,
    chunk = join(folder, name.replaceAll('/', '-'));
  const ours: number[] = [],
    one: number[] = [],
    theirs: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    peer.stdin.write(`${name} ${chunk}\n`);
    const answer = await answers.next();
    if (answer.done) throw new Error('the peer ended; its message is above');
    const { hash, ms } = JSON.parse(answer.value) as { hash: string; ms: number };
    theirs.push(ms);
    const bytes = readFileSync(chunk);
    const decode = (): Uint8Array => runWithoutPause(codec.toRaw!(bytes, layout));
    ours.push(Math.min(...[1, 2, 3].map(() => cpuMs(decode))));
    if (
      (dataType === 'float32' || encoding === 'fpzip') &&
      createHash('sha256').update(decode()).digest('hex') !== hash
    )
      throw new Error(`${name}: the voxels differ from those of the peer`);
    const out = new Uint32Array(2);
    for (const voxel of [1, 3, 5, 7, 9].map((tenths) => Math.floor((tenths * VOXELS) / 10)))
      one.push(
        cpuMs(() =>
          runWithoutPause(codec.decodePoints(bytes, layout, Uint32Array.of(voxel), out, Uint32Array.of(0))),
        ),
      );
  }
  const mean = one.reduce((sum, ms) => sum + ms, 0) / one.length;
  rows.set(
    name,
    `| ${encoding} | ${dataType} | ${mode} | ${(readFileSync(chunk).length / VOXELS).toFixed(2)} | ${mean.toFixed(1)} | ${median(ours).toFixed(1)} | ${median(theirs).toFixed(1)} | ${(median(ours) / median(theirs)).toFixed(2)} | ${commit()} |`,
  );
  console.log(rows.get(name));
}
peer.stdin.end();
rmSync(folder, { recursive: true });

writeFileSync(
  file,
  `# Chunks of floats, beside CloudVolume's decoders

${machine()}
128 x 128 x 64 voxels like electron microscopy, one channel. Milliseconds of CPU, one thread. The peers are fpzip and zfpc, as CloudVolume calls them.
The tolerance is 0.5, the precision 16 bits, the rate 8 bits per value. \`xyz\`, \`xy\` and \`x\` say which dimensions are correlated; all four are if nothing is said, and then zfp pads the channel to four values.
A single voxel of zfpc, except at a fixed rate, and of fpzip takes the chunk up to that voxel; the figure is the mean of five places.
A run measures some of the rows; "measured at" is the version of each.

| encoding | data type | mode | bytes per voxel | one voxel | whole chunk | peer, whole chunk | ratio | measured at |
|---|---|---|--:|--:|--:|--:|--:|---|
${CASES.flatMap((name) => rows.get(name) ?? []).join('\n')}
`,
);
