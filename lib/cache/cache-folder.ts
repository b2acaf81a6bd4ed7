/**
 * The folder of a disk cache, shared by any number of processes without a server between them.
 *
 *     FOLDER/chunks-v1/          mode 0700
 *       00 … ff/HASH             entries, by the SHA-256 of their keys; the mtime says when one was last used
 *       tmp/HOST.PID.NAME.SIZE   files being written; renamed when complete
 *       written                  its length counts what was stored since the last collection, in units of 4 KiB
 *       bound                    what the last collection was to keep within
 *       lock                     whoever collects now
 *
 * Memory: some 200 bytes an entry while a collection lasts.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PathError } from '../base/errors.ts';

const UNIT = 4096;
/** A collection leaves this much of the bound; as much as `BETWEEN` is stored before the next one begins, and as much again while it lasts. */
const KEEP = 0.7,
  BETWEEN = 0.15;
/** After this long whoever held the lock or a file is gone, wherever it ran. */
const STALE_MS = 10 * 60_000;
/** After this long whoever made a lock and did not sign it was killed in between. */
const SIGNED_MS = 10_000;
const NAME = 'chunks-v1';
/** No entry is larger: no file makes a reader allocate more. */
export const LARGEST_ENTRY_BYTES = 1024 ** 3;

/** No two writers name a file alike: volumes of one process, workers, containers whose host and process have the same name. */
const WRITER = randomBytes(6).toString('hex');
let written = 0;

const onDisk = (bytes: number): number => Math.ceil(bytes / UNIT) * UNIT;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const isGone = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

export interface CollectionResult {
  entries: number;
  bytes: number;
  evicted: number;
  /** Whether more may be stored: what others are writing right now may leave none. */
  hasRoom: boolean;
}

export class CacheFolder {
  readonly path: string;
  readonly #maxBytes: number;

  constructor(folder: string, maxBytes: number) {
    this.path = join(folder, NAME);
    this.#maxBytes = maxBytes;
  }

  /**
   * Makes the folder where it is missing.
   * @throws PathError FORBIDDEN_ADDRESS when others may write there; the error of the file system.
   */
  async prepare(): Promise<void> {
    await preparePrivateFolder(this.path, 'chunks');
    await mkdir(join(this.path, 'tmp'), { recursive: true, mode: 0o700 });
  }

