/**
 * Measures how long points of image volumes take, beside CloudVolume's `scattered_points`.
 *
 *   npm run bench:images -- --python PYTHON --volumes FOLDER
 *
 * `peers/make_images.py` writes the volumes to FOLDER beforehand: 64 chunks of 128 x 128 x 64, 160 points in each. They
 * are read from the disk, so that no server shares the cores. Each run is a fresh process; the clock starts after the
 * volume is open. The programs take turns, and "times ours" is the median of the ratios of each round. CloudVolume decodes a chunk for every point, with or without an LRU, so only a part of the points is timed with it, and
 * its time is scaled. Its LRU holds these points' chunks beforehand; ours is empty.
 * All values are checked. --only and --cases choose rows; the others stay as they are. The table goes to results/images.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commit, machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    volumes: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    cases: { type: 'string', default: '0,1,2' },
    only: { type: 'string', default: 'jpeg,png,fpzip,zfpc,jxl' },
  },
});
const folder = args.volumes;
if (folder === undefined) throw new Error('--volumes FOLDER is needed');
const PER_CHUNK = 160;
/** How many chunks are read, and how many of their points CloudVolume reads. */
const PLAN: Record<string, { chunks: number; part: number }> = {
  jpeg: { chunks: 64, part: 256 },
  png: { chunks: 64, part: 64 },
  fpzip: { chunks: 64, part: 16 },
  zfpc: { chunks: 64, part: 16 },
  jxl: { chunks: 16, part: 16 },
};

interface Run {
  seconds: number;
  /** The median of later calls, for single points. */
  later?: number;
  wrong: number;
}

function run(program: 'ours' | 'peer', encoding: string, lruBytes: number, count: number): Run {
  const [command, script] =
    program === 'ours' ? [process.execPath, 'measure-images.mjs'] : [args.python, 'peers/images.py'];
  const output = execFileSync(
    command,
    [
      join(import.meta.dirname, script),
      folder!,
      encoding,
      String(lruBytes),
      String(count),
      String(PLAN[encoding].chunks),
    ],
    { encoding: 'utf8' },
  );
  const result = JSON.parse(output) as Run;
  if (result.wrong > 0) throw new Error(`${program}: ${result.wrong} wrong values of ${encoding}`);
  return result;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
const shown = (seconds: number): string =>
  seconds >= 10
    ? `${seconds.toFixed(0)} s`
    : seconds >= 1
      ? `${seconds.toFixed(1)} s`
      : `${(1000 * seconds).toFixed(0)} ms`;
const CASES = [
  { names: ['many points, LRU off'], lruBytes: 0, isSingle: false },
  { names: ['many points, 1 GB LRU'], lruBytes: 1e9, isSingle: false },
  { names: ['one point, the first of a process', 'one point, later'], lruBytes: 0, isSingle: true },
];

const file = join(import.meta.dirname, 'results/images.md'),
  /** The lines of the table that another run has measured, by encoding and points. */
  rows = new Map<string, string>();
for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
  const [, encoding, name] = /^\| (\w+) \| ([^|]+) \|/.exec(line) ?? [];
  if (encoding !== undefined && encoding in PLAN) rows.set(`${encoding} | ${name}`, line);
}
/** Writes the table, after each case, so that a run that is stopped leaves what it has measured. */
function save(): void {
  writeFileSync(
    file,
    `# Points of images, beside CloudVolume

${machine()}
Volumes like electron microscopy, on the local disk: 64 chunks (for jxl 16) of 128 x 128 x 64, uint8 (fpzip and zfpc: float32), 160 points in each.
Fresh processes that take turns; the clock starts when the volume is open. "CloudVolume" is \`scattered_points\`, which decodes a chunk for each
point, also with an LRU. Its figures for many points are scaled from ${Object.entries(PLAN)
      .map(([encoding, { part }]) => `${part} (${encoding})`)
      .join(', ')};
its LRU has been filled before. "Times ours" is the median of the ratios of each round, with the least and the largest. **Below 1, CloudVolume
is faster.** A run measures some of the rows; "measured at" is the version of each.

| encoding | points | graphene-points | CloudVolume | times ours | in rounds | measured at |
|---|---|--:|--:|--:|--:|---|
${Object.keys(PLAN)
  .flatMap((encoding) =>
    CASES.flatMap(({ names }) => names.map((name) => rows.get(`${encoding} | ${name}`) ?? [])).flat(),
  )
  .join('\n')}
`,
  );
}

for (const encoding of args.only.split(',')) {
  for (const { names, lruBytes, isSingle } of CASES.filter((_, k) =>
    args.cases.split(',').includes(String(k)),
  )) {
    const count = isSingle ? 1 : PLAN[encoding].chunks * PER_CHUNK,
      part = isSingle ? 1 : PLAN[encoding].part,
      ours: Run[] = [],
      theirs: Run[] = [];
    for (let round = 0; round < Number(args.rounds); round++) {
      ours.push(run('ours', encoding, lruBytes, count));
      theirs.push(run('peer', encoding, lruBytes, part));
    }
    for (const [index, name] of names.entries()) {
      const of = ({ seconds, later }: Run): number => (index === 0 ? seconds : later!),
        ratios = ours.map((one, round) => (of(theirs[round]) * count) / part / of(one)),
        spread = `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`;
      const [own, peer] = [median(ours.map(of)), (median(theirs.map(of)) * count) / part].map(shown);
      const line = `| ${encoding} | ${name} | ${own} | ${peer} | ${median(ratios).toFixed(1)} | ${spread} | ${commit()} |`;
      rows.set(`${encoding} | ${name}`, line);
      console.log(line);
    }
    save();
  }
}
