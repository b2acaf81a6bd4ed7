/** Servers of others, built from the Go module proxy at pinned versions below interop/.work, once, and run on loopback. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHILD_ENVIRONMENT, WORK } from './environment.ts';

/** Versions: what `go install` resolved on 2026-11-22. */
const TOOLS = {
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
  'fake-gcs-server': 'github.com/fsouza/fake-gcs-server@v1.56.1',
} as const;

const READY_MS = 30_000;

/** Path of the program. @throws Error when there is no Go, or the build fails. */
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A server that takes connections; ended when disposed of. */
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
  let lastWords = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (lastWords = (lastWords + text).slice(-2000)));
  const running = { origin: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => end(child) };
  for (const until = Date.now() + READY_MS; !(await answers(port)); await sleep(50)) {
    if (child.exitCode === null && Date.now() < until) continue;
    await end(child);
    throw new Error(`${name} does not listen on ${port}:\n${lastWords}`);
  }
  return running;
}

async function answers(port: number): Promise<boolean> {
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
  const left = once(child, 'close');
  child.kill('SIGKILL');
  await left;
}
