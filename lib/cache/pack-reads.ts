/**
 * Reads entries of packs in the main thread. Those that are asked for in one turn of the event loop are read
 * together: each pack is opened once, and entries that lie near each other come in one read.
 *
 * Memory: one span at a time while it is read, what callers use, and at most `MOST_FREE` spans that are used again.
 */
import { retryOnShortage } from '../base/descriptor-shortage.ts';
import { decodeEntry } from './entry.ts';
import { closeFile, openFile, readInto, statOpenFile } from './file-calls.ts';
import type { EntryPlace, PlaceRead } from './pack-files.ts';

/** Entries with at most this many bytes between them are read together. */
const MOST_GAP = 32 * 1024;
/** A longer span holds one entry. */
const SPAN_BYTES = 1024 * 1024;
/** Spans that are free. New memory takes longer to get than it takes to read into it. */
const MOST_FREE = 4;

/** An entry that was read. */
export interface SharedPlaceRead extends PlaceRead {
  /** Lets the memory of the entry be used again. Nothing may read its bytes afterwards. May never be called. */
  release?: () => void;
}

interface Wanted {
  readonly place: EntryPlace;
  readonly resolve: (read: SharedPlaceRead | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Entries that are read at once. */
export interface Span<T> {
  start: number;
  end: number;
  members: T[];
}

/** Groups places of one file, which may overlap, into spans. Sorts them. */
export function planSpans<T extends { readonly place: Pick<EntryPlace, 'offset' | 'length'> }>(
  wanted: T[],
): Span<T>[] {
  const spans: Span<T>[] = [];
  let last: Span<T> | undefined;
  for (const one of wanted.sort((a, b) => a.place.offset - b.place.offset)) {
    const { offset, length } = one.place,
      end = offset + length;
    if (last && offset <= last.end + MOST_GAP && Math.max(end, last.end) - last.start <= SPAN_BYTES) {
      last.end = Math.max(last.end, end);
      last.members.push(one);
    } else spans.push((last = { start: offset, end, members: [one] }));
  }
  return spans;
}

/** Reads entries for all callers of one process. */
export class PackReads {
  #wanted: Wanted[] = [];
  readonly #free: Buffer[] = [];
  readonly #poisons: boolean;

  /** @param poisons Whether to overwrite memory that is released, so that specs notice who reads it too late. */
  constructor({ poisons = false } = {}) {
    this.#poisons = poisons;
  }

  /**
   * Reads an entry.
   * @returns undefined if the pack does not exist; without `decoded` if the entry is damaged.
   * @throws The error of the file system.
   */
  read(place: EntryPlace): Promise<SharedPlaceRead | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#wanted.push({ place, resolve, reject }) === 1) setImmediate(() => this.#readAll());
    });
  }

  #readAll(): void {
    const wanted = this.#wanted,
      files = new Map<string, Wanted[]>();
    this.#wanted = [];
    for (const one of wanted) {
      const others = files.get(one.place.file);
      if (others) others.push(one);
      else files.set(one.place.file, [one]);
    }
    for (const [file, members] of files)
      this.#readFile(file, members).catch((error: unknown) => {
        for (const { reject } of members) reject(error); // those that were resolved ignore it
      });
  }

  async #readFile(file: string, members: Wanted[]): Promise<void> {
    let fd: number;
    try {
      fd = await retryOnShortage(() => openFile(file, 'r'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      for (const { resolve } of members) resolve(undefined);
      return;
    }
    try {
      const { size, mtimeMs: usedMs } = await statOpenFile(fd);
      const isThere = ({ place: { offset, length } }: Wanted): boolean => offset + length <= size;
      for (const one of members) if (!isThere(one)) one.resolve({ decoded: undefined, usedMs });
      for (const span of planSpans(members.filter(isThere))) await this.#readSpan(fd, span, usedMs);
    } finally {
      await closeFile(fd);
    }
  }

  async #readSpan(fd: number, { start, end, members }: Span<Wanted>, usedMs: number): Promise<void> {
    const length = end - start,
      memory = length <= SPAN_BYTES ? this.#take() : undefined,
      bytes = memory?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length),
      count = await readInto(fd, bytes, start);
    let users = members.length;
    const release = (): void => {
      if (--users === 0 && memory) this.#giveBack(memory);
    };
    for (const { place, resolve } of members) {
      const from = place.offset - start,
        to = from + place.length;
      resolve({
        decoded: to <= count ? decodeEntry(bytes.subarray(from, to)) : undefined,
        usedMs,
        release: once(release),
      });
    }
  }

  #take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SPAN_BYTES);
  }

  #giveBack(memory: Buffer): void {
    if (this.#poisons) memory.fill(POISON);
    if (this.#free.length < MOST_FREE) this.#free.push(memory);
  }
}

const POISON = 0xdb;

/** Calls a function at most once: memory that was released twice would hold two entries. */
function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}
