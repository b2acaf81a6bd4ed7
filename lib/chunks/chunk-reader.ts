/**
 * All chunk reads of one volume: one queue, one cache. A call registers every chunk it wants before it awaits anything, so calls made
 * at the same time share reads: a chunk under way is not asked for again, and whoever joins before its bytes arrive gets them.
 *
 * Memory: at most `concurrency` chunks in flight (stored + inflated bytes each), `lruBytes` of inflated chunks, and some 300 bytes a
 * chunk that waits.
 */
import { LRUCache } from 'lru-cache';
import PQueue from 'p-queue';
import { ChunkError, LookupError } from '../base/errors.ts';
import { newMeter, type Meter } from '../storage/store.ts';
import type { ChunkSource } from './chunk-source.ts';

export interface ChunkReaderOptions {
  /** Chunks in flight at once, over all calls. @default 32 */
  concurrency?: number;
  /** Bytes of encoded chunks (bitstream compression stripped) kept between calls. @default 0 */
  lruBytes?: number;
}

export interface ChunkConsumer {
  /**
   * Takes what it needs out of the bytes of `cells[ordinal]`, at once: it must not keep them. Undefined: the chunk is not stored.
   * What it throws makes the chunk failed for this consumer.
   */
  take(ordinal: number, bytes: Uint8Array | undefined): void;
  /** The chunk could not be read, or `take` threw. */
  fail(ordinal: number, error: ChunkError): void;
}

export interface ChunkCost extends Meter {
  /** Chunks that came from the cache or from a read another call had asked for. */
  cacheHits: number;
}

interface Call {
  source: ChunkSource;
  consumer: ChunkConsumer;
  cost: ChunkCost;
  left: number;
  gone: boolean;
  settle: () => void;
}

interface Job {
  key: string;
  source: ChunkSource;
  cell: number;
  waiters: { call: Call; ordinal: number }[];
  abort: AbortController;
}

export class ChunkReader {
  readonly #queue: PQueue;
  readonly #cache: LRUCache<string, Uint8Array> | undefined;
  /** Queued or in flight, by key, in the order asked. */
  readonly #jobs = new Map<string, Job>();
  #waiting: Job[] = [];
  #next = 0;

  constructor({ concurrency = 32, lruBytes = 0 }: ChunkReaderOptions = {}) {
    this.#queue = new PQueue({ concurrency });
    if (lruBytes > 0) this.#cache = new LRUCache({ maxSize: lruBytes, sizeCalculation: (bytes) => bytes.byteLength || 1 });
  }

  /**
   * Hands every chunk of `cells` to `consumer`, in no particular order. Registers all of them before it returns.
   * @returns What it cost, when the last chunk was taken or has failed.
   * @throws signal.reason; reads that nobody else waits for are cancelled.
   */
  read(source: ChunkSource, cells: Float64Array, consumer: ChunkConsumer, signal?: AbortSignal): Promise<ChunkCost> {
    return new Promise<ChunkCost>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const leave = (): void => {
        this.#drop(call);
        reject(signal?.reason as Error);
      };
      const settle = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve(call.cost);
      };
      const call: Call = { source, consumer, cost: { ...newMeter(), cacheHits: 0 }, left: cells.length, gone: false, settle };
      if (cells.length === 0) return resolve(call.cost);
      signal?.addEventListener('abort', leave, { once: true });
      // A consumer that gets cached bytes may abort its own call: the rest is not registered then.
      for (let ordinal = 0; ordinal < cells.length && !call.gone; ordinal++) this.#want(call, ordinal, cells[ordinal]);
      this.#pump();
    });
  }

  #want(call: Call, ordinal: number, cell: number): void {
    const key = `${call.source.id}:${cell}`;
    const cached = this.#cache?.get(key);
    if (cached) {
      call.cost.cacheHits++;
      this.#give(call, ordinal, cell, cached);
      return;
    }
    let job = this.#jobs.get(key);
    if (job) call.cost.cacheHits++;
    else {
      job = { key, source: call.source, cell, waiters: [], abort: new AbortController() };
      this.#jobs.set(key, job);
      this.#waiting.push(job);
    }
    job.waiters.push({ call, ordinal });
  }

  /** The queue holds workers, not chunks: a million waiting chunks cost a million small records and nothing more. */
  #pump(): void {
    let idle = this.#waiting.length - this.#next;
    while (idle-- > 0 && this.#queue.size + this.#queue.pending < this.#queue.concurrency) void this.#queue.add(() => this.#work());
  }

  async #work(): Promise<void> {
    for (let job = this.#take(); job; job = this.#take()) {
      if (job.waiters.length > 0) await this.#run(job);
    }
  }

  #take(): Job | undefined {
    const job = this.#waiting[this.#next++];
    // Jobs that were taken go by halves: under a steady stream of calls the list may never run empty.
    if (this.#next * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    return job;
  }

  async #run(job: Job): Promise<void> {
    // The read is paid by whoever asked first; if that call leaves, the figures go with it.
    const meter = job.waiters[0].call.cost;
    try {
      const bytes = await job.source.read(job.cell, { signal: job.abort.signal, meter });
      this.#forget(job);
      let taken = false;
      for (const { call, ordinal } of job.waiters) taken = this.#give(call, ordinal, job.cell, bytes) || taken;
      if (taken && bytes) this.#cache?.set(job.key, bytes);
    } catch (error) {
      this.#forget(job);
      for (const { call, ordinal } of job.waiters) this.#fail(call, ordinal, job.cell, error);
    }
  }

  /** Before the bytes are handed out: whoever asks from now on reads afresh, and never inherits a failure. */
  #forget(job: Job): void {
    if (this.#jobs.get(job.key) === job) this.#jobs.delete(job.key);
  }

  #give(call: Call, ordinal: number, cell: number, bytes: Uint8Array | undefined): boolean {
    if (call.gone) return false;
    try {
      call.consumer.take(ordinal, bytes);
    } catch (error) {
      this.#fail(call, ordinal, cell, error);
      return false;
    }
    if (--call.left === 0) call.settle();
    return true;
  }

  #fail(call: Call, ordinal: number, cell: number, error: unknown): void {
    if (call.gone) return;
    const url = call.source.urlOf(cell);
    const why = error instanceof Error ? error.message : String(error);
    // Only our own errors are passed on as causes: they are known to hold no secrets.
    call.consumer.fail(ordinal, new ChunkError(`chunk ${url}: ${why}`, url, error instanceof LookupError ? { cause: error } : undefined));
    if (--call.left === 0) call.settle();
  }

  #drop(call: Call): void {
    call.gone = true;
    for (const job of this.#jobs.values()) {
      const left = job.waiters.filter((waiter) => waiter.call !== call);
      if (left.length === job.waiters.length) continue;
      job.waiters = left;
      if (left.length > 0) continue;
      this.#forget(job);
      job.abort.abort();
    }
  }
}
