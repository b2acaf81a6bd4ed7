/** What every benchmark of points shares: the server, one run of one case, medians. */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export const HERE = import.meta.dirname;
const run = promisify(execFile);

export interface Measured {
  wall_s: number;
  cpu_s: number;
  /** Largest resident size of the process. */
  peak_mb: number;
  /** The same before the first point was read. */
  before_mb?: number;
  wrong: number;
  requests?: number;
  bytes?: number;
}

export interface Server {
  base: string;
  name: string;
  setLatency(ms: number): Promise<void>;
  reset(): Promise<void>;
  stats(): Promise<{ requests: number; bytes: number }>;
  stop(): void;
}

/** In Go where there is Go, as it takes the least of the cores that all share; else in Node. */
export async function startServer(root: string): Promise<Server> {
  const binary = join(tmpdir(), `graphene-points-bench-server-${process.pid}`);
  let command = [process.execPath, join(HERE, 'server/serve.mjs'), root],
    name = 'Node';
  try {
    execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(HERE, 'server'), stdio: 'ignore' });
    [command, name] = [[binary, '-root', root], 'Go'];
  } catch {
    // no Go here
  }
  const child: ChildProcess = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  const base = `http://127.0.0.1:${line.split(' ')[1]}`;
  const ask = async (path: string): Promise<Response> => fetch(base + path);
  return {
    base,
    name,
    setLatency: async (ms) => void (await (await ask(`/__latency?ms=${ms}`)).text()),
    reset: async () => void (await (await ask('/__reset')).text()),
    stats: async () => (await (await ask('/__stats')).json()) as { requests: number; bytes: number },
    stop: () => void child.kill(),
  };
}

/** One case in a fresh process; the answers are checked there. Requests and bytes are what the server counted. */
export async function measure(
  server: Server,
  command: string,
  parameters: string[],
): Promise<{ cold: Measured; again?: Measured }> {
  await server.reset();
  const { stdout } = await run(command, parameters, { maxBuffer: 1 << 26 });
  const taken = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    before_mb?: number;
    cold: Measured;
    again?: Measured;
  };
  for (const one of [taken.cold, taken.again])
    if (one && one.wrong > 0)
      throw new Error(`${one.wrong} wrong answers: ${command} ${parameters.join(' ')}`);
  const { requests, bytes } = await server.stats();
  return { cold: { ...taken.cold, before_mb: taken.before_mb, requests, bytes }, again: taken.again };
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
export const median = (numbers: readonly number[]): number => sorted(numbers)[Math.floor(numbers.length / 2)];
/** Median (least–most). */
export const spread = (numbers: readonly number[], digits: number): string =>
  numbers.length === 1
    ? numbers[0].toFixed(digits)
    : `${median(numbers).toFixed(digits)} (${sorted(numbers)[0].toFixed(digits)}–${sorted(numbers).at(-1)!.toFixed(digits)})`;

/** `versions` of the peers, as their own Python says. */
export async function peerVersions(python: string): Promise<string> {
  const names = ['cloud-volume', 'tensorstore', 'crackle-codec', 'compresso'];
  const { stdout } = await run(python, [
    '-c',
    `import importlib.metadata as m, sys; print("Python", sys.version.split()[0], *[n + " " + m.version(n) for n in ${JSON.stringify(names)}], sep=", ")`,
  ]);
  return stdout.trim();
}

export const hasVolume = (folder: string, name: string): boolean => existsSync(join(folder, name, 'info'));
