/** One shard file, as one task reads it. Errors say "it": whoever asks knows the shard's name. */
import { DecodeError, RequestError } from '../base/errors.ts';
import { decompress } from '../compression/decompress.ts';
import type { ByteRange, Meter, StoredObject } from '../storage/store.ts';
import type { ChunkStore } from './chunk-store.ts';
import { planReads } from './merge-ranges.ts';
import type { VersionCheck } from './shard-versions.ts';

export interface ShardReadContext {
  signal: AbortSignal;
  meter: Meter;
}

/** Bytes of a shard file from `start` on. */
export interface ShardPiece {
  start: number;
  bytes: Uint8Array;
  /** Of the whole file, where that is known. */
  totalBytes?: number;
  /** Of the version of the file, where its store tells. */
  validator?: string;
}

export interface Shard {
  /** `0b.shard` */
  name: string;
  /** Low word, high word. */
  number: readonly [low: number, high: number];
}

/** Where a scale's shard files are read. */
export interface ShardStore {
  chunks: ChunkStore;
  /** Folder of the scale. */
  key: string;
  versions: VersionCheck;
  /** The server was seen to answer with the whole object where a range was asked: it is asked for whole shards from then on. */
  ignoresRanges: boolean;
}

/** Of a server that ignores ranges, a larger shard is not read: all of it would be in memory. */
export const MAX_WHOLE_SHARD_BYTES = 256 * 1024 * 1024;

export class ShardFile {
  /** The beginning, or all. */
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

  /** What is here already. */
  get held(): ShardPiece | undefined {
    return this.#held;
  }

  /** For messages: no credentials. */
  get url(): string {
    const { chunks, key } = this.store;
    return `${chunks.url}/${key}/${this.name}`;
  }

  /** Whether the range needs no request. */
  hasRange({ end }: ByteRange): boolean {
    return this.#held !== undefined && (this.#held.whole || end <= this.#held.bytes.byteLength);
  }

  /** Reads the file's beginning and holds it: what is asked later and lies there costs nothing. @returns whether there is such a file. */
  async readBeginning(maxBytes: number, read: ShardReadContext): Promise<boolean> {
    const piece = await this.read({ start: 0, end: maxBytes }, read, true);
    // Where a server does not say how large the file is, a short reply may be all of it or not.
    if (piece && !this.#held) this.#held = { ...piece, whole: piece.totalBytes === piece.bytes.byteLength };
    return piece !== undefined;
  }

  /**
   * A piece that has what the file holds of a range, or more; undefined when there is no such file.
   * @param mayBeCut The range may reach beyond the end.
   * @throws DecodeError TRUNCATED (the file ends before the range), UNSUPPORTED; RequestError; `signal.reason`.
   */
  async read(
    range: ByteRange,
    { signal, meter }: ShardReadContext,
    mayBeCut = false,
  ): Promise<ShardPiece | undefined> {
    if (this.hasRange(range)) return this.#held;
    const { chunks, key, ignoresRanges } = this.store;
    if (ignoresRanges) return (this.#whole ??= this.#readWhole({ signal, meter }));
    try {
      const maxBytes = Math.max(MAX_WHOLE_SHARD_BYTES, range.end - range.start);
      const object = await chunks.read(`${key}/${this.name}`, { range, signal, meter, maxBytes, mayBeCut });
      if (!object) return undefined;
      if (!object.range) {
        // else all is what was asked
        if (range.start > 0 || object.bytes.byteLength > range.end) this.store.ignoresRanges = true;
        return await this.#holdWhole(object, signal);
      }
      if (object.contentEncoding)
        throw new DecodeError(
          'UNSUPPORTED',
          `it is stored with content encoding ${object.contentEncoding.slice(0, 60)}, so that no part of it can be read`,
        );
      return {
        start: object.range.start,
        bytes: object.bytes,
        totalBytes: object.totalBytes,
        validator: object.validator,
      };
    } catch (error) {
      if (beginsBeyondEnd(error))
        throw new DecodeError('TRUNCATED', `it ends before byte ${range.start}`, { cause: error });
      throw error;
    }
  }

  /** Many ranges in few reads, each with its own failure; undefined when there is no such file. An empty range asks nothing. */
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
              bytes: sliceRange(found, ranges[wanted[member]]),
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

/** Exactly the bytes of a range, out of a piece that was read for it. A view. @throws DecodeError TRUNCATED */
export function sliceRange({ start, bytes }: ShardPiece, range: ByteRange): Uint8Array {
  const end = start + bytes.byteLength;
  if (range.start < start || range.end > end)
    throw new DecodeError(
      'TRUNCATED',
      `bytes ${range.start} to ${range.end} are wanted, it has ${start} to ${end}`,
    );
  return bytes.subarray(range.start - start, range.end - start);
}

/** What is said of chunks whose shard was another one each time it was asked for. */
export const changedShardError = (url: string): RequestError =>
  new RequestError(
    'CHANGED_UNDER_WAY',
    `${url} is being replaced: its index and its chunks came from different versions, again and again; ask again when its writer is done`,
    url,
  );

/** Whether a file ended too soon. */
export const isTruncated = (error: unknown): boolean =>
  error instanceof DecodeError && error.code === 'TRUNCATED';

const beginsBeyondEnd = (error: unknown): boolean =>
  error instanceof RequestError &&
  error.code === 'BAD_RESPONSE' &&
  (error.status === undefined || error.status === 416);
