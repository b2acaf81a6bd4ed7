/**
 * Measures how long the command line takes to start: the wall time and the CPU time of `--version` and of a
 * look-up of one point, as medians.
 *
 *   npm run build && tsx bench/startup.ts --volumes DIR [--runs 9]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { HERE, median, spread, startServer } from './harness.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    volumes: { type: 'string', default: join(HERE, '.work/volumes') },
    runs: { type: 'string', default: '9' },
    note: { type: 'string', default: '' },
  },
});
const run = promisify(execFile),
  main = join(HERE, '../dist/lib/cli/main.js');
/** A module that prints the process's CPU time, in milliseconds, as the last line of standard error. */
const PRINT_CPU_MS =
  'data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1e3)})';

async function measure(parameters: readonly string[]): Promise<{ wallMs: number; cpuMs: number }> {
  const began = performance.now();
  const { stderr } = await run(process.execPath, ['--import', PRINT_CPU_MS, ...parameters]);
  return { wallMs: performance.now() - began, cpuMs: Number(stderr.trim().split('\n').at(-1)) };
}

const server = await startServer(args.volumes),
  folder = mkdtempSync(join(tmpdir(), 'graphene-points-'));
writeFileSync(join(folder, 'point.csv'), 'x,y,z\n100,200,300\n');
const cases = {
  'node, empty program': ['-e', '0'],
  '--version': [main, '--version'],
  'lookup of one point': [
    main,
    'lookup',
    `${server.base}/cseg_gzip`,
    '--points',
    join(folder, 'point.csv'),
    '--quiet',
  ],
};
const rows: string[] = [];
try {
  const all = new Map<string, { wallMs: number; cpuMs: number }[]>(
    Object.keys(cases).map((name) => [name, []]),
  );
  for (let round = 0; round < Number(args.runs); round++)
    for (const [name, parameters] of Object.entries(cases)) all.get(name)!.push(await measure(parameters));
  for (const [name, runs] of all)
    rows.push(
      `| ${name} | ${runs.length} | ${spread(
        runs.map(({ wallMs }) => wallMs),
        0,
      )} | ${spread(
        runs.map(({ cpuMs }) => cpuMs),
        0,
      )} |`,
    );
  console.log(
    rows.join('\n'),
    `\n${median(all.get('--version')!.map(({ wallMs }) => wallMs)).toFixed(0)} ms`,
  );
} finally {
  server.stop();
  rmSync(folder, { recursive: true });
}
writeFileSync(
  join(HERE, 'results/startup.md'),
  `# Start of the command line

${machine()} ${args.note}
Median (least–most), milliseconds.

| command | runs | wall | CPU |
|---|--:|--:|--:|
${rows.join('\n')}
`,
);
