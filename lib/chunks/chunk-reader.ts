/**
 * All chunk reads of one volume: one queue, one cache. A call registers every chunk it wants before it awaits anything, so calls made
 * at the same time share reads: a chunk under way is not asked for again, and whoever joins before it is done gets it too.
 *
 * Memory: at most `concurrency` reads in flight (stored + inflated bytes each), `lruBytes` of inflated chunks, and some 300 bytes a
 * chunk that waits.
 */
import { LRUCache } from 'lru-cache';
import { ChunkError, DeadlineError } from '../base/errors.ts';
import { atOnce, type Pacer, pacer as eventLoop, type Paced } from '../base/pacer.ts';
import { newMeter, type ByteRange, type Meter } from '../storage/store.ts';
import type { Codec } from '../codecs/codec.ts';
import type {
  ChunkPart,
  ChunkSource,
  Keeper,
  KeptChunk,
  Parts,
  ReadContext,
  ReadTask,
  StoredChunk,
} from './chunk-source.ts';
import { hand, handOver, remake, unpack, type Taker, type Watcher } from './unpack.ts';

export interface ChunkReaderOptions {
  /** Reads in flight at once, over all calls. @default 32 */
  concurrency?: number;
  /** Bytes of encoded chunks (bitstream compression stripped) kept between calls. @default 0 */
  lruBytes?: number;
  /** @default the process's */
  pacer?: Pacer;
}

export interface ChunkConsumer {
  /**
   * Takes what it needs out of the bytes of `cells[ordinal]`, at once or with pauses: it must not keep them any longer. Undefined: the chunk
   * is not stored. What it throws makes the chunk failed for this consumer. It is not gone on with once the call has ended.
   *
   * @param codec What reads the bytes, where they were kept in another encoding than the source's.
   */
  take(ordinal: number, bytes: Uint8Array | undefined, codec?: Codec): Paced | void;
  /** The same by windows, where the encoding allows it; `take` is not called then. */
  watch?(ordinal: number): Watcher | undefined;
  /** Bytes of the chunk that are enough for it: `watch` then sees parts that hold them. Undefined: it needs the whole chunk. */
  wanted?(ordinal: number): readonly ByteRange[] | undefined;
  /** All of the chunk was taken. */
  done(ordinal: number, stored: boolean): Paced | void;
  /** The chunk could not be read, or taking it failed. */
  fail(ordinal: number, error: ChunkError): void;
  /** So many chunks, all that are not settled yet, had not come in time: told at once where each on its own would take too long. */
  failRest?(count: number, error: ChunkError): void;
}

/** Chunks that had not come in time and are told one by one. */
const MOST_LATE = 1000;
/** Chunks that are registered between two pauses. */
const STRETCH = 512;

export interface ChunkCost extends Meter {
  /** Chunks that came from the cache or from a read another call had asked for. */
  cacheHits: number;
}

interface Call {
  source: ChunkSource;
  consumer: ChunkConsumer;
  cost: ChunkCost;
  /** By ordinal: 1 once it was taken or has failed. */
  over: Uint8Array;
  left: number;
  gone: boolean;
  settle: () => void;
}

interface Waiter {
  call: Call;
  ordinal: number;
  /** What it needs is in the parts that are being read. */
  inParts?: boolean;
}

/** A chunk that is wanted and not here yet. */
interface Wanted {
  key: string;
  cell: number;
  waiters: Waiter[];
  /** Those whom the bytes are being handed to. */
  served: Waiter[];
  job: Job | undefined;
}

/** A task and those of its chunks that are still wanted. */
interface Job {
  task: ReadTask;
  source: ChunkSource;
  wanted: Map<number, Wanted>;
  abort: AbortController;
}

/** All that those who wait for a chunk now need of it, if parts are enough for each. */
function bytesFor(one: Wanted | undefined): ByteRange[] | undefined {
  const ranges: ByteRange[] = [];
  for (const waiter of one?.waiters ?? []) {
    const its = waiter.call.consumer.wanted?.(waiter.ordinal);
    if (!its) return undefined;
    waiter.inParts = true;
    ranges.push(...its);
  }
  return ranges.length > 0 ? ranges : undefined;
}

/** What a call still waited for, or had not asked for yet, when its deadline came. */
function failLate({ source, consumer, over }: Call, cells: Float64Array, { timeoutMs }: DeadlineError): void {
  const missing: number[] = [];
  for (let ordinal = 0; ordinal < over.length; ordinal++) if (over[ordinal] === 0) missing.push(ordinal);
  const late = new DeadlineError(timeoutMs, { what: 'chunks', count: missing.length, of: cells.length });
  if (consumer.failRest && missing.length > MOST_LATE)
    return consumer.failRest(missing.length, ChunkError.of(source.id, late));
  for (const ordinal of missing) consumer.fail(ordinal, ChunkError.of(source.urlOf(cells[ordinal]), late));
}

