/**
 * Measures the time and the memory of root look-ups, compared with CloudVolume's `get_roots`. Every run is a fresh
 * process, and every answer is checked. The programs take turns on one server that costs almost no time.
 *
 *   npm run bench:roots -- [--python PYTHON] [--runs 5] [--only PART_OF_A_NAME]
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { machine } from './machine.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);
const { values: args } = parseArgs({
  options: {
    python: { type: 'string' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
});

interface Measured {
  wall_s: number;
  cpu_s: number;
  peak_mb: number;
  wrong: number;
  requests: number;
  ids: number;
}

const CASES = [
  { name: '1,000,000 distinct', n: 1_000_000, distinct: 1_000_000 },
  { name: '1,000,000, 90 % repeats', n: 1_000_000, distinct: 100_000 },
  { name: '5,000,000 distinct', n: 5_000_000, distinct: 5_000_000 },
  { name: '1,000, one `rootOf` each', n: 1000, distinct: 1000, oneByOne: true },
];

async function measure(command: string, parameters: string[]): Promise<Measured> {
  const { stdout } = await run(command, parameters);
  const measured = JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured;
  if (measured.wrong > 0)
    throw new Error(`${measured.wrong} wrong answers: ${command} ${parameters.join(' ')}`);
  return measured;
}

const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);
const median = (numbers: number[]): number => sorted(numbers)[Math.floor(numbers.length / 2)];
const spread = (numbers: number[], digits: number): string =>
  `${median(numbers).toFixed(digits)} (${sorted(numbers)[0].toFixed(digits)}–${sorted(numbers).at(-1)!.toFixed(digits)})`;

const server = spawn(process.execPath, ['--import', 'tsx', join(HERE, 'arithmetic-graph.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const rows: string[] = [];
try {
  const [line] = await new Promise<string[]>((resolve) =>
    createInterface(server.stdout).once('line', (first: string) => resolve([first])),
  );
  const base = `http://127.0.0.1:${line.split(' ')[1]}`;
  for (const { name, n, distinct, oneByOne } of CASES.filter((one) => one.name.includes(args.only))) {
    const shared = ['--base', base, '--n', String(n), '--distinct', String(distinct)];
    const programs: Record<string, () => Promise<Measured>> = {
      'graphene-points': () =>
        measure(process.execPath, [
          join(HERE, 'measure-roots.mjs'),
          ...shared,
          ...(oneByOne ? ['--one-by-one'] : []),
        ]),
      ...(args.python &&
        !oneByOne && { CloudVolume: () => measure(args.python!, [join(HERE, 'peers/roots.py'), ...shared]) }),
    };
    const measured: Record<string, Measured[]> = {};
    for (let round = 0; round < Number(args.runs); round++)
      for (const [program, run] of Object.entries(programs)) (measured[program] ??= []).push(await run());
    for (const [program, runs] of Object.entries(measured)) {
      const figures = (key: 'wall_s' | 'cpu_s' | 'peak_mb'): number[] => runs.map((run) => run[key]);
      const ratios = (key: 'wall_s' | 'peak_mb'): number[] =>
        runs.map((run, round) => run[key] / measured['graphene-points'][round][key]);
      rows.push(
        `| ${name} | ${program} | ${runs.length} | ${spread(figures('wall_s'), 3)} | ${spread(ratios('wall_s'), 1)} | ${median(figures('cpu_s')).toFixed(2)} | ${runs[0].requests} | ${runs[0].ids} | ${median(figures('peak_mb')).toFixed(0)} | ${spread(ratios('peak_mb'), 1)} |`,
      );
      console.log(rows.at(-1));
    }
  }
} finally {
  server.kill();
}
const report = `# Root look-ups

${machine()}
Median (least–most). "times ours" is the program's figure over that of graphene-points in the same round. Peak MB is that of the whole process:
Node starts with about 70 MB, Python with about 125.

| IDs | program | runs | seconds | times ours | CPU s | requests | IDs sent | peak MB | times ours |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
${rows.join('\n')}
`;
if (!args.only) {
  mkdirSync(join(HERE, 'results'), { recursive: true });
  writeFileSync(join(HERE, 'results/roots.md'), report);
}
