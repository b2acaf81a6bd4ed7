/**
 * Reads chunks from shard files (`KEY/0b.shard`), which hold many chunks each. One task per shard finds its
 * chunks, and follow-up tasks read them. The queue runs the tasks of different shards in parallel.
 * Source: Neuroglancer, src/datasource/precomputed/sharded.md. The pairs of `.index` and `.data` files of an
 * older version of the format are not supported: the chunks of such a shard count as not stored.
 *
 * The reads, with constants in `merge-ranges.ts` and below:
 * - The shard index and the indices of the wanted minishards. Both are cached.
 * - The wanted chunks. Small gaps between them are read too, if that is cheaper than a request. Raw chunks
 *   without compression are read in parts if `range-cost.ts` finds that cheaper.
 * - If most of a shard is wanted, its beginning in one read, which may already hold all of it.
 */
import { cooperativeRunner, type CooperativeRunner } from '../base/cooperative-work.ts';
import { DecodeError } from '../base/errors.ts';
import { isShared } from '../base/shared-memory.ts';
import { maxStoredBytes } from '../compression/decompress.ts';
import { trimMemory } from '../compression/memory.ts';
import { chunkKey, gridShape } from '../precomputed/grid.ts';
import { cellsInShard } from '../precomputed/shard-cells.ts';
import { findChunk, shardIndexBytes } from '../precomputed/shard-index.ts';
import type { ShardingSpec } from '../precomputed/sharding.ts';
import type { ByteRange } from '../storage/store.ts';
import type { ChunkDiskCache } from './chunk-disk-cache.ts';
import type { ObjectSource, ReadContext, ReadTask, StoredChunk } from './chunk-source.ts';
import { ChunkStore, describeContent } from './chunk-store.ts';
import type { SharingThreads } from './chunk-work.ts';
import { deliverPiece, deliverShardParts, withShardName, type PieceDelivery } from './deliver-piece.ts';
import { wasReadBefore, type LocatedChunk, type ReadBudget } from './located-chunk.ts';
import { MAX_READ_BYTES, planReads } from './merge-ranges.ts';
import { mapPlanned, type Planned } from './planned.ts';
import { planParts } from './range-cost.ts';
import {
  changedShardError,
  isTruncated,
  ShardFile,
  type ShardPiece,
  type Shard,
  type ShardReadContext,
  type ShardStore,
} from './shard-file.ts';
import { WHOLE_INDEX_BYTES, type VersionMismatch } from './shard-entries.ts';
import { MAX_REREADS, MAX_RETRIES, ShardIndices, type ShardIndexCache } from './shard-indices.ts';
import { ShardPlan, type ShardCells } from './shard-plan.ts';
import type { UnshardedSourceOptions } from './unsharded-source.ts';

/** Options of a {@link ShardedSource}. */
export interface ShardedSourceOptions extends UnshardedSourceOptions {
  sharding: ShardingSpec;
  indices: ShardIndexCache;
  /** The disk cache, which keeps indices between processes. */
  disk?: ChunkDiskCache;
  /** Pauses the search for very many chunks of one shard. @default the runner of the process */
  runner?: CooperativeRunner;
}

/**
 * From this share of a shard's cells, the whole shard is read, which is at most a quarter more than what is
 * wanted.
 */
const DENSE_SHARE = 0.8;

/** Chunks that are looked up in the indices of a shard between two pauses: about a microsecond each. */
const CELLS_PER_STRETCH = 1024;

