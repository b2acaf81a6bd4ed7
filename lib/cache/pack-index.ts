/**
 * The index of packs, as one process knows it. It is read on first use; afterwards only what was appended
 * since. Any process may replace the file by one without the entries of evicted packs.
 *
 * Memory: 48 to 56 bytes per record, at most 400 MB.
 */
import { rename, rm, stat } from 'node:fs/promises';
import { closeFile, openFile, readPart, statOpenFile, writeParts } from './file-calls.ts';
import { appendRecords, indexFile, packFile, type EntryPlace } from './pack-files.ts';
import { RecordTable, type PackPosition } from './pack-record.ts';

/** A longer index is used from here to its end. */
const MOST_INDEX_BYTES = 256 * 1024 * 1024;
/** For this long after the file was read, an entry that it named is used. */
const FOUND_MS = 1000;
/** For this long after the file was read, an entry that it did not name is missing. */
const MISSING_MS = 200;

/** So many changes of this process are remembered one by one. */
const MOST_CHANGED = 10_000;

/** One index file, identified as long as it is not replaced. */
interface KnownFile {
  id: string;
  /** Bytes that are in the table. */
  used: number;
}

/** Finds entries by the hashes of their keys. */
export class PackIndex {
  readonly #folder: string;
  #table = new RecordTable();
  #known: KnownFile | undefined;
  /** When the file was read last. */
  #readMs = -Infinity;
  /** Hashes, as text, of entries that this process has changed since the file was read. */
  readonly #changed = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Returns the place of an entry; undefined if there is none. */
  async find(hash: Uint8Array, nowMs: number): Promise<EntryPlace | undefined> {
    const ageMs = Math.abs(nowMs - this.#readMs);
    let found = ageMs < FOUND_MS ? this.#table.find(hash) : undefined;
    if (ageMs >= (found ? FOUND_MS : MISSING_MS) || this.#changed.has(textOf(hash))) {
      await this.refresh();
      this.#readMs = nowMs;
      found = this.#table.find(hash);
    }
    return found && { ...found, file: packFile(this.#folder, found.pack) };
  }

  /** Lets the next look-up of a hash read the file again. */
  expire(hash: Uint8Array): void {
    if (this.#changed.size >= MOST_CHANGED) {
      this.#changed.clear();
      this.#readMs = -Infinity;
    }
    this.#changed.add(textOf(hash));
  }

  /**
   * Reads what was appended since.
   * @throws The error of the file system.
   */
  refresh(): Promise<void> {
    // A refresh that runs may have begun before the caller's record was written.
    return (this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#running = this.#next!;
        this.#next = undefined;
        this.#changed.clear();
        return this.#read();
      }));
  }

  /** Lists all entries. */
  async *entries(): AsyncGenerator<PackPosition & EntryPlace & { hash: Uint8Array }> {
    await this.refresh();
    for (const entry of this.#table.entries()) yield { ...entry, file: packFile(this.#folder, entry.pack) };
  }

  /**
   * Replaces the file by one without the entries of packs that are no more.
   * @param temporary The path of a file that does not exist, in the same file system.
   * @param kept The names of packs that exist. Others may be new.
   * @throws The error of the file system.
   */
  async compact(temporary: string, kept: ReadonlySet<string>): Promise<void> {
    const file = indexFile(this.#folder);
    const fd = await openFile(file, 'r');
    try {
      const { size } = await statOpenFile(fd),
        from = Math.max(0, size - MOST_INDEX_BYTES / 2),
        bytes = await readPart(fd, from, size - from);
      const table = new RecordTable();
      table.add(bytes);
      const left = Buffer.concat(await this.#existing(table, kept));
      const copy = await openFile(temporary, 'wx', 0o600);
      try {
        await writeParts(copy, [left]);
        await rename(temporary, file);
        // Writers that had opened the old file may have appended until now. Later ones notice that it was
        // replaced.
        const end = from + bytes.byteLength,
          late = await readPart(fd, end, (await statOpenFile(fd)).size - end);
        if (late.byteLength > 0) await appendRecords(this.#folder, late);
      } finally {
        await closeFile(copy);
      }
    } finally {
      await closeFile(fd);
      await rm(temporary, { force: true });
    }
  }

  /** Returns the records of a table whose packs exist. */
  async #existing(table: RecordTable, kept: ReadonlySet<string>): Promise<Uint8Array[]> {
    const exists = new Map([...kept].map((pack) => [pack, true]));
    const records: Uint8Array[] = [];
    for (const { pack, record } of table.entries()) {
      if (!exists.has(pack)) exists.set(pack, await fileExists(packFile(this.#folder, pack)));
      if (exists.get(pack)) records.push(record);
    }
    return records;
  }

  async #read(): Promise<void> {
    let fd: number;
    try {
      fd = await openFile(indexFile(this.#folder), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      [this.#table, this.#known] = [new RecordTable(), undefined];
      return;
    }
    try {
      const { size, ino, birthtimeMs } = await statOpenFile(fd),
        id = `${ino} ${birthtimeMs}`;
      if (this.#known?.id !== id || size < this.#known.used) {
        this.#table = new RecordTable();
        this.#known = { id, used: Math.max(0, size - MOST_INDEX_BYTES) };
      }
      if (size > this.#known.used)
        this.#known.used += this.#table.add(await readPart(fd, this.#known.used, size - this.#known.used));
    } finally {
      await closeFile(fd);
    }
  }
}

const textOf = (hash: Uint8Array): string =>
  Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1');

const fileExists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );
