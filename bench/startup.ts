/**
 * How long does the command line take to start? Wall time of `--version`, and CPU time of the first look-up of one point; medians.
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
/** Tells the process's own CPU time as its last line of standard error. */
const TELL =
  'data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1e3)})';

async function taken(parameters: readonly string[]): Promise<{ wallMs: number; cpuMs: number }> {
  const began = performance.now();
  const { stderr } = await run(process.execPath, ['--import', TELL, ...parameters]);
  return { wallMs: performance.now() - began, cpuMs: Number(stderr.trim().split('\n').at(-1)) };
}

const server = await startServer(args.volumes),
  folder = mkdtempSync(join(tmpdir(), 'graphene-points-'));
writeFileSync(join(folder, 'point.csv'), 'x,y,z\n100,200,300\n');
const cases = {
  'node, nothing': ['-e', '0'],
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
    for (const [name, parameters] of Object.entries(cases)) all.get(name)!.push(await taken(parameters));
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
