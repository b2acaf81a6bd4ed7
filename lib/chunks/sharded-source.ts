/**
 * Many chunks in one file: `KEY/0b.shard`. One task a shard finds out where its chunks are, and the tasks that follow read them, close
 * ones together; the queue runs the tasks of different shards side by side. Pairs of `.index` and `.data` files, as an old version of the
 * format had them, are not looked for: such a shard is absent.
 * Source: Neuroglancer, src/datasource/precomputed/sharded.md.
 *
 * What is read (constants in `merge-ranges.ts` and below):
 * - the shard index, and in it the indices of the wanted minishards, both kept for later calls;
 * - wanted chunks, with what lies between them where that is cheaper than a request and little in all; of such a read only parts, where
 *   chunks are stored as they are, hold few wanted values at known places (raw), and the cost model of `range-cost.ts` says so;
 * - where most of a shard is wanted, its beginning at once: it has the indices or data that would be read anyhow, and a shard that is
 *   not larger takes one request.
 */
import { DecodeError } from '../base/errors.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { trimMemory } from '../compression/memory.ts';
import { chunkKey, gridShape } from '../precomputed/grid.ts';
import { cellsInShard } from '../precomputed/shard-cells.ts';
import { findChunk, shardIndexBytes } from '../precomputed/shard-index.ts';
import type { ShardingSpec } from '../precomputed/sharding.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkDiskCache } from './chunk-disk-cache.ts';
import type { ChunkPart, ObjectSource, ReadContext, ReadTask, StoredChunk } from './chunk-source.ts';
import { ChunkStore, describeContent } from './chunk-store.ts';
import { MAX_READ_BYTES, planReads } from './merge-ranges.ts';
import { mapPlanned, type Planned } from './planned.ts';
import { planParts } from './range-cost.ts';
import {
  changedShardError,
  isTruncated,
  ShardFile,
  sliceRange,
  type ShardPiece,
  type Shard,
  type ShardStore,
} from './shard-file.ts';
import { WHOLE_INDEX_BYTES, type VersionMismatch } from './shard-entries.ts';
import {
  MAX_REREADS,
  MAX_RETRIES,
  ShardIndices,
  type CachedIndex,
  type ShardIndexCache,
} from './shard-indices.ts';
import { ShardPlan, type ShardCells } from './shard-plan.ts';
import type { UnshardedSourceOptions } from './unsharded-source.ts';

export interface ShardedSourceOptions extends UnshardedSourceOptions {
  sharding: ShardingSpec;
  indices: ShardIndexCache;
  /** Where indices are kept longer. */
  disk?: ChunkDiskCache;
}

/** From this part of a shard's cells on, all of it is read: with the rest it is at most a quarter more than what is wanted. */
const DENSE = 0.8;

/** A chunk that is stored. */
interface Placed extends ByteRange {
  cell: number;
  minishard: number;
  /** Says so. */
  index: CachedIndex;
}

/** How often the indices of a shard, and chunks by the same indices, may still be read again for one call, and when that began. */
interface Patience {
  rereads: number;
  retries: number;
  since: number;
}

export class ShardedSource implements ObjectSource {
  readonly id: string;
  readonly #options: ShardedSourceOptions;
  readonly #store: ShardStore;
  readonly #indices: ShardIndices;
  readonly #plan: ShardPlan;

