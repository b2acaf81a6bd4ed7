/**
 * Measures the service under load: client processes with many threads that each ask for a hundred points, beside one
 * client that asks for a million; the same clients with CloudVolume; more clients than the service takes; and a soak
 * with a store behind it that fails. Every answer is checked, so nothing may be wrong or lost.
 *
 *   npx tsx bench/serve.ts --volumes VOLUMES --python PYTHON [--runs 5] [--processes 8] [--seconds 10]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HERE, startServer } from './harness.ts';
import { machine } from './machine.ts';

const { values: args } = parseArgs({
  options: {
    volumes: { type: 'string' },
    python: { type: 'string' },
    volume: { type: 'string', default: 'cseg64_gzip' },
    runs: { type: 'string', default: '5' },
    processes: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
});
if (!args.volumes || !args.python) throw new Error('give --volumes VOLUMES and --python PYTHON');
const { python } = args,
  volumes = resolve(args.volumes),
  processes = Number(args.processes),
  runs = Number(args.runs);
const only = args.only?.split(',');

/** What one client process measured. */
interface ClientReport {
  seconds: number;
  requests: number;
  points: number;
  wrong: number;
  failed: number;
  failures: string[];
  refused: number;
  slowest_refusal_ms: number;
  cpu_s: number;
  latencies_ms: number[];
}

const lineOf = async (child: ChildProcess): Promise<string> => {
  const lines = createInterface(child.stdout!);
  for await (const line of lines) return line;
  throw new Error(`${child.spawnfile} printed nothing`);
};

/** Starts the service. Its disk cache is off, and its memory cache is as it is by default. */
async function startService(path: string, ...flags: string[]): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    [join(HERE, '../dist/lib/cli/main.js'), 'serve', '--name', `v=${path}`, '--port', '0', ...flags],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const { url } = JSON.parse(await lineOf(child)) as { url: string };
  return { url: `${url}/v1/v`, child };
}

/** Resident memory of a process, in MB. */
const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) / 1024;

/** Processor seconds of a process with all its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A set of client processes that are ready, and start together. */
class Clients {
  readonly #children: ChildProcess[];
  readonly #lines: AsyncIterableIterator<string>[];

  private constructor(children: ChildProcess[]) {
    this.#children = children;
    this.#lines = children.map((child) => createInterface(child.stdout!)[Symbol.asyncIterator]());
  }

  static async start(count: number, parameters: (index: number) => string[]): Promise<Clients> {
    const clients = new Clients(
      Array.from({ length: count }, (_, index) =>
        spawn(python, [join(HERE, 'peers/serve_client.py'), ...parameters(index)], {
          stdio: ['pipe', 'pipe', 'inherit'],
        }),
      ),
    );
    for (const lines of clients.#lines) await lines.next();
    return clients;
  }

  async run(): Promise<ClientReport[]> {
    for (const { stdin } of this.#children) stdin!.end('go\n');
    return Promise.all(
      this.#lines.map(async (lines) => {
        const { value } = (await lines.next()) as { value: string };
        return JSON.parse(value) as ClientReport;
      }),
    );
  }
}

