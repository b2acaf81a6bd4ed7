/**
 * Measures how long the command line and the library take to start, as medians of the wall time and the CPU time of fresh processes. With
 * `--against`, another build of the same project takes turns with this one.
 *
 *   npm run build && tsx bench/startup.ts --volumes DIR [--against DIST] [--runs 9]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { HERE, hasVolume, spread, startServer } from './harness.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    volumes: { type: 'string', default: join(HERE, '.work/volumes') },
    against: { type: 'string' },
    'against-name': { type: 'string', default: 'the other build' },
    only: { type: 'string' },
    runs: { type: 'string', default: '9' },
    note: { type: 'string', default: '' },
  },
});
const run = promisify(execFile);
/** A module that prints the process's CPU time, in milliseconds, as the last line of standard error. */
const PRINT_CPU_MS =
  'data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1e3)})';

interface Figures {
  wallMs: number;
  cpuMs: number;
}

/** Returns one point in each of the first chunks of a volume. */
function pointsIn(volume: string, chunks: number): number[][] {
  const info = JSON.parse(readFileSync(join(args.volumes, volume, 'info'), 'utf8')) as {
    scales: { size: number[]; voxel_offset: number[]; chunk_sizes: number[][] }[];
  };
  const [
      {
        size,
        voxel_offset: offset,
        chunk_sizes: [chunkSize],
      },
    ] = info.scales,
    [columns, rows] = [0, 1].map((axis) => Math.ceil(size[axis] / chunkSize[axis]));
  return Array.from({ length: chunks }, (_, k) =>
    [k % columns, Math.floor(k / columns) % rows, Math.floor(k / columns / rows)].map(
      (cell, axis) => offset[axis] + chunkSize[axis] * (cell + 0.5),
    ),
  );
}

async function measureProcess(parameters: readonly string[]): Promise<Figures> {
  const began = performance.now();
  const { stderr } = await run(process.execPath, ['--import', PRINT_CPU_MS, ...parameters]);
  return { wallMs: performance.now() - began, cpuMs: Number(stderr.trim().split('\n').at(-1)) };
}

async function measureInside(parameters: readonly string[]): Promise<Figures> {
  const { stdout } = await run(process.execPath, [join(HERE, 'measure-start.mjs'), ...parameters]);
  return JSON.parse(stdout) as Figures;
}

const server = await startServer(args.volumes),
  folder = mkdtempSync(join(tmpdir(), 'graphene-points-')),
  points = join(folder, 'point.csv'),
  small = ['cseg64_gzip', 'cseg_gzip'].find((name) => hasVolume(args.volumes, name))!;
writeFileSync(points, 'x,y,z\n100,200,300\n');
const lookup = ['lookup', `${server.base}/cseg_gzip`, '--points', points, '--quiet'],
  look = (volume: string, chunks: number): string[] => [
    ...['--volume', `${server.base}/${volume}`, '--points', JSON.stringify(pointsIn(volume, chunks))],
  ];
const CASES: Record<string, (dist: string) => Promise<Figures>> = {
  'node, empty program': () => measureProcess(['-e', '0']),
  '--version': (dist) => measureProcess([join(dist, 'lib/cli/main.js'), '--version']),
  'lookup of one point': (dist) => measureProcess([join(dist, 'lib/cli/main.js'), ...lookup]),
  'import of the library': (dist) => measureInside(['--dist', dist, '--of', 'import']),
  'import, opening, one point': (dist) =>
    measureInside(['--dist', dist, '--of', 'all', ...look('cseg_gzip', 1)]),
  'import, opening, 40 chunks': (dist) => measureInside(['--dist', dist, '--of', 'all', ...look(small, 40)]),
  'first call: one point': (dist) => measureInside(['--dist', dist, '--of', 'call', ...look('cseg_gzip', 1)]),
  'first call: 40 chunks': (dist) => measureInside(['--dist', dist, '--of', 'call', ...look(small, 40)]),
};
const builds = { 'graphene-points': join(HERE, '../dist') } as Record<string, string>;
if (args.against) builds[args['against-name']] = resolve(args.against);
const rows: string[] = [];
try {
  for (const [name, measure] of Object.entries(CASES)) {
    if (args.only && !args.only.split(',').some((part) => name.includes(part))) continue;
    const all = new Map<string, Figures[]>(Object.keys(builds).map((build) => [build, []]));
    for (let round = 0; round < Number(args.runs); round++)
      for (const [build, dist] of Object.entries(builds)) all.get(build)!.push(await measure(dist));
    for (const [build, runs] of all) {
      const of = (key: keyof Figures): string =>
        spread(
          runs.map((figures) => figures[key]),
          0,
        );
      rows.push(`| ${name} | ${build} | ${runs.length} | ${of('wallMs')} | ${of('cpuMs')} |`);
      console.log(rows.at(-1));
    }
  }
} finally {
  server.stop();
  rmSync(folder, { recursive: true });
}
if (!args.only)
  writeFileSync(
    join(HERE, 'results/startup.md'),
    `# Start of the command line and of the library

${machine()} ${args.note}
Median (least–most) of fresh processes, milliseconds. The first three rows are whole processes. The others are measured inside a process, after
Node has started.

| what | build | runs | wall | CPU |
|---|---|--:|--:|--:|
${rows.join('\n')}
`,
  );
