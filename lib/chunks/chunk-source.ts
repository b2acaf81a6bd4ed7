/** The interface of a source of chunks: plans and makes the reads of one scale. */
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Stop } from '../base/stop.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import type { ByteRange, Meter } from '../storage/store.ts';
import type { EntryPlace, HeldBytes, PlaceRead } from '../cache/pack-files.ts';
import type { ChunkWork, ChunkWorkResult, SaveOrder, SharingThreads } from './chunk-work.ts';
import type { Planned } from './planned.ts';

/** A chunk as stored: its content encoding is not undone. */
export interface StoredChunk {
  bytes: Uint8Array;
  contentEncoding: string | undefined;
  /** Most bytes after decompression. More is an error, so that a chunk never fills the memory. */
  maxBytes: number;
  /** The size after decompression, if the encoding fixes it (raw). */
  exactBytes?: number;
  /** The name of its encoding, and its size and types. Other threads need them; see {@link ChunkWork}. */
  encoding?: string;
  layout?: ChunkLayout;
  /** The version of the object that it came from, if the store knows it. */
  validator?: string;
  /**
   * Decodes the bytes, if they are in another encoding than that of the source; they are not compressed then.
   */
  codec?: Codec;
  /** What another thread has already done with the chunk. */
  workDone?: WorkDone;
  /** With `workDone`: the number of stored bytes. If `bytes` is empty, they stayed in the other thread. */
  storedBytes?: number;
}

/** What another thread has done with a chunk. */
export interface WorkDone {
  readonly work: ChunkWork;
  readonly result: ChunkWorkResult;
}

/** What is known of a chunk before it is read. */
export type ChunkContent = Pick<StoredChunk, 'maxBytes' | 'exactBytes' | 'encoding' | 'layout'>;

/** A part of a chunk after decompression: its bytes from `start`. */
export interface ChunkPart {
  start: number;
  bytes: Uint8Array;
}

/** A chunk in the form of the disk cache, which another thread holds. */
export interface HeldChunk extends HeldBytes {
  readonly form: string;
}

/**
 * An entry of the disk cache that another thread has read. The bytes of the entry stayed there, and are empty
 * here.
 */
export interface EntryRead {
  found: PlaceRead | undefined;
  /** Undefined if the entry holds no chunk. */
  result: ChunkWorkResult | undefined;
  /** The number of bytes in the entry. */
  storedBytes: number;
}

/** A chunk that a call waits for. */
export interface WantedChunk {
  /** The ranges that all waiting calls need together; undefined if any of them needs the whole chunk. */
  readonly ranges: readonly ByteRange[] | undefined;
}

/** What a task needs to run: how to deliver and fail chunks, and which are still wanted. */
export interface ReadContext {
  /** Aborts when no call waits for the task any more. It is made on first use. */
  readonly signal: AbortSignal;
  /** The same, for the reads of a store of this package: it costs less than a signal. */
  readonly stop?: Stop;
  meter: Meter;
  /** The chunks of the task that are still wanted, by cell. It changes while calls join and leave. */
  wanted: ReadonlyMap<number, WantedChunk>;
  /**
   * Delivers the chunk of a cell; undefined means that it is not stored. Each cell must be delivered once,
   * failed once, or passed on to a follow-up task. Resolves when the bytes are not needed any more. Never
   * rejects.
   */
  deliver: (cell: number, chunk: StoredChunk | undefined, from?: 'store' | 'cache') => Promise<void>;
  /**
   * Delivers the values that a thread has read of a chunk, in this turn, if nothing else is to be done with
   * the chunk: only one call waits for it, and no cache keeps it. Other chunks go through `deliver`.
   * @param storedBytes The number of stored bytes.
   * @returns Whether the values were delivered.
   */
  deliverNow?: (cell: number, workDone: WorkDone, storedBytes: number) => boolean;
  /**
   * Delivers parts instead of the chunk. Calls that joined late and need other parts continue in another
   * task.
   */
  deliverParts: (cell: number, parts: readonly ChunkPart[]) => void;
  /**
   * Returns the work on a chunk for the thread that reads it; undefined if it is read in this thread.
   */
  workOf?: (cell: number, content: ChunkContent) => ChunkWork | undefined;
  /**
   * Reads an entry of the disk cache in another thread, which also does the work on it.
   * @returns Undefined, at once or later, if no thread does it.
   */
  readEntry?: (place: EntryPlace, work: ChunkWork) => Promise<EntryRead | undefined> | undefined;
  /**
   * Threads that do the work on chunks. Bytes that hold many chunks are best read into memory that they
   * share.
   */
  threads?: SharingThreads;
  /** How many chunks of a task may be delivered at the same time. @default 1 */
  deliveriesAtOnce?: number;
  /** Announces that a chunk was not in the disk cache. */
  onMiss?: () => void;
  /** Fails one cell. The other cells of the task continue. */
  fail: (cell: number, error: unknown) => void;
}

