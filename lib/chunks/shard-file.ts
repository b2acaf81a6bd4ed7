/** Reads byte ranges of one shard file, for one task. The caller adds the name of the shard to the errors. */
import { DecodeError, RequestError } from '../base/errors.ts';
import { decompress } from '../compression/decompress.ts';
import { toOwnMemory } from '../base/shared-memory.ts';
import type { ByteRange, Meter, StoredObject } from '../storage/store.ts';
import type { SharedBodyWork, SharingThreads } from './chunk-work.ts';
import type { ChunkStore } from './chunk-store.ts';
import { planReads } from './merge-ranges.ts';
import type { VersionCheck } from './shard-versions.ts';

/** The signal and the meter of a read. */
export interface ShardReadContext {
  signal: AbortSignal;
  meter: Meter;
  /** Given if the bytes are best in memory that these threads share. */
  sharers?: SharingThreads;
}

/** Bytes of a shard file from the offset `start`. */
export interface ShardPiece {
  start: number;
  bytes: Uint8Array;
  /** Size of the whole file, if known. */
  totalBytes?: number;
  /** Version of the file, if the store knows it. */
  validator?: string;
}

/** The name and the number of a shard. */
export interface Shard {
  /** `0b.shard` */
  name: string;
  /** Low word, high word. */
  number: readonly [low: number, high: number];
}

/** Where the shard files of a scale are stored. */
export interface ShardStore {
  chunks: ChunkStore;
  /** The key of the scale, which is the folder of its shard files. */
  key: string;
  versions: VersionCheck;
  /** Whether the server has sent a whole object for a range. From then on, whole shards are requested. */
  ignoresRanges: boolean;
}

/** Largest shard that is read from a server that ignores ranges. The whole file must fit in memory. */
export const MAX_WHOLE_SHARD_BYTES = 256 * 1024 * 1024;

/** One shard file. Keeps what it has read in memory as long as its task runs. */
export class ShardFile {
  /** The beginning of the file, or the whole file. */
  #held: (ShardPiece & { whole: boolean }) | undefined;
  #whole: Promise<ShardPiece | undefined> | undefined;

  constructor(
    readonly store: ShardStore,
    readonly shard: Shard,
  ) {}

  /** `0b.shard` */
  get name(): string {
    return this.shard.name;
  }

  /** What is in memory already. */
  get held(): ShardPiece | undefined {
    return this.#held;
  }

  /** The URL of the file, for messages. It contains no credentials. */
  get url(): string {
    const { chunks, key } = this.store;
    return `${chunks.url}/${key}/${this.name}`;
  }

  /** Whether the range is in memory already. */
  hasRange({ end }: ByteRange): boolean {
    return this.#held !== undefined && (this.#held.whole || end <= this.#held.bytes.byteLength);
  }