/** The work of a consumer, which ends with its call. */
function* whileWanted(call: Call, work: Paced | void): Paced {
  if (!work) return;
  while (!work.next().done) {
    yield;
    if (call.gone) return;
  }
}

export class ChunkReader {
  readonly #concurrency: number;
  readonly #pacer: Pacer;
  /** Workers that have not found the list of jobs empty: none of them misses a job that is added. */
  #workers = 0;
  readonly #cache: LRUCache<string, KeptChunk> | undefined;
  /** By key: queued or in flight. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #delivering = new Set<Promise<void>>();
  #waiting: Job[] = [];
  #next = 0;

  constructor({ concurrency = 32, lruBytes = 0, pacer = eventLoop }: ChunkReaderOptions = {}) {
    this.#pacer = pacer;
    this.#concurrency = concurrency;
    if (lruBytes > 0)
      this.#cache = new LRUCache({
        maxSize: lruBytes,
        sizeCalculation: ({ bytes }) => bytes.byteLength || 1,
      });
  }

  /**
   * Hands every chunk of `cells` to `consumer`, in no particular order. Registers all of them before it returns.
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
      const call: Call = {
        source,
        consumer,
        cost: { ...newMeter(), cacheHits: 0 },
        over: new Uint8Array(cells.length),
        left: cells.length,
        gone: false,
        settle,
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
  async saved(): Promise<void> {
    while (this.#delivering.size > 0) await Promise.allSettled(this.#delivering);
  }

  *#register(call: Call, cells: Float64Array): Paced {
    const fresh = new Map<number, Wanted>();
    // The call may end meanwhile, also by what its consumer does with cached bytes: the rest is not registered then.
    for (let ordinal = 0; ordinal < cells.length && !call.gone; ordinal++) {
      if (ordinal % STRETCH === STRETCH - 1) yield;
      yield* this.#want(call, ordinal, cells[ordinal], fresh);
    }
    yield* this.#enqueue(call.source, call.source.plan([...fresh.keys()]), fresh);
  }

  *#want(call: Call, ordinal: number, cell: number, fresh: Map<number, Wanted>): Paced {
    const key = `${call.source.id}:${cell}`;
    const cached = this.#cache?.get(key);
    const known = this.#wanted.get(key);
    if (cached || known) call.cost.cacheHits++;
    if (cached) {
      yield* hand(this.#taker({ call, ordinal }, cell, true), cached);
      yield;
      return;
    }
    const wanted = known ?? { key, cell, waiters: [], served: [], job: undefined };
    wanted.waiters.push({ call, ordinal });
    if (known) return;
    this.#wanted.set(key, wanted);
    fresh.set(cell, wanted);
  }

  *#enqueue(source: ChunkSource, tasks: readonly ReadTask[], wanted: Map<number, Wanted>): Paced {
    for (const [k, task] of tasks.entries()) {
      if (k % STRETCH === STRETCH - 1) {
        this.#startWorkers();
        yield;
      }
      const job: Job = { task, source, wanted: new Map(), abort: new AbortController() };
      for (const cell of task.cells) {
        const one = wanted.get(cell);
        if (!one || one.waiters.length === 0) continue;
        one.job = job;
        job.wanted.set(cell, one);
        wanted.delete(cell);
      }
      if (job.wanted.size > 0) this.#waiting.push(job);
    }
    this.#startWorkers();
  }

  #startWorkers(): void {
    while (this.#workers < this.#concurrency && this.#next < this.#waiting.length) {
      this.#workers++;
      void this.#work();
    }
  }

  /** Never rejects. It stops counting in the very turn in which it finds nothing: whoever adds a job from then on starts another. */
  async #work(): Promise<void> {
    for (let job = this.#take(); job; job = this.#take()) {
      if (job.wanted.size > 0) await this.#run(job);
      if (this.#next < this.#waiting.length && this.#pacer.isDue()) await this.#pacer.pause();
    }
    this.#workers--;
  }

  #take(): Job | undefined {
    if (this.#next === this.#waiting.length) return undefined;
    const job = this.#waiting[this.#next++];
    // Jobs that were taken go by halves: under a steady stream of calls the list may never run empty.
    if (this.#next * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return job;
  }

  async #run(job: Job): Promise<void> {
    const { task, source, wanted, abort } = job;
    // The read is paid by whoever asked first; if that call leaves, the figures go with it.
    const [{ waiters }] = wanted.values();
    const fail = (cell: number, error: unknown): void => {
      const one = wanted.get(cell);
      if (!one) return;
      this.#forget(one);
      for (const waiter of one.waiters) this.#taker(waiter, cell, true).fail(error);
    };
    // What a cache is to keep must be whole.
    const parts: Parts | undefined =
      this.#cache || source.save
        ? undefined
        : {
            wanted: (cell) => bytesFor(wanted.get(cell)),
            deliver: (cell, found) => this.#deliverParts(job, cell, found),
          };
    const deliver: ReadContext['deliver'] = (cell, chunk, from) => {
      const delivery = this.#deliver(job, cell, chunk, from);
      return source.save ? this.#track(delivery) : delivery;
    };
    try {
      const more = await task.run({
        signal: abort.signal,
        meter: waiters[0].call.cost,
        deliver,
        parts,
        fail,
      });
      if (more) await this.#pacer.run(this.#enqueue(source, more, wanted));
      for (const cell of wanted.keys()) fail(cell, new Error('the read ended without it'));
    } catch (error) {
      for (const cell of wanted.keys()) fail(cell, error);
    }
  }

