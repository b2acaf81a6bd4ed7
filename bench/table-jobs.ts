/**
 * Measures `graphene-points lookup` from Parquet to Parquet on a table of many million rows in no order, roots included. DuckDB
 * compares every row with the truth.
 *
 *     npm run build && PYTHON bench/peers/table.py VOLUMES/cseg_gzip 20000000 TABLE
 *     npx tsx bench/table-jobs.ts --volumes VOLUMES --table TABLE [--volume cseg_gzip] [--workers N] [--runs N] [--kills]
 *
 * With `--kills`, the table is a job whose process is killed while it sorts, while it looks up and while it writes, and that is resumed
 * each time.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { HERE, median, startServer } from './harness.ts';
import { machine } from './machine.ts';

const run = promisify(execFile);
const { values: args } = parseArgs({
  options: {
    volumes: { type: 'string' },
    table: { type: 'string' },
    volume: { type: 'string', default: 'cseg_gzip' },
    workers: { type: 'string' },
    runs: { type: 'string', default: '1' },
    profile: { type: 'string' },
    kills: { type: 'boolean', default: false },
  },
});
if (args.volumes === undefined || args.table === undefined)
  throw new Error('--volumes and --table are needed');
const MAIN = join(HERE, '../dist/lib/cli/main.js'),
  table = join(resolve(args.table), 'table.parquet'),
  truth = join(resolve(args.table), 'truth.parquet');

/** What one run took. */
interface Figures {
  wall_s: number;
  cpu_s: number;
  peak_mb: number;
  bucket_cpu_s: number;
  graph_cpu_s: number;
  requests: number;
  rootRequests: number;
  ids: number;
  out_mb: number;
}

