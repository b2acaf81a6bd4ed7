/**
 * How long do points take, cold, beside CloudVolume and TensorStore? Every run is a fresh process; the peers take turns, so that the
 * ratio holds when the machine's speed drifts. Every answer is checked.
 *
 *   npm run bench -- --volumes DIR [--python PYTHON] [--server 'COMMAND …'] [--runs 5] [--sets c10k,u100k,u1M] [--names cseg_gzip,raw_gzip] [--cloudvolume NAMES]
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
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
    volumes: { type: 'string' }, python: { type: 'string' }, server: { type: 'string' }, runs: { type: 'string', default: '5' },
    sets: { type: 'string', default: 'c10k,u100k,u1M' }, names: { type: 'string', default: 'cseg_gzip,raw_gzip' }, cloudvolume: { type: 'string', default: '' },
  },
});
if (!args.volumes) throw new Error('--volumes DIR is needed: see bench/README.md');

interface Measured {
  wall_s: number;
  cpu_s: number;
  peak_mb: number;
  wrong: number;
  requests?: number;
  bytes?: number;
}

async function startServer(): Promise<{ base: string; child: ChildProcess }> {
  const [command, ...rest] = args.server ? [...args.server.split(' '), '-root', args.volumes!] : [process.execPath, '--import', 'tsx', join(HERE, 'serve.ts'), args.volumes!];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) return { base: `http://127.0.0.1:${line.split(' ')[1]}`, child };
  throw new Error('the server did not start');
}

async function measure(command: string, parameters: string[]): Promise<Measured> {
  const { stdout } = await run(command, parameters);
  const { cold, peak_rss_mb } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { cold: Omit<Measured, 'peak_mb'>; peak_rss_mb: number };
  if (cold.wrong > 0) throw new Error(`${cold.wrong} wrong answers: ${command} ${parameters.join(' ')}`);
  return { ...cold, peak_mb: peak_rss_mb };
}

const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);
const median = (numbers: number[]): number => sorted(numbers)[Math.floor(numbers.length / 2)];
const spread = (numbers: number[], digits: number): string => `${median(numbers).toFixed(digits)} (${sorted(numbers)[0].toFixed(digits)}–${sorted(numbers).at(-1)!.toFixed(digits)})`;

const { base, child } = await startServer();
const rows: string[] = [];
try {
  for (const name of args.names.split(','))
    for (const set of args.sets.split(',')) {
      const shared = ['--base', base, '--volume', name, '--points', join(args.volumes, set)];
      const ours = (): Promise<Measured> => measure(process.execPath, ['--import', 'tsx', join(HERE, 'measure.ts'), ...shared]);
      const peer = (...more: string[]) => (): Promise<Measured> => measure(args.python!, [join(HERE, 'peers/measure.py'), ...shared, ...more]);
      const peers: Record<string, () => Promise<Measured>> = { 'graphene-points': ours };
      if (args.python && /^(cseg|raw)/.test(name)) peers.TensorStore = peer('--peer', 'tensorstore');
      if (args.python && args.cloudvolume.split(',').includes(name) && set === 'c10k') Object.assign(peers, { 'CloudVolume, LRU 1 GB': peer('--peer', 'cloudvolume', '--lru', '1e9'), 'CloudVolume, no LRU': peer('--peer', 'cloudvolume') });
      await ours(); // the page cache is warm for everybody
      const taken: Record<string, Measured[]> = {};
      for (let round = 0; round < Number(args.runs); round++)
        for (const [who, go] of Object.entries(peers)) {
          if (who.startsWith('CloudVolume') && round >= 2) continue; // minutes a run
          (taken[who] ??= []).push(await go());
        }
      for (const [who, runs] of Object.entries(taken)) {
        const ratios = runs.map(({ wall_s }, round) => wall_s / taken['graphene-points'][round].wall_s);
        const of = (key: 'wall_s' | 'cpu_s' | 'peak_mb'): number[] => runs.map((r) => r[key]);
        const { requests = '', bytes } = runs[0];
        rows.push(`| ${name} | ${set} | ${who} | ${runs.length} | ${spread(of('wall_s'), 3)} | ${spread(ratios, 2)} | ${median(of('cpu_s')).toFixed(2)} | ${requests} | ${bytes === undefined ? '' : (bytes / 1e6).toFixed(1)} | ${median(of('peak_mb')).toFixed(0)} |`);
        console.log(rows.at(-1));
      }
    }
} finally {
  child.kill();
}
const report = `# Points, cold, over loopback HTTP

${machine()}
Median (least–most). "times ours" is the peer's seconds over ours in the same round.

| volume | points | who | runs | seconds | times ours | CPU s | requests | MB | peak MB |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|
${rows.join('\n')}
`;
mkdirSync(join(HERE, 'results'), { recursive: true });
writeFileSync(join(HERE, 'results/points.md'), report);
