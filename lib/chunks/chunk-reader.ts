/**
 * All chunk reads of one volume: one queue, one cache. A call registers every chunk it wants before it awaits anything, so calls made
 * at the same time share reads: a chunk under way is not asked for again, and whoever joins before it is done gets it too.
 *
 * Memory: at most `concurrency` reads in flight (stored + inflated bytes each), `lruBytes` of inflated chunks, and some 300 bytes a
 * chunk that waits.
 */
import { LRUCache } from 'lru-cache';
import { ChunkError, DeadlineError } from '../base/errors.ts';
import {
  runWithoutPause,
  type CooperativeRunner,
  cooperativeRunner as eventLoop,
  type PausableWork,
} from '../base/cooperative-work.ts';
import { newMeter } from '../storage/store.ts';
import { ChunkWaiter, type ChunkCall, type ChunkConsumer, type ChunkCost } from './chunk-consumer.ts';
import type {
  ChunkPart,
  ChunkSource,
  KeptChunk,
  ReadContext,
  ReadTask,
  Reencoder,
  StoredChunk,
} from './chunk-source.ts';
import { JobQueue } from './job-queue.ts';
import type { Planned } from './planned.ts';
import { deliverPartsTo, toKeptChunk, unpackChunk } from './unpack.ts';
import { PendingChunk, type ReadJob } from './pending-chunk.ts';

export type { ChunkConsumer, ChunkCost } from './chunk-consumer.ts';

export interface ChunkReaderOptions {
  /** Reads in flight at once, over all calls. @default 32 */
  concurrency?: number;
  /** Bytes of encoded chunks (bitstream compression stripped) kept between calls. @default 0 */
  lruBytes?: number;
  /** @default the process's */
  pacer?: CooperativeRunner;
}

/** Chunks that had not come in time and are told one by one. */
const MOST_LATE = 1000;
/** Chunks that are registered, planned or left between two pauses. */
const STRETCH = 512;

/** What a call still waited for, or had not asked for yet, when its deadline came. */
function failLate(
  { source, consumer, isSettled: over }: ChunkCall,
  cells: Float64Array,
  { timeoutMs }: DeadlineError,
): void {
  let count = 0;
  for (const isOver of over) count += 1 - isOver;
  const late = new DeadlineError(timeoutMs, { what: 'chunks', count, of: cells.length });
  if (consumer.failRest && count > MOST_LATE) return consumer.failRest(count, ChunkError.of(source.id, late));
  for (const [ordinal, isOver] of over.entries())
    if (!isOver) consumer.fail(ordinal, ChunkError.of(source.urlOf(cells[ordinal]), late));
}

export class ChunkReader {
  readonly #pacer: CooperativeRunner;
  readonly #cache: LRUCache<string, KeptChunk> | undefined;
  /** By key: queued or in flight. */
  readonly #wanted = new Map<string, PendingChunk>();
  readonly #queue: JobQueue<ReadJob>;
  readonly #inFlight = new Set<ReadJob>();
  readonly #delivering = new Set<Promise<void>>();