  constructor(options: ShardedSourceOptions) {
    const { store, scale, sharding, indices, infoWasRead, disk } = options;
    this.#options = options;
    this.id = `${store.url}/${scale.key}`;
    this.#store = {
      chunks: new ChunkStore(store, infoWasRead),
      key: scale.key,
      versions: indices.check,
      ignoresRanges: false,
    };
    this.#indices = new ShardIndices(indices, this.id, sharding, gridShape(scale), disk);
    this.#plan = new ShardPlan(scale, sharding);
  }

  /** The shard, and in it the chunk by the name that it would have on its own: `…/8_8_40/0b.shard#64-128_0-64_0-32`. */
  urlOf(cell: number): string {
    const name = chunkKey(this.#options.scale, cell).slice(this.#options.scale.key.length + 1);
    return `${this.#options.store.url}/${this.objectKeyOf(cell)}#${name}`;
  }

  objectKeyOf(cell: number): string {
    return `${this.#options.scale.key}/${this.#plan.shardNameOf(cell)}`;
  }

  plan(cells: readonly number[]): Planned<ReadTask> {
    return mapPlanned(this.#plan.groupByShard(cells), this.#taskOf);
  }

  #taskOf = ({ shard, cells }: ShardCells): ReadTask => ({
    cells,
    run: (context) => {
      const patience = { rereads: MAX_REREADS, retries: MAX_RETRIES, since: this.#store.versions.nextTurn() };
      return this.#readShard(this.#fileOf(shard), cells, patience, context);
    },
  });

  /** As one task reads it. */
  #fileOf(shard: Shard): ShardFile {
    return new ShardFile(this.#store, shard);
  }

  async #readShard(
    file: ShardFile,
    cells: readonly number[],
    patience: Patience,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    try {
      const placed = await this.#find(file, cells, context);
      if (this.#store.ignoresRanges && !placed.every((chunk) => file.hasRange(chunk)))
        await file.readBeginning(MAX_READ_BYTES, context);
      const rest = placed.filter((chunk) => !file.hasRange(chunk));
      const held = placed.filter((chunk) => file.hasRange(chunk));
      const again = held.length > 0 ? await this.#deliver(file, file.held, held, patience, context) : [];
      const reads = planReads(rest).map((range) => {
        const members = range.members.map((member) => rest[member]);
        return {
          cells: members.map(({ cell }) => cell),
          run: (later: ReadContext) =>
            this.#readRange(this.#fileOf(file.shard), range, members, patience, later),
        };
      });
      return [...again, ...reads];
    } catch (error) {
      throw inShard(file.name, error);
    }
  }

  async #readRange(
    file: ShardFile,
    range: ByteRange,
    members: readonly Placed[],
    patience: Patience,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    try {
      const wanted = members.map((chunk) => this.#wantedOf(chunk, context));
      const ranges = wanted.some((its) => its)
        ? planParts(
            wanted.flatMap((its, k) => its ?? [members[k]]),
            range.end - range.start,
          )
        : undefined;
      if (ranges) return await this.#readParts(file, ranges, members, wanted, patience, context);
      return await this.#deliver(file, await file.read(range, context), members, patience, context);
    } catch (error) {
      if (isTruncated(error) && members.some(({ index }) => isOld(index, patience)))
        return this.#readAgain(file, members, {}, patience, context);
      throw inShard(file.name, error);
    }
  }

  /** Chunks whose index and bytes are of different versions of the shard: they are looked for once more, in an index that is read again. */
  async #readAgain(
    file: ShardFile,
    members: readonly Placed[],
    contradiction: VersionMismatch,
    { rereads, retries, since }: Patience,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    const cells = members.map(({ cell }) => cell);
    const go = (patience: Patience): readonly ReadTask[] => [
      { cells, run: (later) => this.#readShard(this.#fileOf(file.shard), cells, patience, later) },
    ];
    if (rereads > 0) {
      const { made, isOpen } = await this.#indices.reread(
        file,
        new Map(members.map(({ minishard, index }) => [minishard, index])),
        contradiction,
        rereads,
        context,
      );
      return go({ rereads: rereads - made, retries: isOpen ? MAX_RETRIES : 0, since });
    }
    if (retries > 0) return go({ rereads, retries: retries - 1, since });
    for (const cell of cells) context.fail(cell, changedShardError(file.url));
    return [];
  }

  /** Bytes of the shard that hold all that is wanted of a chunk now; undefined where all of the chunk is. */
  #wantedOf(
    { cell, start, end }: ByteRange & { cell: number },
    context: ReadContext,
  ): readonly ByteRange[] | undefined {
    const { sharding, rangeReads } = this.#options;
    if (
      rangeReads === false ||
      sharding.dataEncoding !== 'raw' ||
      end - start !== this.#contentOf(cell).exactBytes
    )
      return undefined;
    return context.wanted
      .get(cell)
      ?.ranges?.map((range) => ({ start: start + range.start, end: start + range.end }));
  }

  /** @param ranges Hold of each member what is wanted, or all of it. */
  async #readParts(
    file: ShardFile,
    ranges: readonly ByteRange[],
    members: readonly Placed[],
    wanted: readonly (readonly ByteRange[] | undefined)[],
    patience: Patience,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    const pieces = ranges.map((range) => file.read(range, context));
    const came = (await Promise.allSettled(pieces)).flatMap((piece) =>
      piece.status === 'fulfilled' && piece.value ? [piece.value] : [],
    );
    const other = came.find((piece) => members.some(({ index }) => !this.#indices.agrees(index, piece)));
    if (other || !this.#store.versions.areOneVersion(came))
      return this.#readAgain(file, members, other ?? {}, patience, context);
    const partsOf = (chunk: Placed): Promise<(ChunkPart | undefined)[]> =>
      Promise.all(
        ranges.flatMap((range, k) =>
          range.start < chunk.end && range.end > chunk.start
            ? pieces[k].then((piece) => piece && partOf(chunk, piece, range))
            : [],
        ),
      );
    const deliver = async (chunk: Placed, inParts: boolean): Promise<void> => {
      try {
        const found = await partsOf(chunk),
          parts = found.filter((part) => part !== undefined);
        if (parts.length < found.length)
          await context.deliver(chunk.cell, undefined); // the shard has gone
        else if (inParts) context.deliverParts(chunk.cell, parts);
        else await context.deliver(chunk.cell, this.#stored(chunk.cell, parts[0].bytes, undefined));
      } catch (error) {
        context.fail(chunk.cell, inShard(file.name, error, `minishard ${chunk.minishard}: `));
      }
    };
    await Promise.all(members.map((chunk, k) => deliver(chunk, wanted[k] !== undefined)));
    return [];
  }

  /** Where the chunks are. Those that are not stored, and those that cannot be, are settled. */
  async #find(file: ShardFile, cells: readonly number[], context: ReadContext): Promise<Placed[]> {
    const { ids, shards, minishards } = this.#plan.locate(cells);
    const wanted = [...new Set(minishards)];
    const dense = this.#isDense(cells, shards[0], shards[1]) && !this.#areInParts(cells, context);
    const absent =
      dense && !this.#indices.has(file, wanted) && !(await file.readBeginning(MAX_READ_BYTES, context));
    const found = absent ? [] : await this.#indices.read(file, wanted, context);
    const indices = new Map(found.map((index, k) => [wanted[k], index]));
    const placed: Placed[] = [];
    for (const [k, cell] of cells.entries()) {
      const minishard = minishards[k],
        index = indices.get(minishard);
      if (index?.status === 'rejected') {
        context.fail(cell, inShard(file.name, index.reason));
        continue;
      }
      const range = index?.value && findChunk(index.value, ids[2 * k], ids[2 * k + 1]);
      if (range) placed.push({ ...range, cell, minishard, index: index.value! });
      else await context.deliver(cell, undefined);
    }
    return placed.filter((chunk) => this.#isPossible(file.name, chunk, context));
  }

  /** Whether the shard's beginning is worth a read of its own, before anything is known. */
  #isDense(cells: readonly number[], low: number, high: number): boolean {
    const { sharding, scale } = this.#options;
    const inShard = cellsInShard(sharding, gridShape(scale), low, high);
    if (cells.length < DENSE * inShard || shardIndexBytes(sharding) > WHOLE_INDEX_BYTES) return false;
    // Plain raw chunks are as large as they are: more than one read would cut one, which is then read again.
    const { exactBytes } = this.#contentOf(cells[0]);
    return (
      exactBytes === undefined || sharding.dataEncoding !== 'raw' || inShard * exactBytes < MAX_READ_BYTES
    );
  }

  /** Whether parts of each chunk are less work than all of it, even if the indices have to be read for them. */
  #areInParts(cells: readonly number[], context: ReadContext): boolean {
    return cells.every((cell) => {
      const { exactBytes: end } = this.#contentOf(cell);
      const wanted = end === undefined ? undefined : this.#wantedOf({ cell, start: 0, end }, context);
      return wanted !== undefined && planParts(wanted, end!) !== undefined;
    });
  }

  #isPossible(name: string, { cell, minishard, start, end }: Placed, { fail }: ReadContext): boolean {
    const { maxBytes } = this.#contentOf(cell);
    if (end - start <= maxStoredBytes(maxBytes)) return true;
    fail(
      cell,
      inShard(
        name,
        new DecodeError(
          'TOO_LARGE',
          `minishard ${minishard}: a chunk of ${end - start} bytes; at most ${maxBytes} are expected`,
        ),
      ),
    );
    return false;
  }

  #contentOf = (cell: number): ReturnType<typeof describeContent> =>
    describeContent(this.#options.codec, this.#options.layoutOf(cell));

  #stored(cell: number, bytes: Uint8Array, validator: string | undefined): StoredChunk {
    const { dataEncoding } = this.#options.sharding,
      content = { ...this.#contentOf(cell), validator };
    // Plain bytes may be kept as they are, and would keep all of a large piece alive: they are copied out of it.
    return dataEncoding === 'raw'
      ? { bytes: trimMemory(bytes), contentEncoding: undefined, ...content }
      : { bytes, contentEncoding: dataEncoding, ...content };
  }

  /**
   * @param piece Undefined when the shard has gone since its index was read: nothing is stored there.
   * @returns Tasks that the chunks go on in whose index is of another version than the piece.
   */
  async #deliver(
    file: ShardFile,
    piece: ShardPiece | undefined,
    members: readonly Placed[],
    patience: Patience,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    const stale: Placed[] = [];
    for (const chunk of members) {
      const { cell, minishard, index, start, end } = chunk;
      const isCut = piece && end > piece.start + piece.bytes.byteLength && isOld(index, patience);
      if (piece && (isCut || !this.#indices.agrees(index, piece))) {
        stale.push(chunk);
        continue;
      }
      try {
        await context.deliver(
          cell,
          piece && this.#stored(cell, sliceRange(piece, { start, end }), piece.validator),
        );
      } catch (error) {
        context.fail(cell, inShard(file.name, error, `minishard ${minishard}: `));
      }
    }
    return stale.length > 0 ? this.#readAgain(file, stale, piece!, patience, context) : [];
  }
}

/** Whether an index was here before the call began: its shard may be another one by now. */
const isOld = ({ versions, fromDisk }: CachedIndex, { since, rereads }: Patience): boolean =>
  rereads > 0 && (fromDisk || versions.learnedAt < since);

/** What a range has of a chunk, out of a piece that was read for it. */
function partOf(chunk: ByteRange, piece: ShardPiece, range: ByteRange): ChunkPart {
  const start = Math.max(range.start, chunk.start),
    end = Math.min(range.end, chunk.end);
  return { start: start - chunk.start, bytes: sliceRange(piece, { start, end }) };
}

/** What is wrong in a shard, by the shard's name. */
const inShard = (name: string, error: unknown, where = ''): unknown =>
  error instanceof DecodeError
    ? new DecodeError(error.code, `${name}: ${where}${error.message}`, { cause: error })
    : error;
