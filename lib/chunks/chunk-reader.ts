/**
 * Reads the chunks of one volume through one queue and one memory cache. A call registers all its chunks
 * before it awaits anything, so calls of the same tick share their reads. A chunk in flight is not read
 * twice: later calls join its read.
 *
 * Memory: at most `concurrency` reads in flight (stored and inflated bytes of each), `lruBytes` of cached
 * chunks, and about 300 bytes per waiting chunk.
 */
import { LRUCache } from 'lru-cache';
import { DeadlineError } from '../base/errors.ts';
import {
  runWithoutPause,
  type CooperativeRunner,
  cooperativeRunner as defaultRunner,
  type PausableWork,
} from '../base/cooperative-work.ts';
import { Stop } from '../base/stop.ts';
import { newMeter } from '../storage/store.ts';
import { ChunkWaiter, type ChunkCall, type ChunkConsumer, type ChunkCost } from './chunk-consumer.ts';
import type {
  ChunkContent,
  ChunkPart,
  ChunkSource,
  HeldChunk,
  KeptChunk,
  ReadTask,
  Reencoder,
  StoredChunk,
  WorkDone,
} from './chunk-source.ts';
import { AdaptiveLimit, fixedLimit, limitClock, type ReadLimit } from './adaptive-limit.ts';
import type { ChunkThreads } from './chunk-threads.ts';
import type { ChunkWork } from './chunk-work.ts';
import { JobQueue } from './job-queue.ts';
import { failLateChunks } from './late-chunks.ts';
import type { Planned } from './planned.ts';
import { isSlow, keptChunkTask, slowChunksOf } from './slow-chunks.ts';
import { convertKept, isElsewhere, orderWork, unpackWithThreads } from './unpack-in-threads.ts';
import { deliverPartsTo, unpackChunk } from './unpack.ts';
import { PendingChunk, type ReadJob } from './pending-chunk.ts';
import { TaskContext } from './task-context.ts';

export type { ChunkConsumer, ChunkCost } from './chunk-consumer.ts';

/** Options of a {@link ChunkReader}. */
export interface ChunkReaderOptions {
  /** Most reads in flight, over all calls; `'auto'` finds the number, from 32 to 240. @default 'auto' */
  concurrency?: number | 'auto';
  /** Size of the memory cache in bytes. Chunks are kept in their encoding, without compression. @default 0 */
  lruBytes?: number;
  /** @default The runner of the process. */
  runner?: CooperativeRunner;
  /** Worker threads that decompress and decode chunks. @default none */
  threads?: ChunkThreads;
}

/** Chunks that are registered, planned or dropped between two pauses. */
const CELLS_PER_PAUSE = 512;
/** Chunks of one task that wait for each worker thread, so that none is idle. */
const DELIVERIES_PER_THREAD = 4;

/** Reads and caches the chunks of one volume, for any number of calls at once. */
export class ChunkReader {
  readonly #runner: CooperativeRunner;
  readonly #threads: ChunkThreads | undefined;
  readonly #cache: LRUCache<string, KeptChunk> | undefined;
  /** The chunks that are queued or in flight, by key. */
  readonly #wanted = new Map<string, PendingChunk>();
  readonly #limit: ReadLimit;
  readonly #queue: JobQueue<ReadJob>;
  readonly #inFlight = new Set<ReadJob>();
  readonly #delivering = new Set<Promise<void>>();
  /** The most chunks of a call for which no thread was started, as they may be in the disk cache. */
  #perhapsMissed = 0;