  constructor({ concurrency = 32, lruBytes = 0, pacer = eventLoop }: ChunkReaderOptions = {}) {
    this.#pacer = pacer;
    this.#queue = new JobQueue(concurrency, pacer, (job) =>
      this.#isWanted(job) ? this.#run(job) : undefined,
    );
    if (lruBytes > 0)
      this.#cache = new LRUCache({
        maxSize: lruBytes,
        sizeCalculation: ({ bytes }) => bytes.byteLength || 1,
      });
  }

  /**
   * Delivers every chunk of `cells` to `consumer`, in no particular order. Registers all of them before it returns.
   * @returns What it cost, when the last chunk was taken or has failed.
   * @throws signal.reason; reads that nobody else waits for are cancelled. A DeadlineError is not thrown: what is missing then has failed.
   */
  read(
    source: ChunkSource,
    cells: Float64Array,
    consumer: ChunkConsumer,
    signal?: AbortSignal,
  ): Promise<ChunkCost> {
    return new Promise<ChunkCost>((resolve, reject) => {
      const leave = (): void => {
        this.#drop(call);
        const reason: unknown = signal?.reason;
        if (!(reason instanceof DeadlineError)) return reject(reason);
        failLate(call, cells, reason);
        resolve(call.cost);
      };
      const settle = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve(call.cost);
      };
      const call: ChunkCall = {
        source,
        consumer,
        cost: { ...newMeter(), cacheHits: 0 },
        isSettled: new Uint8Array(cells.length),
        remaining: cells.length,
        hasEnded: false,
        onSettled: settle,
      };
      if (signal?.aborted) return leave();
      if (cells.length === 0) return resolve(call.cost);
      signal?.addEventListener('abort', leave, { once: true });
      const giveUp = (error: unknown): void => {
        signal?.removeEventListener('abort', leave);
        this.#drop(call); // or others would wait for chunks that nobody reads
        reject(error);
      };
      try {
        const registering = this.#pacer.run(this.#register(call, cells));
        if (registering) registering.catch(giveUp);
      } catch (error) {
        giveUp(error);
      }
    });
  }

  /** When all that was read has been saved, where it is. What could not be is told to its reader. */
  async whenSaved(): Promise<void> {
    while (this.#delivering.size > 0) await Promise.allSettled(this.#delivering);
  }

  *#register(call: ChunkCall, cells: Float64Array): PausableWork {
    const { source } = call,
      fresh = new Map<number, PendingChunk>(),
      asked: number[] = [];
    // The call may end meanwhile, also by what its consumer does with cached bytes: the rest is not registered then.
    for (let ordinal = 0; ordinal < cells.length; ordinal++) {
      if (ordinal % STRETCH === STRETCH - 1) yield;
      if (call.hasEnded) break;
      const wanted = yield* this.#want(call, ordinal, cells[ordinal]);
      if (!wanted) continue;
      fresh.set(wanted.cell, wanted);
      asked.push(wanted.cell);
    }
    yield* this.#enqueue(source, source.plan(asked), fresh);
  }

  /** @returns The chunk, when it is to be read and nobody else has asked for it. */
  *#want(call: ChunkCall, ordinal: number, cell: number): PausableWork<PendingChunk | undefined> {
    const { source, consumer, cost } = call,
      key = `${source.id}:${cell}`;
    const cached = this.#cache?.get(key);
    if (cached) {
      cost.cacheHits++;
      yield* new ChunkWaiter(call, ordinal, cell, undefined).deliver(cached.bytes, cached.codec);
      yield;
      return undefined;
    }
    // What is to be kept must be whole.
    const ranges = this.#cache || source.save ? undefined : consumer.rangesOf?.(ordinal),
      waiter = new ChunkWaiter(call, ordinal, cell, ranges);
    const known = this.#wanted.get(key);
    if (known?.isWanted) {
      cost.cacheHits++;
      known.add(waiter);
      return undefined;
    }
    const wanted = new PendingChunk(key, cell);
    wanted.add(waiter);
    this.#wanted.set(key, wanted);
    return wanted;
  }

  *#enqueue(
    source: ChunkSource,
    planned: Planned<ReadTask>,
    wanted: Map<number, PendingChunk>,
  ): PausableWork {
    const tasks = 'next' in planned ? yield* planned : planned;
    let seen = 0;
    for (const task of tasks) {
      const job: ReadJob = { task, source, wanted: new Map(), abort: new AbortController() };
      for (const cell of task.cells) {
        if (++seen % STRETCH === 0) yield;
        const one = wanted.get(cell);
        if (!one?.isWanted) continue;
        one.job = job;
        job.wanted.set(cell, one);
        wanted.delete(cell);
      }
      if (job.wanted.size > 0) this.#queue.add(job);
    }
  }

  async #run(job: ReadJob): Promise<void> {
    const { task, source, wanted, abort } = job;
    // The read is paid by whoever asked first; if that call leaves, the figures go with it.
    const [first] = wanted.values(),
      [{ call: payer }] = first.waiters;
    const fail = (cell: number, error: unknown): void => {
      const one = wanted.get(cell);
      if (!one) return;
      this.#forget(one);
      for (const waiter of one.waiters) waiter.fail(error);
    };
    const context: ReadContext = {
      signal: abort.signal,
      meter: payer.cost,
      wanted,
      deliver: (cell, chunk, from) => {
        const delivery = this.#deliver(job, cell, chunk, from);
        return source.save ? this.#track(delivery) : delivery;
      },
      deliverParts: (cell, parts) => this.#deliverParts(job, cell, parts),
      fail,
    };
    this.#inFlight.add(job);
    try {
      const more = await task.run(context);
      if (more) await this.#pacer.run(this.#enqueue(source, more, wanted));
      for (const cell of wanted.keys()) fail(cell, new Error('the read ended without it'));
    } catch (error) {
      for (const cell of wanted.keys()) fail(cell, error);
    }
    this.#inFlight.delete(job);
  }

  #track(delivery: Promise<void>): Promise<void> {
    const tracked = delivery.finally(() => this.#delivering.delete(tracked));
    this.#delivering.add(tracked);
    return tracked;
  }

  async #deliver(
    { source, wanted, abort }: ReadJob,
    cell: number,
    chunk: StoredChunk | undefined,
    from: 'store' | 'cache' = 'store',
  ): Promise<void> {
    const one = wanted.get(cell);
    if (!one) return; // nobody wants it any more
    if (this.#pacer.isDue()) await this.#pacer.pause(); // many may have come in one turn
    const saves = from === 'store' && source.save !== undefined;
    const reencoderOf = (): Reencoder | undefined => source.reencoderOf?.(cell);
    // What is saved is the chunk as it is, whatever is kept in memory.
    const keep = saves ? () => undefined : this.#cache && reencoderOf;
    let kept: KeptChunk | undefined;
    // Whoever joins while the bytes are here gets them, in another round.
    for (let served = one.serve(); served.length > 0; served = one.serve()) {
      if (from === 'cache') for (const { call } of served) call.cost.cacheHits++;
      if (kept)
        for (const waiter of served) {
          const going = this.#pacer.run(waiter.deliver(kept.bytes, kept.codec));
          if (typeof going !== 'boolean') await going;
        }
      else kept = await unpackChunk(chunk, served, keep, abort.signal, this.#pacer);
    }
    if (kept && this.#cache) this.#cache.set(one.key, saves ? toKeptChunk(kept.bytes, reencoderOf()) : kept);
    this.#forget(one);
    if (saves && (kept || !chunk)) await source.save?.(cell, kept?.bytes, chunk?.validator);
  }

  #deliverParts({ source, wanted }: ReadJob, cell: number, parts: readonly ChunkPart[]): void {
    const one = wanted.get(cell);
    if (!one) return;
    for (const waiter of one.serve((waiter) => waiter.isSatisfiedBy(parts))) deliverPartsTo(parts, waiter);
    one.finishServing();
    if (!one.isWanted) return this.#forget(one);
    // They came after the parts had been asked for, and need others.
    wanted.delete(cell);
    runWithoutPause(this.#enqueue(source, source.plan([cell]), new Map([[cell, one]])));
  }

  /** Whoever asks from now on reads afresh, and never inherits a failure. */
  #forget(one: PendingChunk): void {
    if (this.#wanted.get(one.key) === one) this.#wanted.delete(one.key);
    one.job?.wanted.delete(one.cell);
  }

  /** Whether any of its chunks is wanted still. The others are forgotten. */
  #isWanted({ wanted }: ReadJob): boolean {
    for (const one of wanted.values()) if (!one.isWanted) this.#forget(one);
    return wanted.size > 0;
  }

  /** Ends the reads that nobody waits for any more. What waits in line is forgotten with pauses: until then it is passed over. */
  #drop(call: ChunkCall): void {
    call.hasEnded = true;
    for (const job of this.#inFlight) if (!this.#isWanted(job)) job.abort.abort();
    void this.#pacer.run(this.#sweep());
  }

  *#sweep(): PausableWork {
    let seen = 0;
    for (const one of this.#wanted.values()) {
      if (!one.isWanted) this.#forget(one);
      if (++seen % STRETCH === 0) yield;
    }
  }
}
