/**
 * Locks that allow one writer per file. `FILE.lock` names the process that writes FILE, and is deleted when
 * the writing ends.
 *
 * The package proper-lockfile is not used, because its locks depend on a timer: a killed run would block the
 * file for ten seconds, and a run with a busy event loop could lose its lock. Here a lock is valid exactly as
 * long as its process runs.
 */
import { closeSync, openSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { TableError } from '../../base/errors.ts';
import { getOwnIdentity, type RunIdentity, findRunState } from './run-identity.ts';

/**
 * Another process writes or deletes a lock within microseconds. If it takes longer than all tries, it was
 * killed.
 */
const TRIES = 10,
  TRY_MS = 20;

/** The locks that this process holds. They are deleted when it exits, except after SIGKILL. */
const heldLocks = new Set<string>();
let hasExitHandler = false;

/** Options of `lockOutput`. */
export interface LockOptions {
  /** The name of the file in messages. */
  displayName: string;
  warn?: (message: string) => void;
}

/**
 * Locks a file, and takes over the lock of a run that has ended.
 *
 * @returns A function that removes the lock.
 * @throws TableError IN_USE; the file system's error if no lock can be created.
 */
export async function lockOutput(
  path: string,
  { displayName, warn = () => {} }: LockOptions,
): Promise<() => void> {
  const lock = `${path}.lock`;
  for (let tries = 0; ;) {
    if (create(lock)) {
      if (!hasExitHandler) process.once('exit', releaseAll);
      hasExitHandler = true;
      heldLocks.add(lock);
      return () => {
        if (heldLocks.delete(lock)) rmSync(lock, { force: true });
      };
    }
    const found = readLock(lock);
    if (found === undefined) continue; // deleted in the meantime
    if (found === '' && tries++ < TRIES) {
      await wait(TRY_MS);
      continue;
    }
    const run = found === '' ? undefined : parseLock(found);
    if (found !== '' && !run)
      throw new TableError(
        'IN_USE',
        `${displayName} cannot be locked: ${lock} exists and is not a lock of this program; move it away`,
      );
    const state = run ? findRunState(run) : 'gone';
    if (state === 'running')
      throw new TableError(
        'IN_USE',
        `${displayName} is being written by another run (process ${run!.pid}): wait until it ends, or write to another file`,
      );
    if (state === 'elsewhere')
      throw new TableError(
        'IN_USE',
        `${displayName} is being written by another run (process ${run!.pid} on ${run!.host}); if that run has ended, delete ${lock}`,
      );
    if (deleteOldLock(lock, found))
      warn(
        `${displayName} was left locked by a run that has ended${run ? ` (process ${run.pid})` : ''}; its lock is taken over`,
      );
    else if (tries++ < TRIES) await wait(TRY_MS);
    else
      throw new TableError(
        'IN_USE',
        `${displayName} cannot be locked: ${lock}.lock was left by a run that was killed; delete it`,
      );
  }
}

/** Creates a lock. @returns false if it already exists. */
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
 * Deletes a lock whose process has ended, unless another process did so in the meantime: two processes that
 * see the same old lock must not delete each other's new locks. While it deletes, a process holds
 * `FILE.lock.lock` for a few microseconds.
 *
 * @returns false if the lock has changed, or another process is deleting it.
 */
function deleteOldLock(lock: string, seen: string): boolean {
  const guard = `${lock}.lock`;
  if (!create(guard)) return false;
  try {
    if (readLock(lock) !== seen) return false;
    rmSync(lock, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

/** Marks the locks of this program. */
const PROGRAM = 'graphene-points';

function readLock(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseLock(text: string): RunIdentity | undefined {
  try {
    const lock = JSON.parse(text) as RunIdentity & { program: string };
    return lock.program === PROGRAM && Number.isSafeInteger(lock.pid) && lock.pid > 0 ? lock : undefined;
  } catch {
    return undefined;
  }
}

function releaseAll(): void {
  for (const lock of heldLocks) rmSync(lock, { force: true });
}