  /** Takes over from processes that ended, and from those that had more room. @throws The error of the file system. */
  async cleanUp(nowMs: number): Promise<void> {
    await this.#sweep(nowMs);
    const bound = Number(await readFile(join(this.path, 'bound'), 'utf8').catch(() => '')) || Infinity;
    if (bound > this.#maxBytes) await this.collect(nowMs);
  }

  fileOf(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex');
    return join(this.path, hash.slice(0, 2), hash);
  }

  /** The whole file, undefined when there is none. Of a larger one than `maxBytes`, which is none of ours, nothing. */
  async read(file: string, maxBytes: number): Promise<{ bytes: Uint8Array; usedMs: number } | undefined> {
    try {
      const handle = await open(file);
      try {
        const { size, mtimeMs } = await handle.stat();
        return { bytes: size > maxBytes ? new Uint8Array(0) : await handle.readFile(), usedMs: mtimeMs };
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async touch(file: string, nowMs: number): Promise<void> {
    // gone, or not ours to touch: only its turn comes sooner
    await utimes(file, nowMs / 1000, nowMs / 1000).catch(() => undefined);
  }

  async remove(file: string): Promise<void> {
    await unlink(file).catch((error: unknown) => {
      if (!isGone(error)) throw error;
    });
  }

  /**
   * Stores a file under its final name at once or not at all.
   * @returns false when the cache is full and somebody else is making room.
   * @throws The error of the file system.
   */
  async write(file: string, parts: readonly Uint8Array[], nowMs: number): Promise<boolean> {
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const temporary = this.#temporary(size);
    try {
      // There before it is counted: a collection in between sees the one or the other.
      const handle = await open(temporary, 'wx', 0o600);
      try {
        if (!(await this.#reserve(size, nowMs))) {
          await rm(temporary, { force: true });
          return false;
        }
        const { bytesWritten } = await handle.writev(parts as Uint8Array[]);
        // a disk that is nearly full takes a part, and says so at the next
        if (bytesWritten < size) await handle.writeFile(Buffer.concat(parts).subarray(bytesWritten));
      } finally {
        await handle.close();
      }
      await rename(temporary, file).catch(async (error: unknown) => {
        if (!isGone(error)) throw error;
        await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
        await rename(temporary, file);
      });
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    return true;
  }

  #temporary(size: number): string {
    return join(this.path, 'tmp', `${hostname()}.${process.pid}.${WRITER}-${written++}.${size}`);
  }

  /** Counts what is about to be stored, and makes room first where all of it together may be too much. */
  async #reserve(bytes: number, nowMs: number): Promise<boolean> {
    const counter = await open(join(this.path, 'written'), 'a', 0o600);
    let stored: number;
    try {
      await counter.write(new Uint8Array(onDisk(bytes) / UNIT)); // appended whole, whoever else appends
      stored = (await counter.stat()).size * UNIT;
    } finally {
      await counter.close();
    }
    // A lock that nobody holds any more is a collection that was cut short: it emptied the counter, but perhaps nothing else.
    const fits = stored <= BETWEEN * this.#maxBytes && (await this.#holder(nowMs)) !== 'dead';
    return fits || (await this.collect(nowMs))?.hasRoom === true;
  }

  /**
   * Deletes what was used least recently until a part of the bound is free, and what dead processes left behind.
   * @returns undefined when somebody else is at it.
   */
  async collect(nowMs: number): Promise<CollectionResult | undefined> {
    const release = await this.#lock(nowMs);
    if (!release) return undefined;
    try {
      // before the count: what comes meanwhile counts twice, not never
      await truncate(join(this.path, 'written'), 0).catch(() => undefined);
      const underWay = await this.#sweep(nowMs);
      const entries = await this.list();
      let bytes = 0,
        evicted = 0;
      for (const { size } of entries) bytes += size;
      entries.sort((a, b) => a.usedMs - b.usedMs);
      // Many files under way are mostly such as wait for this: entries make room for a part of them only.
      const most = KEEP * this.#maxBytes - Math.min(underWay, BETWEEN * this.#maxBytes);
      for (; bytes > most && evicted < entries.length; evicted++) {
        await this.remove(entries[evicted].file);
        bytes -= entries[evicted].size;
      }
      bytes += underWay;
      const hasRoom = bytes <= KEEP * this.#maxBytes;
      // As full as it was: whoever comes next collects again, and stores nothing unless that helps.
      if (!hasRoom)
        await truncate(join(this.path, 'written'), Math.floor((BETWEEN * this.#maxBytes) / UNIT) + 1).catch(
          () => undefined,
        );
      await writeFile(join(this.path, 'bound'), String(this.#maxBytes), { mode: 0o600 });
      return { entries: entries.length - evicted, bytes, evicted, hasRoom };
    } finally {
      await release();
    }
  }

  /** Every entry; the size is what it takes on the disk, in units of 4 KiB. */
  async list(): Promise<{ file: string; size: number; usedMs: number }[]> {
    const found: { file: string; size: number; usedMs: number }[] = [];
    for (const folder of await names(this.path)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      const files = (await names(join(this.path, folder))).map((name) => join(this.path, folder, name));
      const stats = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
      for (const [k, file] of files.entries()) {
        const known = stats[k];
        if (known?.isFile()) found.push({ file, size: onDisk(known.size), usedMs: known.mtimeMs });
      }
    }
    return found;
  }

  /** Deletes everything. */
  async clear(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 10 }); // others may be writing into it
  }

  /** Deletes what nobody is writing any more. @returns the bytes that others are. */
  async #sweep(nowMs: number): Promise<number> {
    let bytes = 0;
    for (const name of await names(join(this.path, 'tmp'))) {
      const file = join(this.path, 'tmp', name);
      const [, host, pid, size] = /^(.*)\.(\d+)\.[\w-]+\.(\d+)$/.exec(name) ?? [];
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs > STALE_MS || (host === hostname() && !isAlive(Number(pid))))
        await rm(file, { force: true });
      else bytes += onDisk(Number(size ?? 0));
    }
    return bytes;
  }

  async #lock(nowMs: number): Promise<(() => Promise<void>) | undefined> {
    const file = join(this.path, 'lock');
    const mine = `${hostname()} ${process.pid}`;
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await writeFile(file, mine, { flag: 'wx', mode: 0o600 });
        return () => rm(file, { force: true });
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      if ((await this.#holder(nowMs)) === 'alive') return undefined;
      // Of several who find it stale one moves it away.
      const aside = this.#temporary(0);
      await rename(file, aside).catch(() => undefined);
      await rm(aside, { force: true });
    }
    return undefined;
  }

  /** Whoever holds the lock. */
  async #holder(nowMs: number): Promise<'alive' | 'dead' | 'nobody'> {
    const file = join(this.path, 'lock');
    try {
      const [holder, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
      const [host, pid] = holder.split(' '),
        ageMs = nowMs - mtimeMs;
      const ended = pid === undefined ? ageMs > SIGNED_MS : host === hostname() && !isAlive(Number(pid));
      return ended || ageMs > STALE_MS ? 'dead' : 'alive';
    } catch (error) {
      if (isGone(error)) return 'nobody';
      throw error;
    }
  }
}

/**
 * Makes a folder where it is missing.
 * @param what It holds, for the message.
 * @throws PathError FORBIDDEN_ADDRESS when others may write there; the error of the file system.
 */
export async function preparePrivateFolder(path: string, what: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  const mine = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !mine || (process.getuid !== undefined && (found.mode & 0o077) !== 0))
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      `${path} is not a folder of yours that only you may enter (mode 0700): others could put false ${what} into it`,
    );
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isGone(error)) return [];
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