/** The chunks of one sharded scale. */
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

  /**
   * The URL of the shard, and after `#` the name of the chunk in an unsharded scale:
   * `…/8_8_40/0b.shard#64-128_0-64_0-32`.
   */
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
      const budget = { rereads: MAX_REREADS, retries: MAX_RETRIES, since: this.#store.versions.nextTurn() };
      return this.#readShard(this.#fileOf(shard), cells, budget, context);
    },
  });

  /** Opens a shard file for one task. */
  #fileOf(shard: Shard): ShardFile {
    return new ShardFile(this.#store, shard);
  }

  async #readShard(
    file: ShardFile,
    cells: readonly number[],
    budget: ReadBudget,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    try {
      const located = await this.#locate(file, cells, context);
      if (this.#store.ignoresRanges && !located.every((chunk) => file.hasRange(chunk)))
        await file.readBeginning(MAX_READ_BYTES, await this.#sharing(context));
      const rest = located.filter((chunk) => !file.hasRange(chunk));
      const held = located.filter((chunk) => file.hasRange(chunk));
      const again =
        held.length > 0
          ? await this.#deliver(file, file.held, held, budget, context, (threads) =>
              file.giveBackHeld(threads),
            )
          : [];
      const reads = planReads(rest).map((range) => {
        const members = range.members.map((member) => rest[member]);
        return {
          cells: members.map(({ cell }) => cell),
          run: (later: ReadContext) =>
            this.#readRange(this.#fileOf(file.shard), range, members, budget, later),
        };
      });
      return [...again, ...reads];
    } catch (error) {
      throw withShardName(file.name, error);
    }
  }

  async #readRange(
    file: ShardFile,
    range: ByteRange,
    members: readonly LocatedChunk[],
    budget: ReadBudget,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    try {
      const wanted = members.map((chunk) => this.#wantedOf(chunk, context));
      const ranges = wanted.some((chunkRanges) => chunkRanges)
        ? planParts(
            wanted.flatMap((chunkRanges, k) => chunkRanges ?? [members[k]]),
            range.end - range.start,
          )
        : undefined;
      if (ranges) return await this.#readParts(file, ranges, members, wanted, budget, context);
      const piece = await file.read(range, await this.#sharing(context));
      return await this.#deliver(
        file,
        piece,
        members,
        budget,
        context,
        (threads) => piece && threads.giveBack(piece.bytes),
      );
    } catch (error) {
      if (isTruncated(error) && members.some(({ index }) => wasReadBefore(index, budget)))
        return this.#readAgain(file, members, {}, budget, context);
      throw withShardName(file.name, error);
    }
  }

  /**
   * Reads chunks again whose index and bytes had different versions of the shard, after reading the indices
   * again.
   */
  async #readAgain(
    file: ShardFile,
    members: readonly LocatedChunk[],
    mismatch: VersionMismatch,
    { rereads, retries, since }: ReadBudget,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    const cells = members.map(({ cell }) => cell);
    const retry = (budget: ReadBudget): readonly ReadTask[] => [
      { cells, run: (later) => this.#readShard(this.#fileOf(file.shard), cells, budget, later) },
    ];
    if (rereads > 0) {
      const { timesRead, isUndecided } = await this.#indices.reread(
        file,
        new Map(members.map(({ minishard, index }) => [minishard, index])),
        mismatch,
        rereads,
        context,
      );
      return retry({ rereads: rereads - timesRead, retries: isUndecided ? MAX_RETRIES : 0, since });
    }
    if (retries > 0) return retry({ rereads, retries: retries - 1, since });
    for (const cell of cells) context.fail(cell, changedShardError(file.url));
    return [];
  }

  /** Returns the ranges of the shard that are wanted of a chunk now; undefined if the whole chunk is. */
  #wantedOf(
    { cell, start, end }: ByteRange & { cell: number },
    context: ReadContext,
  ): readonly ByteRange[] | undefined {
    const { sharding, rangeReads } = this.#options;
    if (
      rangeReads === false ||
      sharding.dataEncoding !== 'raw' ||
      end - start !== this.contentOf(cell).exactBytes
    )
      return undefined;
    return context.wanted
      .get(cell)
      ?.ranges?.map((range) => ({ start: start + range.start, end: start + range.end }));
  }

  /**
   * Reads and delivers parts of chunks.
   * @param ranges The ranges of the shard to read. They hold what is wanted of each member, or the whole
   *   member.
   */
  async #readParts(
    file: ShardFile,
    ranges: readonly ByteRange[],
    members: readonly LocatedChunk[],
    wanted: readonly (readonly ByteRange[] | undefined)[],
    budget: ReadBudget,
    context: ReadContext,
  ): Promise<readonly ReadTask[]> {
    const pieces = ranges.map((range) => file.read(range, { signal: context.signal, meter: context.meter }));
    const received = (await Promise.allSettled(pieces)).flatMap((piece) =>
      piece.status === 'fulfilled' && piece.value ? [piece.value] : [],
    );
    const other = received.find((piece) => members.some(({ index }) => !this.#indices.agrees(index, piece)));
    if (other || !this.#store.versions.areOneVersion(received))
      return this.#readAgain(file, members, other ?? {}, budget, context);
    await deliverShardParts(
      pieces,
      ranges,
      members,
      wanted.map((chunkRanges) => chunkRanges !== undefined),
      this.#deliveryOf(file, context),
    );
    return [];
  }

  /**
   * Finds the chunks in the shard. Delivers those that are not stored, and fails those with impossible sizes.
   */
  async #locate(file: ShardFile, cells: readonly number[], context: ReadContext): Promise<LocatedChunk[]> {
    const { runner = cooperativeRunner } = this.#options;
    const { ids, shards, minishards } = this.#plan.locate(cells);
    const wanted = [...new Set(minishards)];
    const isDense = this.#isDense(cells, shards[0], shards[1]) && !this.#arePartsCheaper(cells, context);
    const absent =
      isDense &&
      !this.#indices.has(file, wanted) &&
      !(await file.readBeginning(MAX_READ_BYTES, await this.#sharing(context)));
    const found = absent ? [] : await this.#indices.read(file, wanted, context);
    const indices = new Map(found.map((index, k) => [wanted[k], index]));
    const located: LocatedChunk[] = [];
    for (const [k, cell] of cells.entries()) {
      if (k % CELLS_PER_STRETCH === CELLS_PER_STRETCH - 1 && runner.isDue()) await runner.pause();
      const minishard = minishards[k],
        index = indices.get(minishard);
      if (index?.status === 'rejected') {
        context.fail(cell, withShardName(file.name, index.reason));
        continue;
      }
      const range = index?.value && findChunk(index.value, ids[2 * k], ids[2 * k + 1]);
      if (range) located.push({ ...range, cell, minishard, index: index.value! });
      else await context.deliver(cell, undefined);
    }
    return located.filter((chunk) => this.#checkSize(file.name, chunk, context));
  }

  /**
   * The context of a read that holds many chunks: threads share its memory if they do the work on the chunks.
   * Threads that are starting are waited for: the main thread alone takes longer.
   */
  async #sharing({ signal, meter, threads, workOf }: ReadContext): Promise<ShardReadContext> {
    const { sharding, codec } = this.#options,
      isWorth = workOf !== undefined && (sharding.dataEncoding !== 'raw' || codec.isPointwise !== true);
    if (isWorth) await threads?.whenReady();
    return { signal, meter, sharers: isWorth && threads && threads.ready > 0 ? threads : undefined };
  }

  /** Whether to read the beginning of the shard first, before its indices are known. */
  #isDense(cells: readonly number[], low: number, high: number): boolean {
    const { sharding, scale } = this.#options;
    const cellsPerShard = cellsInShard(sharding, gridShape(scale), low, high);
    if (cells.length < DENSE_SHARE * cellsPerShard || shardIndexBytes(sharding) > WHOLE_INDEX_BYTES)
      return false;
    // The size of plain raw chunks is known: if the shard is larger than one read, a chunk would be cut and
    // read again.
    const { exactBytes } = this.contentOf(cells[0]);
    return (
      exactBytes === undefined ||
      sharding.dataEncoding !== 'raw' ||
      cellsPerShard * exactBytes < MAX_READ_BYTES
    );
  }

  /** Whether parts of each chunk cost less than the whole chunk, even with the reads of the indices. */
  #arePartsCheaper(cells: readonly number[], context: ReadContext): boolean {
    return cells.every((cell) => {
      const { exactBytes: end } = this.contentOf(cell);
      const wanted = end === undefined ? undefined : this.#wantedOf({ cell, start: 0, end }, context);
      return wanted !== undefined && planParts(wanted, end!) !== undefined;
    });
  }

  #checkSize(name: string, { cell, minishard, start, end }: LocatedChunk, { fail }: ReadContext): boolean {
    const { maxBytes } = this.contentOf(cell);
    if (end - start <= maxStoredBytes(maxBytes)) return true;
    fail(
      cell,
      withShardName(
        name,
        new DecodeError(
          'TOO_LARGE',
          `minishard ${minishard}: a chunk has ${end - start} bytes; at most ${maxBytes} are expected`,
        ),
      ),
    );
    return false;
  }

  readonly contentOf = (cell: number): ReturnType<typeof describeContent> =>
    describeContent(this.#options.codec, this.#options.layoutOf(cell));

  #stored(cell: number, bytes: Uint8Array, validator: string | undefined): StoredChunk {
    const { dataEncoding } = this.#options.sharding,
      content = { ...this.contentOf(cell), validator };
    // Plain bytes may be cached as they are. They are copied, so that they do not keep a large piece alive.
    return dataEncoding === 'raw'
      ? { bytes: isShared(bytes) ? bytes : trimMemory(bytes), contentEncoding: undefined, ...content }
      : { bytes, contentEncoding: dataEncoding, ...content };
  }

  #deliveryOf({ name }: ShardFile, context: ReadContext): PieceDelivery {
    return { name, context, storedOf: (...chunk) => this.#stored(...chunk) };
  }

  /**
   * Delivers chunks out of a piece of the shard, and calls `onRead` if nothing reads the piece afterwards.
   * @param piece Undefined if the shard was deleted after its index was read: then no chunk is stored.
   * @returns Tasks that read chunks again, whose index has another version than the piece.
   */
  async #deliver(
    file: ShardFile,
    piece: ShardPiece | undefined,
    members: readonly LocatedChunk[],
    budget: ReadBudget,
    context: ReadContext,
    onRead: (threads: SharingThreads) => void,
  ): Promise<readonly ReadTask[]> {
    const stale: LocatedChunk[] = [],
      current: LocatedChunk[] = [];
    for (const chunk of members) {
      const { index, end } = chunk;
      const isCut = piece && end > piece.start + piece.bytes.byteLength && wasReadBefore(index, budget);
      (piece && (isCut || !this.#indices.agrees(index, piece)) ? stale : current).push(chunk);
    }
    const isAnswered = await deliverPiece(piece, current, this.#deliveryOf(file, context));
    const again = stale.length > 0 ? await this.#readAgain(file, stale, piece!, budget, context) : [];
    // After an abort, a thread may still be at work, or another call may wait for an index in the piece.
    const { stop, signal, threads } = context;
    if (threads && isAnswered && !(stop ? stop.isStopped : signal.aborted)) onRead(threads);
    return again;
  }
}
