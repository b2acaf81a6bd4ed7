/**
 * One writer a file: `FILE.lock` says which process writes FILE, and goes away with that process's work.
 *
 * Not by proper-lockfile: its locks live by a timer, so that a killed run would block the file for ten seconds, and a run whose
 * event loop is held that long would lose it. Here a lock stands as long as its process does, and no longer.
 */
import { closeSync, openSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { TableError } from '../../base/errors.ts';
import { getOwnIdentity, type RunIdentity, findRunState } from './run-identity.ts';

/** Making a lock and writing it, or taking one away, takes another process microseconds: who is longer about it was killed. */
const TRIES = 10,
  TRY_MS = 20;

/** Locks that this process holds; whatever ends it, short of SIGKILL, they go. */
const held = new Set<string>();
let watching = false;

export interface LockOptions {
  /** What messages call the file. */
  displayName: string;
  warn?: (message: string) => void;
}

/**
 * @returns what gives the file free.
 * @throws TableError IN_USE, and what the file system says where no lock can be made.
 */
export async function lockOutput(
  path: string,
  { displayName: called, warn = () => {} }: LockOptions,
): Promise<() => void> {
  const lock = `${path}.lock`;
  for (let tries = 0; ;) {
    if (create(lock)) {
      if (!watching) process.once('exit', releaseAll);
      watching = true;
      held.add(lock);
      return () => {
        if (held.delete(lock)) rmSync(lock, { force: true });
      };
    }
    const found = contentOf(lock);
    if (found === undefined) continue; // given free meanwhile
    if (found === '' && tries++ < TRIES) {
      await wait(TRY_MS);
      continue;
    }
    const run = found === '' ? undefined : runOf(found);
    if (found !== '' && !run)
      throw new TableError(
        'IN_USE',
        `${called} cannot be locked: ${lock} is there, and is not a lock of this program; move it away`,
      );
    const state = run ? findRunState(run) : 'gone';
    if (state === 'running')
      throw new TableError(
        'IN_USE',
        `${called} is being written by another run (process ${run!.pid}): wait for its end, or write to another file`,
      );
    if (state === 'elsewhere')
      throw new TableError(
        'IN_USE',
        `${called} is being written by another run (process ${run!.pid} on ${run!.host}); if that is over, delete ${lock}`,
      );
    if (takeAway(lock, found))
      warn(
        `${called} was left locked by a run that is gone${run ? ` (process ${run.pid})` : ''}; its lock is taken over`,
      );
    else if (tries++ < TRIES) await wait(TRY_MS);
    else
      throw new TableError(
        'IN_USE',
        `${called} cannot be locked: ${lock}.lock was left by a run that was killed; delete it`,
      );
  }
}

/** @returns false where there is one. */
function create(lock: string): boolean {
  let fd: number;
  try {
    fd = openSync(lock, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(fd, `${JSON.stringify({ program: PROGRAM, ...getOwnIdentity() })}\n`);
  } catch (error) {
    unlinkSync(lock);
    throw error;
  } finally {
    closeSync(fd);
  }
  return true;
}

/**
 * Deletes a lock whose process is gone, unless another has done so meanwhile: two who see the same old lock must not delete each other's
 * new ones. Whoever deletes holds `FILE.lock.lock`, for microseconds and without waiting.
 */
function takeAway(lock: string, seen: string): boolean {
  const guard = `${lock}.lock`;
  if (!create(guard)) return false;
  try {
    if (contentOf(lock) !== seen) return false;
    rmSync(lock, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

const PROGRAM = 'graphene-points';

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function runOf(text: string): RunIdentity | undefined {
  try {
    const lock = JSON.parse(text) as RunIdentity & { program: string };
    return lock.program === PROGRAM && Number.isSafeInteger(lock.pid) && lock.pid > 0 ? lock : undefined;
  } catch {
    return undefined;
  }
}

function releaseAll(): void {
  for (const lock of held) rmSync(lock, { force: true });
}