  #track(delivery: Promise<void>): Promise<void> {
    const tracked = delivery.finally(() => this.#delivering.delete(tracked));
    this.#delivering.add(tracked);
    return tracked;
  }

  async #deliver(
    { source, wanted, abort }: Job,
    cell: number,
    chunk: StoredChunk | undefined,
    from: 'store' | 'cache' = 'store',
  ): Promise<void> {
    const one = wanted.get(cell);
    if (!one) return; // nobody wants it any more
    if (this.#pacer.isDue()) await this.#pacer.pause(); // many may have come in one turn
    const saves = from === 'store' && source.save !== undefined;
    const keeperOf = (): Keeper | undefined => source.keeperOf?.(cell);
    // What is saved is the chunk as it is, whatever is kept in memory.
    const keep = saves ? () => undefined : this.#cache && keeperOf;
    let kept: KeptChunk | undefined;
    // Whoever joins while the bytes are here gets them, in another round.
    while (one.waiters.length > 0) {
      one.served = one.waiters.splice(0);
      if (from === 'cache') for (const { call } of one.served) call.cost.cacheHits++;
      const takers = one.served.map((waiter) => this.#taker(waiter, cell, chunk !== undefined));
      if (kept)
        for (const taker of takers) {
          const going = this.#pacer.run(hand(taker, kept));
          if (typeof going !== 'boolean') await going;
        }
      else kept = await unpack(chunk, takers, keep, abort.signal, this.#pacer);
      one.served = [];
    }
    if (kept && this.#cache) this.#cache.set(one.key, saves ? remake(kept.bytes, keeperOf()) : kept);
    this.#forget(one);
    if (saves && (kept || !chunk)) await source.save?.(cell, kept?.bytes, chunk?.validator);
  }

  #deliverParts({ source, wanted }: Job, cell: number, parts: readonly ChunkPart[]): void {
    const one = wanted.get(cell);
    if (!one) return;
    one.served = one.waiters.filter(({ inParts }) => inParts);
    one.waiters = one.waiters.filter(({ inParts }) => !inParts);
    for (const waiter of one.served) handOver(parts, this.#taker(waiter, cell, true));
    one.served = [];
    if (one.waiters.length === 0) return this.#forget(one);
    // They came after the parts had been asked for, and need others.
    wanted.delete(cell);
    atOnce(this.#enqueue(source, source.plan([cell]), new Map([[cell, one]])));
  }

  /** Whoever asks from now on reads afresh, and never inherits a failure. */
  #forget(one: Wanted): void {
    if (this.#wanted.get(one.key) === one) this.#wanted.delete(one.key);
    one.job?.wanted.delete(one.cell);
  }

  #taker(waiter: Waiter, cell: number, stored: boolean): Taker {
    const { call, ordinal } = waiter,
      { consumer, source } = call;
    const settled = (): void => {
      call.over[ordinal] = 1;
      if (--call.left === 0) call.settle();
    };
    return {
      *take(bytes, codec) {
        if (!call.gone) yield* whileWanted(call, consumer.take(ordinal, bytes, codec));
      },
      watch: () => {
        const watcher = call.gone ? () => undefined : consumer.watch?.(ordinal);
        return watcher && ((window, at) => call.gone || watcher(window, at)); // the call may leave between two windows
      },
      *done() {
        if (call.gone) return;
        yield* whileWanted(call, consumer.done(ordinal, stored));
        if (!call.gone) settled();
      },
      fail: (error) => {
        if (call.gone) return;
        consumer.fail(ordinal, ChunkError.of(source.urlOf(cell), error));
        settled();
      },
    };
  }

  #drop(call: Call): void {
    call.gone = true;
    for (const one of this.#wanted.values()) {
      const others = ({ call: other }: Waiter): boolean => other !== call;
      if (one.waiters.every(others) && one.served.every(others)) continue;
      one.waiters = one.waiters.filter(others);
      one.served = one.served.filter(others);
      if (one.waiters.length + one.served.length > 0) continue;
      const { job } = one;
      this.#forget(one);
      if (job?.wanted.size === 0) job.abort.abort();
    }
  }
}
