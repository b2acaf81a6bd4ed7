/** Where the chunks of one scale come from, and in which reads. */
import type { Codec } from '../codecs/codec.ts';
import type { ByteRange, Meter } from '../storage/store.ts';
import type { Planned } from './planned.ts';

/** A chunk as it is stored: content encodings are still around it. */
export interface StoredChunk {
  bytes: Uint8Array;
  contentEncoding: string | undefined;
  /** More bytes than this inside is an error, not an allocation. */
  maxBytes: number;
  /** What is inside when the encoding fixes it (raw). */
  exactBytes?: number;
  /** Makes what is read of what is inside, where the encoding is undone for the whole chunk at once; see {@link Codec.decodeChunk}. */
  decode?: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** Tells the version of the object it came from, where the store can. */
  validator?: string;
}

/** Bytes of a chunk as the codec sees them, from `start` on. */
export interface ChunkPart {
  start: number;
  bytes: Uint8Array;
}

/** A chunk that somebody waits for. */
export interface WantedChunk {
  /** Bytes of it that are enough for all who wait for it now; undefined: somebody needs all of it. */
  readonly ranges: readonly ByteRange[] | undefined;
}

export interface ReadContext {
  signal: AbortSignal;
  meter: Meter;
  /** By cell: the chunks of the task that are still wanted. It changes while calls join and leave. */
  wanted: ReadonlyMap<number, WantedChunk>;
  /**
   * Delivers a cell of the task: undefined when its chunk is not stored. Each cell is delivered, failed, or left to a follow-up once.
   * Resolves when the bytes are no longer needed. Never rejects.
   */
  deliver: (cell: number, chunk: StoredChunk | undefined, from?: 'store' | 'cache') => Promise<void>;
  /** Delivers parts instead of the chunk. Whoever needs others goes on in a task of its own: he joined after the parts had been asked for. */
  deliverParts: (cell: number, parts: readonly ChunkPart[]) => void;
  /** One cell that cannot be read, where the others of the task can. */
  fail: (cell: number, error: unknown) => void;
}

/** One read, or a few that belong together: what the queue counts. */
export interface ReadTask {
  readonly cells: readonly number[];
  /**
   * @returns Tasks that the rest of the cells go on in.
   * @throws RequestError, DecodeError, or `signal.reason`: for all cells not delivered yet.
   */
  run(context: ReadContext): Promise<Planned<ReadTask> | void>;
}

/** A chunk between calls. */
export interface KeptChunk {
  bytes: Uint8Array;
  /** What reads the bytes, where they are not in the source's own encoding. */
  codec?: Codec;
}

/** Makes another form of a chunk as its bytes go by. Neither throws. */
export interface Reencoder {
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
  plan(cells: readonly number[]): Planned<ReadTask>;
  /** Keeps what was read from the store and could be used: the inflated bytes, or that nothing is stored. Never rejects. */
  save?(cell: number, bytes: Uint8Array | undefined, validator: string | undefined): Promise<void>;
  /** Makes what a cache is to hold instead of the inflated bytes of a cell; undefined: those are kept. */
  reencoderOf?(cell: number): Reencoder | undefined;
}

/** A source whose chunks are in objects of a store. */
export interface ObjectSource extends ChunkSource {
  /** Key of the object that holds the cell's chunk. */
  objectKeyOf(cell: number): string;
}
