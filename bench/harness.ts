/** Helpers that the benchmarks share: the bucket server, one run of one case, medians. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export const HERE = import.meta.dirname;
const run = promisify(execFile);

/** The figures of one run. */
export interface Measured {
  wall_s: number;
  cpu_s: number;
  /** CPU time of the main thread alone, where the program and the system tell it. */
  main_cpu_s?: number | null;
  /** CPU time of the server during the whole run. */
  server_cpu_s?: number;
  /** Peak resident memory of the process, in MiB. */
  peak_mb: number;
  /** Peak resident memory before the first point was read, in MiB. */
  before_mb?: number;
  /** Number of wrong answers. */
  wrong: number;
  requests?: number;
  bytes?: number;
}

interface ServerStats {
  requests: number;
  bytes: number;
  cpu_s: number;
}

/** A running server of the benchmark volumes. */
export interface Server {
  base: string;
  name: string;
  /** Sets the wait before every reply. */
  setLatency(ms: number): Promise<void>;
  /** Sets the counters to zero. */
  reset(): Promise<void>;
  /** Returns what the server has counted since the last reset, and its CPU time since its start. */
  stats(): Promise<ServerStats>;
  stop(): void;
}

/**
 * Starts a server of the folder `root`: in Go if Go is installed, as it takes less CPU time, otherwise in
 * Node.
 */
export async function startServer(root: string): Promise<Server> {
  const binary = join(tmpdir(), `graphene-points-bench-server-${process.pid}`);
  let command = [process.execPath, join(HERE, 'server/serve.mjs'), root],
    name = 'Node';
  try {
    execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(HERE, 'server'), stdio: 'ignore' });
    [command, name] = [[binary, '-root', root], 'Go'];
  } catch {
    // Go is not installed
  }
  const child: ChildProcess = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  const base = `http://127.0.0.1:${line.split(' ')[1]}`;
  const get = async (path: string): Promise<Response> => fetch(base + path);
  return {
    base,
    name,
    setLatency: async (ms) => void (await (await get(`/__latency?ms=${ms}`)).text()),
    reset: async () => void (await (await get('/__reset')).text()),
    stats: async () => (await (await get('/__stats')).json()) as ServerStats,
    stop: () => void child.kill(),
  };
}

/**
 * Runs one case in a fresh process, which checks its own answers. Requests and bytes are as the server
 * counted them.
 *
 * @throws Error if any answer was wrong.
 */
export async function measure(
  server: Server,
  command: string,
  parameters: string[],
): Promise<{ cold: Measured; again?: Measured }> {
  await server.reset();
  const { cpu_s: serverBefore } = await server.stats();
  const { stdout } = await run(command, parameters, { maxBuffer: 1 << 26 });
  const output = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    before_mb?: number;
    cold: Measured;
    again?: Measured;
  };
  for (const pass of [output.cold, output.again])
    if (pass && pass.wrong > 0)
      throw new Error(`${pass.wrong} wrong answers: ${command} ${parameters.join(' ')}`);
  const { requests, bytes, cpu_s } = await server.stats();
  const counted = { requests, bytes, server_cpu_s: cpu_s - serverBefore };
  return { cold: { ...output.cold, before_mb: output.before_mb, ...counted }, again: output.again };
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
export const median = (numbers: readonly number[]): number => sorted(numbers)[Math.floor(numbers.length / 2)];
/** Formats numbers as `median (least–most)`, or a single number alone. */
export const spread = (numbers: readonly number[], digits: number): string =>
  numbers.length === 1
    ? numbers[0].toFixed(digits)
    : `${median(numbers).toFixed(digits)} (${sorted(numbers)[0].toFixed(digits)}–${sorted(numbers).at(-1)!.toFixed(digits)})`;

/** Returns the versions of Python and of the peers' packages, as that Python reports them. */
export async function peerVersions(python: string): Promise<string> {
  const names = ['cloud-volume', 'tensorstore', 'crackle-codec', 'compresso'];
  const { stdout } = await run(python, [
    '-c',
    `import importlib.metadata as m, sys; print("Python", sys.version.split()[0], *[n + " " + m.version(n) for n in ${JSON.stringify(names)}], sep=", ")`,
  ]);
  return stdout.trim();
}

export const hasVolume = (folder: string, name: string): boolean => existsSync(join(folder, name, 'info'));
