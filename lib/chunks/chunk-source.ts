/** Where the chunks of one scale come from, and in which reads. */
import type { Codec } from '../codecs/codec.ts';
import type { ByteRange, Meter } from '../storage/store.ts';

/** A chunk as it is stored: content encodings are still around it. */
export interface StoredChunk {
  bytes: Uint8Array;
  contentEncoding: string | undefined;
  /** More bytes than this inside is an error, not an allocation. */
  maxBytes: number;
  /** What is inside when the encoding fixes it (raw). */
  exactBytes?: number;
  /** Tells the version of the object it came from, where the store can. */
  validator?: string;
}

/** Bytes of a chunk as the codec sees them, from `start` on. */
export interface ChunkPart {
  start: number;
  bytes: Uint8Array;
}

/** Where those who wait for a chunk can do with parts of it. */
export interface Parts {
  /** Bytes of a cell's chunk that hold all that anybody wants of it now; undefined where somebody needs it whole. */
  wanted(cell: number): readonly ByteRange[] | undefined;
  /**
   * Hands over parts, ascending, that hold what `wanted` named last, instead of the chunk. Whoever joined since goes on in a task of
   * its own. Never throws.
   */
  deliver(cell: number, parts: readonly ChunkPart[]): void;
}

export interface ReadContext {
  signal: AbortSignal;
  meter: Meter;
  /**
   * Hands over a cell of the task: undefined when its chunk is not stored. Each cell is handed over, failed, or left to a follow-up once.
   * Resolves when the bytes are no longer needed. Never rejects.
   */
  deliver: (cell: number, chunk: StoredChunk | undefined, from?: 'store' | 'cache') => Promise<void>;
  /** Not there when chunks are kept. */
  parts?: Parts;
  /** One cell that cannot be read, where the others of the task can. */
  fail: (cell: number, error: unknown) => void;
}

/** One read, or a few that belong together: what the queue counts. */
export interface ReadTask {
  readonly cells: readonly number[];
  /**
   * @returns Tasks that the rest of the cells go on in.
   * @throws RequestError, DecodeError, or `signal.reason`: for all cells not handed over yet.
   */
  run(context: ReadContext): Promise<readonly ReadTask[] | void>;
}

/** A chunk between calls. */
export interface KeptChunk {
  bytes: Uint8Array;
  /** What reads the bytes, where they are not in the source's own encoding. */
  codec?: Codec;
}

/** Makes another form of a chunk as its bytes go by. Neither throws. */
export interface Keeper {
  /** The next piece of the inflated bytes, of any size; it must not be kept. */
  add(bytes: Uint8Array): void;
  /** @returns undefined when the bytes as they are are better. */
  finish(): KeptChunk | undefined;
}

export interface ChunkSource {
  /** Names the scale among all that share a cache. */
  readonly id: string;
  /** Where a cell's chunk is stored, for messages and as a key: no credentials. */
  urlOf(cell: number): string;
  /** How the chunks of these cells are read: every cell in one task. */
  plan(cells: readonly number[]): readonly ReadTask[];
  /** Keeps what was read from the store and could be used: the inflated bytes, or that nothing is stored. Never rejects. */
  save?(cell: number, bytes: Uint8Array | undefined, validator: string | undefined): Promise<void>;
  /** Makes what a cache is to hold instead of the inflated bytes of a cell; undefined: those are kept. */
  keeperOf?(cell: number): Keeper | undefined;
}

/** A source whose chunks are in objects of a store. */
export interface ObjectSource extends ChunkSource {
  /** Key of the object that holds the cell's chunk. */
  objectOf(cell: number): string;
}