  /**
   * Reads the beginning of the file and keeps it in memory for later reads. Returns whether the file exists.
   */
  async readBeginning(maxBytes: number, read: ShardReadContext): Promise<boolean> {
    const piece = await this.read({ start: 0, end: maxBytes }, read, true);
    // Without the size of the file, a short reply does not prove that the file is complete.
    if (piece && !this.#held) this.#held = { ...piece, whole: piece.totalBytes === piece.bytes.byteLength };
    return piece !== undefined;
  }

  /** Gives back what is in memory: see {@link SharingThreads.giveBack}. Later reads go to the store. */
  giveBackHeld(threads: SharingThreads): void {
    const held = this.#held;
    this.#held = undefined;
    if (held) threads.giveBack(held.bytes);
  }

  /**
   * Reads a range, or more. Resolves with undefined if the file does not exist.
   * @param mayBeCut Whether the range may end beyond the end of the file.
   * @throws DecodeError TRUNCATED (the file ends before the range), UNSUPPORTED; RequestError;
   *   `signal.reason`.
   */
  async read(
    range: ByteRange,
    { signal, meter, sharers }: ShardReadContext,
    mayBeCut = false,
  ): Promise<ShardPiece | undefined> {
    if (this.hasRange(range)) return this.#held;
    const { chunks, key, ignoresRanges } = this.store;
    if (ignoresRanges) return (this.#whole ??= this.#readWhole({ signal, meter }));
    try {
      const maxBytes = Math.max(MAX_WHOLE_SHARD_BYTES, range.end - range.start);
      const bodyWork: SharedBodyWork | undefined = sharers
        ? { sharedBytes: range.end - range.start, mayBeLess: mayBeCut }
        : undefined;
      const object = await chunks.read(`${key}/${this.name}`, {
        range,
        signal,
        meter,
        maxBytes,
        mayBeCut,
        bodyWork,
      });
      if (!object) return undefined;
      if (!object.range) {
        // Otherwise the whole object is what was requested.
        if (range.start > 0 || object.bytes.byteLength > range.end) this.store.ignoresRanges = true;
        return await this.#holdWhole(object, signal);
      }
      if (object.contentEncoding)
        throw new DecodeError(
          'UNSUPPORTED',
          `the file is stored with content encoding ${object.contentEncoding.slice(0, 60)}, so it cannot be read in parts`,
        );
      return {
        start: object.range.start,
        bytes: sharers ? sharers.copyShared(object.bytes) : object.bytes,
        totalBytes: object.totalBytes,
        validator: object.validator,
      };
    } catch (error) {
      if (beginsBeyondEnd(error))
        throw new DecodeError('TRUNCATED', `the file ends before byte ${range.start}`, { cause: error });
      throw error;
    }
  }

  /**
   * Reads many ranges in few requests. Each range has its own promise, which resolves with undefined if the
   * file does not exist. An empty range needs no request.
   */
  readAll(ranges: readonly ByteRange[], read: ShardReadContext): Promise<ShardPiece | undefined>[] {
    const parts = ranges.map(({ start }) =>
      Promise.resolve<ShardPiece | undefined>({ start, bytes: new Uint8Array(0) }),
    );
    const wanted = [...ranges.keys()].filter((k) => ranges[k].end > ranges[k].start);
    for (const merged of planReads(wanted.map((k) => ranges[k]))) {
      const piece = this.read(merged, read);
      for (const member of merged.members)
        parts[wanted[member]] = piece.then(
          (found) =>
            found && {
              ...found,
              start: ranges[wanted[member]].start,
              bytes: toOwnMemory(sliceRange(found, ranges[wanted[member]])),
            },
        );
    }
    return parts;
  }

  async #readWhole({ signal, meter }: ShardReadContext): Promise<ShardPiece | undefined> {
    const { chunks, key } = this.store;
    const object = await chunks.read(`${key}/${this.name}`, {
      signal,
      meter,
      maxBytes: MAX_WHOLE_SHARD_BYTES,
    });
    return object && this.#holdWhole(object, signal);
  }

  async #holdWhole(
    { bytes: stored, contentEncoding, validator }: StoredObject,
    signal: AbortSignal,
  ): Promise<ShardPiece> {
    const bytes = await decompress(stored, contentEncoding, { maxBytes: MAX_WHOLE_SHARD_BYTES, signal });
    this.#held = { start: 0, bytes, totalBytes: bytes.byteLength, validator, whole: true };
    return this.#held;
  }
}

/**
 * Returns exactly the bytes of a range as a view of a piece.
 * @throws DecodeError TRUNCATED if the piece is too short.
 */
export function sliceRange({ start, bytes }: ShardPiece, range: ByteRange): Uint8Array {
  const end = start + bytes.byteLength;
  if (range.start < start || range.end > end)
    throw new DecodeError(
      'TRUNCATED',
      `bytes ${range.start} to ${range.end} are needed, but only ${start} to ${end} were read`,
    );
  return bytes.subarray(range.start - start, range.end - start);
}

/** Makes the error for a shard that had another version at each read. */
export const changedShardError = (url: string): RequestError =>
  new RequestError(
    'CHANGED_UNDER_WAY',
    `${url} is being replaced: its index and its chunks had different versions at every try; retry when its writer has finished`,
    url,
  );

/** Whether the error means that a file ended too early. */
export const isTruncated = (error: unknown): boolean =>
  error instanceof DecodeError && error.code === 'TRUNCATED';

const beginsBeyondEnd = (error: unknown): boolean =>
  error instanceof RequestError &&
  error.code === 'BAD_RESPONSE' &&
  (error.status === undefined || error.status === 416);
