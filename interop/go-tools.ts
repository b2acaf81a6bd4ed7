/**
 * Builds third-party servers written in Go, once, at pinned versions below interop/.work, and runs them on
 * loopback.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHILD_ENVIRONMENT, WORK } from './environment.ts';

/** The versions are those that `go install` found on 2026-11-22. */
const TOOLS = {
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  'fake-gcs-server': 'github.com/fsouza/fake-gcs-server@v1.56.1',
} as const;

const READY_MS = 30_000;

/**
 * Builds a server if needed.
 *
 * @returns The path of the program.
 * @throws Error if Go is not installed or the build fails.
 */
export function buildTool(name: keyof typeof TOOLS): string {
  const module = TOOLS[name],
    folder = join(WORK, `go-${name}-${module.split('@')[1]}`),
    program = join(folder, name);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const began = performance.now();
  console.log(`building ${module}`);
  try {
    execFileSync('go', ['install', module], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, GOBIN: folder, GOFLAGS: '-trimpath' },
    });
  } catch (error) {
    throw new Error(
      `go install ${module} failed: is Go 1.25 or later in PATH?\n${String((error as { stderr?: Buffer }).stderr ?? error).slice(-2000)}`,
    );
  }
  console.log(`built in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return program;
}

/** Returns a port on loopback that no program uses at present. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a server and waits until it accepts connections. The server stops when the result is disposed of.
 */
export async function startTool(
  name: keyof typeof TOOLS,
  port: number,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<AsyncDisposable & { origin: string }> {
  const child = spawn(buildTool(name), args, {
    env: { ...CHILD_ENVIRONMENT, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastOutput = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (lastOutput = (lastOutput + text).slice(-2000)));
  const running = { origin: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => end(child) };
  for (const until = Date.now() + READY_MS; !(await acceptsConnections(port)); await sleep(50)) {
    if (child.exitCode === null && Date.now() < until) continue;
    await end(child);
    throw new Error(`${name} does not listen on port ${port}:\n${lastOutput}`);
  }
  return running;
}

async function acceptsConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const result = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return result;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}