/** A task of the queue: one read, or a few reads that belong together. */
export interface ReadTask {
  readonly cells: readonly number[];
  /**
   * Reads the cells. May return follow-up tasks for the rest of them.
   * @throws RequestError, DecodeError or `signal.reason`. The error fails all cells that are not delivered
   *   yet.
   */
  run(context: ReadContext): Promise<Planned<ReadTask> | void>;
}

/** A chunk in the memory cache. */
export interface KeptChunk {
  bytes: Uint8Array;
  /** Decodes the bytes, if they are not in the encoding of the source. */
  codec?: Codec;
}

/** Converts a chunk to another encoding while its bytes pass. Its methods never throw. */
export interface Reencoder {
  /** Whether the calls that wait read the converted chunk, too. It is then given the chunk in one piece. */
  readonly isForCalls?: boolean;
  /** Adds the next piece of the inflated bytes, of any size. Does not keep the piece after `finish`. */
  add(bytes: Uint8Array): void;
  /** Returns the converted chunk, in memory of its own; undefined if the original bytes are better. */
  finish(): PausableWork<KeptChunk | undefined>;
}

/** Plans and makes the reads for the chunks of one scale. */
export interface ChunkSource {
  /** Identifies the scale among all that share a cache. */
  readonly id: string;
  /** Returns the URL of a chunk, for messages and as a key. It contains no credentials. */
  urlOf(cell: number): string;
  /** Returns what is known of a chunk before it is read, if it comes in the encoding of the source. */
  contentOf?(cell: number): ChunkContent;
  /** Whether chunks may be in the disk cache, from where they are read without another thread. */
  readonly isReadHere?: boolean;
  /** Plans how to read these cells. Each cell is in exactly one task. */
  plan(cells: readonly number[]): Planned<ReadTask>;
  /**
   * Saves a chunk that was read and used. Never rejects.
   * @param kept The chunk, inflated or converted by `savedFormOf`; undefined if it is not stored.
   * @param stored The chunk as it came from the store.
   * @param held The chunk, if another thread holds what is to be saved.
   */
  save?(
    cell: number,
    kept: KeptChunk | undefined,
    stored: StoredChunk | undefined,
    held?: HeldChunk,
  ): Promise<void>;
  /**
   * Returns how another thread may save a chunk that it reads.
   * @param version The version of the object. Undefined if it is in the reply that the thread will get.
   */
  saveOrderOf?(cell: number, version: { validator: string | undefined } | undefined): SaveOrder | undefined;
  /** Notes that another thread has saved a chunk, or could not. */
  noteSaved?(cell: number, saved: NonNullable<ChunkWorkResult['saved']>): void;
  /** Returns a converter for what is saved of a cell; undefined to save the inflated or the stored bytes. */
  savedFormOf?(cell: number, stored: StoredChunk): Reencoder | undefined;
  /** Returns a converter for what the memory cache keeps of a cell; undefined to keep the inflated bytes. */
  reencoderOf?(cell: number): Reencoder | undefined;
}

/** A source whose chunks are stored in objects of a store. */
export interface ObjectSource extends ChunkSource {
  /** Returns the key of the object that holds the chunk of a cell. */
  objectKeyOf(cell: number): string;
}
