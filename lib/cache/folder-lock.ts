/**
 * The lock of a cache folder, and its temporary files. Any number of processes share them, and any of them
 * may be killed.
 */
import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** After this time, the process that held a lock or wrote a file has ended, on whatever machine it ran. */
const STALE_MS = 10 * 60_000;
/** After this time, a process that created a lock without writing its name into it was killed in between. */
const UNSIGNED_LOCK_MS = 10_000;

/**
 * Keeps the names of all users of a folder distinct: volumes of one process, workers, and containers with
 * equal host names and process IDs.
 */
const USER = randomBytes(6).toString('hex');
let names = 0;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
/** Whether an error means that a file does not exist. */
export const isNotFound = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** The files `lock` and `tmp/HOST.PID.NAME` of one folder. */
export class FolderLock {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Returns a new path in `tmp`. */
  temporary(): string {
    return join(this.#folder, 'tmp', `${hostname()}.${process.pid}.${USER}-${names++}`);
  }

  /** Deletes temporary files of processes that have ended. */
  async sweep(nowMs: number): Promise<void> {
    for (const name of await namesIn(join(this.#folder, 'tmp'))) {
      const file = join(this.#folder, 'tmp', name);
      const [, host, pid] = /^(.*)\.(\d+)\.[\w-]+$/.exec(name) ?? [];
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs > STALE_MS || (host === hostname() && !isAlive(Number(pid))))
        await rm(file, { force: true });
    }
  }

  /**
   * Takes the lock.
   * @param onUnfinished Called before a lock is taken whose process has ended before it released it.
   * @returns a function that releases it; undefined if another process holds it.
   */
  async take(nowMs: number, onUnfinished: () => Promise<void>): Promise<(() => Promise<void>) | undefined> {
    const file = join(this.#folder, 'lock');
    const mine = `${hostname()} ${process.pid} ${USER}-${names++}`;
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await writeFile(file, mine, { flag: 'wx', mode: 0o600 });
        return () => this.#remove(mine);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const { state, text } = await this.holder(nowMs);
      if (state === 'alive') return undefined;
      if (state === 'nobody') continue;
      await onUnfinished();
      await this.#remove(text);
    }
    return undefined;
  }

  /**
   * Removes the lock if it has this text. Meanwhile another process may have removed it and a third may have
   * taken it, so it is moved away first, and put back if it is another lock.
   */
  async #remove(text: string): Promise<void> {
    const aside = this.temporary();
    try {
      await rename(join(this.#folder, 'lock'), aside);
      if ((await readFile(aside, 'utf8')) !== text) await link(aside, join(this.#folder, 'lock'));
    } catch {
      // There is no lock to remove, or a process has taken it in that moment. Then both collect, which does
      // no harm.
    }
    await rm(aside, { force: true });
  }

  /** Tells whether the lock is held by a live process, by a dead one, or by none; and what it says. */
  async holder(nowMs: number): Promise<{ state: 'alive' | 'dead' | 'nobody'; text: string }> {
    const file = join(this.#folder, 'lock');
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
      const [host, pid] = text.split(' '),
        ageMs = nowMs - mtimeMs;
      const ended =
        pid === undefined ? ageMs > UNSIGNED_LOCK_MS : host === hostname() && !isAlive(Number(pid));
      return { state: ended || ageMs > STALE_MS ? 'dead' : 'alive', text };
    } catch (error) {
      if (isNotFound(error)) return { state: 'nobody', text: '' };
      throw error;
    }
  }
}

/** Returns the names in a folder; none if it does not exist. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
