/**
 * The work on one stored chunk that another thread can do: decompress it and read the values of voxels. The
 * work and its result are plain data, so that they can be sent between threads.
 */
import type { Stop } from '../base/stop.ts';
import type { ErrorJson } from '../base/error-json.ts';
import type { ChunkLayout } from '../codecs/codec.ts';
import type { SaveTarget } from '../cache/pack-appender.ts';
import type { WordArray } from '../precomputed/data-type.ts';

/** What to do with a stored chunk. */
export interface ChunkWork {
  /** The name of its encoding, as the info spells it. */
  readonly encoding: string;
  readonly layout: ChunkLayout;
  /** Most bytes after decompression. */
  readonly maxBytes: number;
  /** The size after decompression, if the encoding fixes it. */
  readonly exactBytes: number | undefined;
  /** One array per call that waits for the chunk: the voxels to read, as linear offsets in the chunk. */
  readonly voxels: readonly Uint32Array[];
  /** Whether the decompressed bytes are wanted, too. */
  readonly wantsBytes: boolean;
  /**
   * Whether the chunk is wanted decoded to `raw`. The decompressed bytes come instead if it cannot be
   * decoded.
   */
  readonly wantsRaw: boolean;
  /** Whether the stored bytes are wanted, too. They stay in the thread that fetched them otherwise. */
  readonly wantsStored: boolean;
  /**
   * Whether the thread shall hold the chunk in the form of the disk cache, until {@link ChunkThreads.save}
   * asks for it.
   */
  readonly holds: boolean;
  /** With `holds`: how the thread may store the chunk itself. It holds the chunk if it cannot. */
  readonly saves?: SaveOrder;
}

/** How a thread stores a chunk in the disk cache. */
export interface SaveOrder {
  readonly target: SaveTarget;
  /** The key of the entry. */
  readonly key: string;
  readonly origin: string;
  readonly nowMs: number;
  /** The version of the object, without secrets. */
  readonly validator?: string;
  /** Whether the version is in the reply instead. */
  readonly isVersionInReply: boolean;
}

/**
 * What a thread does with a reply that holds many chunks: it puts the body into memory that all threads
 * share, so that each of them can do the work on some of the chunks.
 */
export interface SharedBodyWork {
  /** Most bytes that are expected. */
  readonly sharedBytes: number;
  /** Whether fewer bytes may come. */
  readonly mayBeLess: boolean;
}

/** The result of {@link ChunkWork}. */
export interface ChunkWorkResult {
  /** One array per call, as words (see {@link WordArray}), or the error of decoding its voxels. */
  values: (WordArray | ErrorJson)[];
  /** The decompressed bytes, if they were wanted. */
  bytes?: Uint8Array;
  /** The chunk in the `raw` encoding, if that was wanted. */
  raw?: Uint8Array;
  /** Set if the thread holds the chunk in a form of the disk cache. */
  held?: { readonly byteLength: number; readonly crc: number; readonly form: string };
  /** Set if the thread has stored the chunk in the disk cache, or could not name it in the index. */
  saved?: { error?: { code: string | undefined; message: string } };
  /** Set if the chunk could not be decompressed. There are no values then. */
  error?: ErrorJson;
}

/** A stored chunk in memory that threads share, and the work on it. */
export interface SharedWork {
  readonly bytes: Uint8Array;
  readonly contentEncoding: string | undefined;
  readonly work: ChunkWork;
}

/** Threads that share memory. */
export interface SharingThreads {
  /** How many threads are ready. */
  readonly ready: number;
  /**
   * If no thread is ready but some are starting: resolves when one is ready, or none is starting any more.
   */
  whenReady(): Promise<void> | undefined;
  /**
   * Does the work on several chunks, in one thread and in this order.
   * @returns One result per chunk; undefined, or none, for a chunk that no thread has worked on. Rejects only
   * with
   *   the reason of the stop.
   */
  workOnAll(works: readonly SharedWork[], stop: Stop): Promise<readonly (ChunkWorkResult | undefined)[]>;
  /** Returns bytes in memory that threads share: a copy, unless they are there already. */
  copyShared(bytes: Uint8Array): Uint8Array;
  /**
   * Lets the memory of bytes be used again that a thread has read, or {@link copyShared} has copied. Nothing may
   * read them afterwards, also no thread. Ignores other bytes, and views of such bytes.
   */
  giveBack(bytes: Uint8Array): void;
}