const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const median = (numbers: number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** The figures of one round of all clients. */
interface Round {
  requestsPerSecond: number;
  pointsPerSecond: number;
  p50: number;
  p99: number;
  wrong: number;
  failed: number;
  failures: string[];
  refused: number;
  slowestRefusal: number;
}

function roundOf(reports: readonly ClientReport[]): Round {
  const seconds = Math.max(...reports.map((report) => report.seconds)),
    sum = (key: 'requests' | 'points' | 'wrong' | 'failed' | 'refused'): number =>
      reports.reduce((total, report) => total + report[key], 0),
    latencies = Float64Array.from(reports.flatMap((report) => report.latencies_ms)).sort();
  return {
    requestsPerSecond: sum('requests') / seconds,
    pointsPerSecond: sum('points') / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    wrong: sum('wrong'),
    failed: sum('failed'),
    failures: reports.flatMap(({ failures }) => failures),
    refused: sum('refused'),
    slowestRefusal: Math.max(...reports.map((report) => report.slowest_refusal_ms)),
  };
}

const rows: string[] = [];
const check = ({ wrong, failed, failures }: Round): void => {
  if (wrong > 0 || failed > 0)
    throw new Error(`${wrong} wrong, ${failed} failed: ${failures.slice(0, 3).join('; ')}`);
};
const show = (name: string, rounds: readonly Round[], more = ''): void => {
  const of = (key: 'requestsPerSecond' | 'pointsPerSecond' | 'p50' | 'p99'): string =>
    median(rounds.map((round) => round[key])).toLocaleString('en', {
      maximumFractionDigits: key.startsWith('p5') || key === 'p99' ? 1 : 0,
    });
  rows.push(
    `| ${name} | ${rounds.length} | ${of('requestsPerSecond')} | ${of('pointsPerSecond')} | ${of('p50')} | ${of('p99')} | ${more} |`,
  );
  console.log(rows.at(-1));
};

const server = await startServer(volumes);
const cloudPath = `precomputed://${server.base}/${args.volume}`;
const points = (set: string): string[] => ['--points', join(volumes, set)];
const asking =
  (url: string, ...more: string[]) =>
  (index: number): string[] => [
    '--peer',
    'service',
    '--url',
    url,
    '--seed',
    String(index),
    '--seconds',
    args.seconds,
    ...more,
  ];
/** Uniform points, so that a hundred of them are in almost a hundred chunks, as with synapses in no order. */
const SET = 'u300k';
try {
  const service = await startService(cloudPath);
  const pid = service.child.pid!;
  // All chunks are read once, as by a service that has run for a while.
  await (
    await Clients.start(1, () => [
      '--peer',
      'service',
      '--url',
      service.url,
      ...points(SET),
      '--threads',
      '1',
      '--batch',
      '300000',
      '--requests',
      '1',
      '--form',
      'binary',
    ])
  ).run();
  const memory: number[] = [residentMb(pid)];
  const ours: Record<string, Round[]> = {},
    peers: Round[] = [],
    big: number[] = [],
    cpu: number[] = [];
  for (let round = 0; round < runs; round++) {
    for (const form of ['json', 'binary']) {
      const clients = await Clients.start(processes, asking(service.url, ...points(SET), '--form', form));
      const before = cpuSeconds(pid);
      const measured = roundOf(await clients.run());
      if (form === 'json') cpu.push(cpuSeconds(pid) - before);
      check(measured);
      (ours[form] ??= []).push(measured);
      memory.push(residentMb(pid));
    }
    const clients = await Clients.start(processes, asking(service.url, ...points(SET)));
    const million = await Clients.start(1, () => [
      '--peer',
      'service',
      '--url',
      service.url,
      ...points('u3M'),
      '--threads',
      '1',
      '--batch',
      '1000000',
      '--requests',
      '1',
      '--form',
      'binary',
    ]);
    const [small, [one]] = await Promise.all([clients.run(), million.run()]);
    check(roundOf([one]));
    check(roundOf(small));
    (ours['json, beside a request of 1,000,000'] ??= []).push(roundOf(small));
    big.push(one.seconds);
    memory.push(residentMb(pid));
    const cloudVolume = await Clients.start(processes, (index) => [
      '--peer',
      'cloudvolume',
      '--url',
      cloudPath,
      ...points(SET),
      '--seed',
      String(index),
      '--seconds',
      args.seconds,
    ]);
    const peer = roundOf(await cloudVolume.run());
    check(peer);
    peers.push(peer);
  }
  const times = (rounds: Round[]): string =>
    `${median(rounds.map((round, index) => round.pointsPerSecond / peers[index].pointsPerSecond)).toFixed(0)} times CloudVolume`;
  for (const [form, rounds] of Object.entries(ours)) show(`service, ${form}`, rounds, times(rounds));
  show('CloudVolume', peers);
  rows.push(
    '',
    `The million took ${median(big).toFixed(2)} s (median). Resident memory of the service, in MB: ${memory.map((mb) => mb.toFixed(0)).join(', ')}. CPU of the service in the JSON rounds: ${median(cpu).toFixed(1)} s of ${args.seconds}.`,
  );
  console.log(rows.at(-1));
  service.child.kill('SIGTERM');

  // Overload: a service that takes few requests, and the same clients.
  const small = await startService(cloudPath);
  for (const [name, pause] of [
    ['clients that wait', ['--pause']],
    ['clients that do not wait', []],
  ] as const) {
    const measured = roundOf(
      await (
        await Clients.start(2 * processes, asking(small.url, ...points(SET), ...pause, '--batch', '1000'))
      ).run(),
    );
    check(measured);
    show(
      `overload, ${name}`,
      [measured],
      `${measured.refused} refused, the slowest after ${measured.slowestRefusal.toFixed(0)} ms`,
    );
  }
  await sleep(1000);
  const after = roundOf(
    await (
      await Clients.start(1, asking(small.url, ...points(SET), '--threads', '1', '--seconds', '3'))
    ).run(),
  );
  check(after);
  show('after the overload: one thread', [after]);
  small.child.kill('SIGTERM');
} finally {
  server.stop();
}
const report = `# The service under load

${machine()} ${processes} client processes with 25 threads each, 100 points per request unless another number is given, in no order, over
${args.volume}; the server of the volume, the service and the clients share the processors. ${args.seconds} s per round; medians of rounds that take turns.
No answer was wrong, and none was lost.

| | rounds | requests/s | points/s | p50 ms | p99 ms | |
|---|--:|--:|--:|--:|--:|---|
${rows.join('\n')}
`;
if (!only) writeFileSync(join(HERE, 'results/serve.md'), report);
process.exit(0);