const scratch = mkdtempSync(join(tmpdir(), 'graphene-points-tables-'));
const bucket = await startServer(resolve(args.volumes));
const graph = spawn(
  process.execPath,
  ['--import', 'tsx', join(HERE, 'arithmetic-graph.ts'), `${bucket.base}/${args.volume}`],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
const [line] = (await once(createInterface(graph.stdout), 'line')) as [string];
const graphBase = `http://127.0.0.1:${line.split(' ')[1]}`;
const countGraph = async (): Promise<{ requests: number; ids: number; server_cpu_s: number }> =>
  (await (await fetch(`${graphBase}/count`)).json()) as {
    requests: number;
    ids: number;
    server_cpu_s: number;
  };

const program = (...more: string[]): string[] => [
  ...(args.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', args.profile]),
  ...['--import', join(HERE, 'report-usage.mjs'), MAIN],
  ...more,
];
const lookup = (out: string): string[] => [
  ...['--out', out, '--quiet', '--timestamp', '2025-01-01T00:00:00Z'],
  ...(args.workers === undefined ? [] : ['--workers', args.workers]),
];

/** Returns the names of the files in a folder of a job. */
const filesIn = (...path: string[]): string[] => {
  try {
    return readdirSync(join(scratch, 'job', ...path));
  } catch {
    return [];
  }
};
const tasksDone = (): number => filesIn('tasks').filter((name) => name.endsWith('.answers')).length;

/** Runs a step of a job, and kills its process as soon as `when` is true. */
async function runUntil(step: string[], env: NodeJS.ProcessEnv, when: () => boolean): Promise<void> {
  const child = spawn(process.execPath, program(...step), { stdio: 'inherit', env }),
    ended = once(child, 'exit'),
    polling = setInterval(() => when() && child.kill('SIGKILL'), 5);
  const [code, signal] = (await ended) as [number | null, string | null];
  clearInterval(polling);
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`${step[1]} ended with ${code ?? signal}`);
  console.log(`job ${step[1]}: ${signal ?? 'done'}, ${tasksDone()} tasks are done`);
}

/** Runs a job that is killed three times. */
async function runKilled(volume: string, out: string, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = join(scratch, 'job'),
    resume = ['job', 'resume', folder, '--quiet'];
  const isDraft = (name: string): boolean =>
    name.startsWith('out.parquet.') || name.startsWith('.out.parquet');
  const points = (): number => {
    try {
      return statSync(join(folder, 'points')).size;
    } catch {
      return 0;
    }
  };
  await runUntil(
    ['job', 'run', table, '--volume', volume, '--job', folder, ...lookup(out)],
    env,
    () => points() > 100e6,
  );
  await runUntil(resume, env, () => tasksDone() >= 7);
  await runUntil(resume, env, () =>
    readdirSync(scratch).some((name) => isDraft(name) && statSync(join(scratch, name)).size > 50e6),
  );
  await runUntil(resume, env, () => false);
  rmSync(folder, { recursive: true });
}

async function measure(out: string): Promise<Figures> {
  await bucket.reset();
  await countGraph();
  const { cpu_s: before } = await bucket.stats(),
    usage = join(scratch, 'usage.json'),
    began = performance.now();
  const env = { ...process.env, GRAPHENE_BENCH_USAGE: usage },
    volume = `graphene://${graphBase}/segmentation/table/t`;
  if (args.kills) await runKilled(volume, out, env);
  else await run(process.execPath, program('lookup', volume, '--points', table, ...lookup(out)), { env });
  const wall_s = (performance.now() - began) / 1000;
  const { requests, cpu_s } = await bucket.stats(),
    counted = await countGraph();
  return {
    wall_s,
    ...(JSON.parse(readFileSync(usage, 'utf8')) as { cpu_s: number; peak_mb: number }),
    bucket_cpu_s: cpu_s - before,
    graph_cpu_s: counted.server_cpu_s,
    requests,
    rootRequests: counted.requests,
    ids: counted.ids,
    out_mb: statSync(out).size / 1e6,
  };
}

/** Compares the rows, one after the other. @returns The number of rows. @throws Error if any differs. */
async function check(out: string): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { preserve_insertion_order: 'true' }),
    connection = await instance.connect();
  const [wrong, ours, theirs] = (
    await connection.runAndReadAll(`
      WITH pairs AS (
        SELECT a.id AS a, b.id AS b, i.id AS i, a.supervoxel_id AS asv, b.supervoxel_id AS bsv, a.root_id AS ar, b.root_id AS br,
          a.status AS status, (a.x, a.y, a.z, a.score) IS DISTINCT FROM (i.x, i.y, i.z, i.score) AS moved
        FROM '${out}' a POSITIONAL JOIN '${truth}' b POSITIONAL JOIN '${table}' i)
      SELECT count(*) FILTER (a IS DISTINCT FROM b OR a IS DISTINCT FROM i OR asv IS DISTINCT FROM bsv OR ar IS DISTINCT FROM br OR moved
        OR status IS DISTINCT FROM CASE WHEN bsv = 0 THEN 'background' ELSE 'ok' END), count(a), count(b) FROM pairs`)
  ).getRows()[0] as bigint[];
  connection.closeSync();
  instance.closeSync();
  if (wrong !== 0n || ours !== theirs)
    throw new Error(`${wrong} of ${ours} rows differ from ${theirs} true rows`);
  return Number(ours);
}

try {
  const all: Figures[] = [];
  let rows = 0;
  for (let k = 0; k < Number(args.runs); k++) {
    const out = join(scratch, 'out.parquet');
    all.push(await measure(out));
    rows = await check(out);
    rmSync(out);
  }
  const middle = (key: keyof Figures): number => median(all.map((figures) => figures[key]));
  const cpu = middle('cpu_s') + middle('bucket_cpu_s') + middle('graph_cpu_s');
  const walls = all.map(({ wall_s }) => wall_s.toFixed(1));
  console.log(machine(), `Seconds of each run: ${walls.join(', ')}.`);
  console.log(
    `| ${args.volume} | ${rows} | ${middle('wall_s').toFixed(1)} | ${(rows / middle('wall_s') / 1e6).toFixed(2)} M | ${middle('cpu_s').toFixed(1)} | ${middle('bucket_cpu_s').toFixed(2)} | ${middle('graph_cpu_s').toFixed(2)} | ${((cpu / rows) * 1e6).toFixed(2)} | ${middle('peak_mb')} | ${middle('requests')} | ${middle('rootRequests')} | ${middle('ids')} | ${middle('out_mb').toFixed(0)} |`,
  );
} finally {
  bucket.stop();
  graph.kill();
  rmSync(scratch, { recursive: true, force: true });
}