  constructor({
    concurrency = 'auto',
    lruBytes = 0,
    runner = defaultRunner,
    threads,
  }: ChunkReaderOptions = {}) {
    this.#runner = runner;
    this.#threads = threads;
    this.#limit = concurrency === 'auto' ? new AdaptiveLimit(limitClock(threads)) : fixedLimit(concurrency);
    this.#queue = new JobQueue(this.#limit, runner, (job) =>
      this.#isWanted(job) ? this.#run(job) : undefined,
    );
    if (lruBytes > 0)
      this.#cache = new LRUCache({
        maxSize: lruBytes,
        sizeCalculation: ({ bytes }) => bytes.byteLength || 1,
      });
  }

  /**
   * Delivers every chunk of `cells` to `consumer`, in no particular order. Registers all of them before it
   * returns. Resolves with the cost when every chunk was received or has failed.
   * @throws signal.reason; then reads that no other call waits for are cancelled. A DeadlineError is not
   *   thrown: the missing chunks fail instead.
   */
  read(
    source: ChunkSource,
    cells: Float64Array,
    consumer: ChunkConsumer,
    signal?: AbortSignal,
  ): Promise<ChunkCost> {
    return new Promise<ChunkCost>((resolve, reject) => {
      const onAbort = (): void => {
        this.#endCall(call);
        const reason: unknown = signal?.reason;
        if (!(reason instanceof DeadlineError)) return reject(reason);
        failLateChunks(call, cells, reason);
        resolve(call.cost);
      };
      const settle = (): void => {
        signal?.removeEventListener('abort', onAbort);
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
      if (signal?.aborted) return onAbort();
      if (cells.length === 0) return resolve(call.cost);
      signal?.addEventListener('abort', onAbort, { once: true });
      const giveUp = (error: unknown): void => {
        signal?.removeEventListener('abort', onAbort);
        this.#endCall(call); // otherwise other calls would wait for chunks that are never read
        reject(error);
      };
      try {
        const registering = this.#runner.run(this.#register(call, cells));
        if (registering) registering.catch(giveUp);
      } catch (error) {
        giveUp(error);
      }
    });
  }

  /**
   * Announces that a call will need at least this many chunks, so that threads start while it is being
   * planned. If chunks are cached, it waits until it is known which must be read.
   */
  expect(chunks: number, { isReadHere }: Pick<ChunkSource, 'isReadHere'>): void {
    if (!this.#cache?.size && !isReadHere) this.#threads?.expect(chunks);
  }

  /** Starts threads for the chunks of a call that might have been in the disk cache. */
  readonly #expectMissed = (): void => {
    const chunks = this.#perhapsMissed;
    this.#perhapsMissed = 0;
    if (chunks > 0) this.#threads?.expect(chunks);
  };

  /** Resolves when everything that was read has been saved to the disk cache. Never rejects. */
  async whenSaved(): Promise<void> {
    while (this.#delivering.size > 0) await Promise.allSettled(this.#delivering);
  }

  *#register(call: ChunkCall, cells: Float64Array): PausableWork {
    const { source } = call,
      fresh = new Map<number, PendingChunk>(),
      toRead: number[] = [],
      keptTasks: ReadTask[] = [],
      slowContentOf = this.#threads && slowChunksOf(source, cells[0]);
    let slow = 0;
    // The call may end during the loop, for example when its consumer aborts it. The rest is not registered
    // then.
    for (let ordinal = 0; ordinal < cells.length; ordinal++) {
      if (ordinal % CELLS_PER_PAUSE === CELLS_PER_PAUSE - 1) yield;
      if (call.hasEnded) break;
      const cell = cells[ordinal],
        slowContent = slowContentOf?.(cell),
        key = `${source.id}:${cell}`,
        cached = this.#cache?.get(key),
        isAtHand = cached && (cached.codec || !slowContent);
      if (isAtHand) yield* this.#deliverCached(call, ordinal, cell, cached);
      const wanted = isAtHand ? undefined : this.#request(call, ordinal, cell, key, cached);
      if (!wanted) continue;
      fresh.set(cell, wanted);
      if (slowContent) slow++;
      if (wanted.kept) keptTasks.push(keptChunkTask(cell, slowContent!, wanted.kept));
      else toRead.push(cell);
    }
    if (source.isReadHere) this.#perhapsMissed = Math.max(this.#perhapsMissed, fresh.size);
    else this.#threads?.expect(fresh.size, slow);
    yield* this.#enqueue(source, keptTasks, fresh);
    yield* this.#enqueue(source, source.plan(toRead), fresh);
  }

  *#deliverCached(call: ChunkCall, ordinal: number, cell: number, { bytes, codec }: KeptChunk): PausableWork {
    call.cost.cacheHits++;
    yield* new ChunkWaiter(call, ordinal, cell, undefined).deliver(bytes, codec);
    yield;
  }

  /**
   * Joins the read of a chunk. Returns the chunk if it must be read.
   * @param cached The chunk, if it is in the cache and slow to decode.
   */
  #request(
    call: ChunkCall,
    ordinal: number,
    cell: number,
    key: string,
    cached: KeptChunk | undefined,
  ): PendingChunk | undefined {
    const { source, consumer, cost } = call;
    // A cached chunk must be whole.
    const ranges = this.#cache || source.save ? undefined : consumer.rangesOf?.(ordinal),
      waiter = new ChunkWaiter(call, ordinal, cell, ranges);
    const known = this.#wanted.get(key);
    if (known?.isWanted) {
      cost.cacheHits++;
      known.add(waiter);
      if (known.ordered) this.#threads?.keep(known.ordered.work);
      return undefined;
    }
    const wanted = new PendingChunk(key, cell, cached);
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
      const job: ReadJob = { task, source, wanted: new Map(), stop: new Stop() };
      for (const cell of task.cells) {
        if (++seen % CELLS_PER_PAUSE === 0) yield;
        const pending = wanted.get(cell);
        if (!pending?.isWanted) continue;
        pending.job = job;
        job.wanted.set(cell, pending);
        wanted.delete(cell);
      }
      if (job.wanted.size > 0) this.#queue.add(job);
    }
  }

  /** Runs a job. Never rejects. */
  #run(job: ReadJob): Promise<void> {
    const startedAt = performance.now();
    if (this.#inFlight.size === 0) this.#limit.resume();
    this.#inFlight.add(job);
    const context = this.#contextOf(job);
    const end = (error: unknown): void => this.#endRun(job, context, startedAt, error);
    return context
      .start(job.task)
      .then((followUps) => (followUps ? this.#follow(job, followUps).then(end, end) : end(undefined)), end);
  }

  async #follow({ source, wanted }: ReadJob, followUps: Planned<ReadTask>): Promise<void> {
    await this.#runner.run(this.#enqueue(source, followUps, wanted));
  }

  /** @param error Fails the chunks that are left. */
  #endRun(job: ReadJob, { storedBytes }: TaskContext, startedAt: number, error: unknown): void {
    if (job.wanted.size > 0) {
      const reason = error ?? new Error('the read ended without this chunk');
      for (const cell of job.wanted.keys()) this.#fail(job, cell, reason);
    }
    this.#inFlight.delete(job);
    if (this.#limit.ended(performance.now() - startedAt, storedBytes, this.#queue.waiting))
      this.#queue.wake();
  }

  #fail({ wanted }: ReadJob, cell: number, error: unknown): void {
    const pending = wanted.get(cell);
    if (!pending) return;
    this.#forget(pending);
    for (const waiter of pending.waiters) waiter.fail(error);
  }

  #contextOf(job: ReadJob): TaskContext {
    const { source, wanted, stop } = job;
    // The first call pays for the read. If that call ends early, the cost is lost with it.
    const [first] = wanted.values(),
      [{ call: payer }] = first.waiters;
    const context: TaskContext = new TaskContext({
      stop,
      meter: payer.cost,
      wanted,
      deliver: (cell, chunk, from) => {
        context.storedBytes += chunk?.storedBytes ?? chunk?.bytes.byteLength ?? 0;
        const delivery = this.#deliver(job, cell, chunk, from);
        return source.save ? this.#track(delivery) : delivery;
      },
      deliverNow: this.#cache
        ? undefined
        : (cell, workDone, storedBytes) => {
            const isDelivered = this.#deliverValues(job, cell, workDone);
            if (isDelivered) context.storedBytes += storedBytes;
            return isDelivered;
          },
      deliverParts: (cell, parts) => this.#deliverParts(job, cell, parts),
      readEntry:
        this.#threads && !this.#cache
          ? (place, work) => this.#threads!.readEntry(place, work, stop)
          : undefined,
      workOf: (cell, content) => this.#orderWork(job, cell, content),
      threads: this.#threads,
      deliveriesAtOnce: 1 + DELIVERIES_PER_THREAD * (this.#threads?.ready ?? 0),
      onMiss: this.#expectMissed,
      fail: (cell, error) => this.#fail(job, cell, error),
    });
    return context;
  }

  /** Makes the work on a chunk for the thread that will read it. */
  #orderWork(
    { source, wanted }: ReadJob,
    cell: number,
    content: ChunkContent | StoredChunk,
  ): ChunkWork | undefined {
    const pending = wanted.get(cell);
    if (!pending || !this.#threads?.ready) return undefined;
    const saves = source.save !== undefined,
      keepsBytes = this.#cache !== undefined,
      keep = keepsBytes ? () => (saves ? undefined : source.reencoderOf?.(cell)) : undefined;
    pending.ordered = orderWork(content, pending.waiters, keep, {
      wantsStored: saves && keepsBytes,
      holds: saves && !keepsBytes,
      saves:
        saves && !keepsBytes
          ? source.saveOrderOf?.(cell, 'bytes' in content ? { validator: content.validator } : undefined)
          : undefined,
    });
    return pending.ordered?.work;
  }

  #track(delivery: Promise<void>): Promise<void> {
    const tracked = delivery.finally(() => this.#delivering.delete(tracked));
    this.#delivering.add(tracked);
    return tracked;
  }

  async #deliver(
    { source, wanted, stop }: ReadJob,
    cell: number,
    chunk: StoredChunk | undefined,
    from: 'store' | 'cache' = 'store',
  ): Promise<void> {
    const pending = wanted.get(cell);
    const isSaved = this.#noteSaved(source, cell, chunk?.workDone);
    if (!pending) return; // no call waits for it now
    if (this.#runner.isDue()) await this.#runner.pause(); // many chunks may have come in one turn
    const saves = from === 'store' && source.save !== undefined && !isSaved;
    const reencoderOf = (): Reencoder | undefined => source.reencoderOf?.(cell);
    // What the disk cache keeps does not depend on what the memory cache keeps.
    const keep = saves ? () => chunk && source.savedFormOf?.(cell, chunk) : this.#cache && reencoderOf;
    let kept: KeptChunk | undefined, cached: KeptChunk | undefined, held: HeldChunk | undefined;
    const onHeld = saves && !this.#cache ? (found: HeldChunk) => void (held = found) : undefined;
    // Calls that join during a round are served in the next one.
    for (let served = pending.serve(); served.length > 0; served = pending.serve()) {
      if (!kept && chunk && isElsewhere(chunk) && !chunk.workDone) {
        pending.putBack(served);
        pending.finishServing();
        return this.#readAgain(source, pending, wanted);
      }
      if (from === 'cache') for (const { call } of served) call.cost.cacheHits++;
      const ready = cached ?? kept,
        slow = ready && !ready.codec && chunk && this.#threads && isSlow(chunk) ? chunk : undefined;
      if (ready && !slow)
        for (const waiter of served) {
          const delivering = this.#runner.run(waiter.deliver(ready.bytes, ready.codec));
          if (typeof delivering !== 'boolean') await delivering;
        }
      else {
        const again = slow && { ...slow, bytes: ready!.bytes, contentEncoding: undefined },
          keeping = again ? ([undefined, undefined] as const) : ([keep, onHeld] as const);
        const unpacked = await this.#unpack(pending, again ?? chunk, served, ...keeping, stop);
        kept ??= unpacked;
        if (chunk?.workDone) chunk = { ...chunk, workDone: undefined };
      }
      if (kept && this.#cache)
        cached ??=
          saves && !kept.codec
            ? await convertKept(kept, chunk, reencoderOf(), this.#runner, stop, this.#threads)
            : kept;
    }
    if (cached) this.#cache?.set(pending.key, cached);
    this.#forget(pending);
    if (saves && (kept || held || !chunk)) await source.save?.(cell, kept, chunk, held);
  }

  #unpack(
    pending: PendingChunk,
    chunk: StoredChunk | undefined,
    waiters: readonly ChunkWaiter[],
    keep: (() => Reencoder | undefined) | undefined,
    onHeld: ((held: HeldChunk) => void) | undefined,
    stop: Stop,
  ): Promise<KeptChunk | undefined> {
    const runner = this.#runner,
      threads = this.#threads;
    return chunk && threads
      ? unpackWithThreads(chunk, waiters, {
          threads,
          runner,
          keep,
          onHeld,
          stop,
          ordered: pending.ordered,
          putBack: (rest) => pending.putBack(rest),
        })
      : unpackChunk(chunk, waiters, keep, stop, runner);
  }

  /** Notes that a thread has saved a chunk. Returns whether it has. */
  #noteSaved(source: ChunkSource, cell: number, workDone: WorkDone | undefined): boolean {
    const saved = workDone?.result.saved;
    if (saved) source.noteSaved?.(cell, saved);
    return saved !== undefined;
  }

  #deliverValues({ source, wanted }: ReadJob, cell: number, workDone: WorkDone): boolean {
    const pending = wanted.get(cell);
    if (source.save && !workDone.result.saved) return false;
    if (!pending || this.#runner.isDue() || !pending.serveValues(workDone)) return false;
    this.#noteSaved(source, cell, workDone);
    if (pending.isWanted) this.#readAgain(source, pending, wanted);
    else this.#forget(pending);
    return true;
  }

  #deliverParts({ source, wanted }: ReadJob, cell: number, parts: readonly ChunkPart[]): void {
    const pending = wanted.get(cell);
    if (!pending) return;
    for (const waiter of pending.serve((waiter) => waiter.isSatisfiedBy(parts)))
      deliverPartsTo(parts, waiter);
    pending.finishServing();
    if (!pending.isWanted) return this.#forget(pending);
    // The calls that are left joined after the parts were requested, and need other parts.
    this.#readAgain(source, pending, wanted);
  }

  #readAgain(source: ChunkSource, pending: PendingChunk, wanted: Map<number, PendingChunk>): void {
    const { cell } = pending;
    wanted.delete(cell);
    pending.ordered = undefined;
    runWithoutPause(this.#enqueue(source, source.plan([cell]), new Map([[cell, pending]])));
  }

  /** Forgets a chunk. Later calls read it again and do not inherit a failure. */
  #forget(pending: PendingChunk): void {
    if (this.#wanted.get(pending.key) === pending) this.#wanted.delete(pending.key);
    pending.job?.wanted.delete(pending.cell);
  }

  /** Whether any chunk of a job is still wanted. Forgets the others. */
  #isWanted({ wanted }: ReadJob): boolean {
    for (const pending of wanted.values()) if (!pending.isWanted) this.#forget(pending);
    return wanted.size > 0;
  }

  /**
   * Ends a call, and the reads that only this call waited for. Its queued chunks are skipped and forgotten
   * later, with pauses.
   */
  #endCall(call: ChunkCall): void {
    call.hasEnded = true;
    for (const job of this.#inFlight) if (!this.#isWanted(job)) job.stop.stop();
    void this.#runner.run(this.#sweep());
  }

  *#sweep(): PausableWork {
    let seen = 0;
    for (const pending of this.#wanted.values()) {
      if (!pending.isWanted) this.#forget(pending);
      if (++seen % CELLS_PER_PAUSE === 0) yield;
    }
  }
}
