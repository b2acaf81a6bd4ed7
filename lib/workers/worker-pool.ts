/**
 * The worker threads of one volume. Threads fetch chunks, decompress them and read voxels. All decisions stay
 * in the main thread: which chunks are read when, retries, the pace of each host, caches, credentials.
 *
 * Memory per thread: about 10 MB, and the chunk that it works on.
 */
import { DecodeError } from '../base/errors.ts';
import { isShared } from '../base/shared-memory.ts';
import type { Stop } from '../base/stop.ts';
import type { EntryPlace, PackTarget } from '../cache/pack-files.ts';
import { isSlow } from '../chunks/slow-chunks.ts';
import type { ChunkThreads } from '../chunks/chunk-threads.ts';
import type { ChunkWork, ChunkWorkResult, SharedBodyWork, SharedWork } from '../chunks/chunk-work.ts';
import type { Cancellation } from '../http/cancellation.ts';
import type { ExchangeResult } from '../http/exchange.ts';
import type {
  BodyWork,
  RemoteExchange,
  RemoteExchangeOptions,
  RemoteHandlers,
} from '../http/remote-exchange.ts';
import type { EntryRead } from '../chunks/chunk-source.ts';
import { toFailure, toReply, withSharedBody } from './exchange-answers.ts';
import { packVoxels } from './packed-arrays.ts';
import type { WorkerPoolOptions } from './pool-options.ts';
import { SharedBuffers } from './shared-buffers.ts';
import { StartWait } from './start-wait.ts';
import type {
  EntryAnswer,
  FetchFailure,
  FetchedReply,
  SavedAnswer,
  WorkAnswer,
  WorksAnswer,
} from './worker-messages.ts';
import { findWorkerFile } from './worker-file.ts';
import { watchNetworkFunctions } from '../http/network-functions.ts';
import { WorkerThread, type Job, type LostReason } from './worker-thread.ts';

/** Most connections that all threads keep without a request. More requests than this do not run at once. */
const MOST_IDLE = 240;
/** A chunk fails when this many threads ended while they worked on it. */
const MAX_DEATHS = 2;
/** Defaults of {@link WorkerPoolOptions}. */
const MAX_FAILED_STARTS = 3;
const CHECK_MS = 1000;
const LONGEST_WORK_CHECKS = 30;
const LONGEST_START_MS = 1000;
/**
 * A thread that is at the same chunk in this many checks saves nothing more: closing waits for what is saved.
 */
const LONGEST_SAVE_CHECKS = 3;

/** Starts threads when they pay, and shares the work between them. */
export class WorkerPool implements ChunkThreads, RemoteExchange {
  readonly #options: Required<Omit<WorkerPoolOptions, 'file' | 'isPatient' | 'poisonsFreed' | 'warn'>> &
    WorkerPoolOptions;
  readonly #threads = new Set<WorkerThread>();
  readonly #readyThreads = new Set<WorkerThread>();
  /** Resolve when threads are no more, also those that have failed. */
  readonly #exits = new Set<Promise<void>>();
  readonly #isNetworkOriginal = watchNetworkFunctions();
  #isClosed = false;
  #failedStarts = 0;
  #lastId = 0;
  #fetching = 0;
  #mostFetching = 0;
  /** The last command for each work that came with a fetch. */
  readonly #fetches = new WeakMap<BodyWork, number>();
  /** Where the chunks are that threads hold. */
  readonly #held = new WeakMap<ChunkWorkResult, { thread: WorkerThread; heldId: number }>();
  #check: NodeJS.Timeout | undefined;
  /** Jobs whose thread has ended, and which wait for the next one. */
  #waiting: Job[] = [];
  readonly #startWait: StartWait;
  readonly #buffers: SharedBuffers;

  constructor(options: WorkerPoolOptions) {
    this.#options = {
      checkMs: CHECK_MS,
      longestWorkChecks: LONGEST_WORK_CHECKS,
      maxFailedStarts: MAX_FAILED_STARTS,
      longestStartMs: LONGEST_START_MS,
      ...options,
    };
    this.#startWait = new StartWait(this.#options.longestStartMs);
    this.#buffers = new SharedBuffers({ poisons: options.poisonsFreed });
  }

  get ready(): number {
    return this.#usableThreads.size;
  }

  whenReady(): Promise<void> | undefined {
    return this.ready > 0 ? undefined : this.#startWait.whenEnded;
  }

  get busyMs(): number {
    let sum = 0;
    for (const thread of this.#readyThreads) sum += thread.busyMs;
    return sum / Math.max(1, this.#readyThreads.size);
  }

  expect(chunks: number, slowChunks = 0): void {
    const { size, fewestChunks } = this.#options,
      wanted = chunks >= fewestChunks ? size : Math.min(size, slowChunks);
    if (this.#threads.size >= wanted || this.#isClosed || !this.#isNetworkOriginal()) return;
    while (this.#threads.size < wanted && this.#canStart) this.#start();
  }

  get mostFetching(): number {
    return this.#mostFetching;
  }

  closeIdle(): void {
    this.#mostFetching = this.#fetching;
    for (const thread of this.#readyThreads) thread.closeIdle();
  }

  keep(work: ChunkWork): void {
    const id = this.#fetches.get(work);
    if (id !== undefined) for (const thread of this.#threads) thread.keep(id);
  }

  exchange(
    { meter, url, headers, maxBytes, connectTimeoutMs, idleTimeoutMs, allowAddress }: RemoteExchangeOptions,
    bodyWork: BodyWork,
    cancellation: Cancellation,
    { onResult, onCancel }: RemoteHandlers,
  ): boolean {
    const thread = this.#idlest();
    if (!thread || !this.#isNetworkOriginal()) return false;
    const limits = { maxBytes, connectTimeoutMs, idleTimeoutMs, allowAddress };
    const id = ++this.#lastId;
    this.#fetches.set(bodyWork, id);
    const need = 'sharedBytes' in bodyWork ? (bodyWork as SharedBodyWork) : undefined,
      offered = need && this.#buffers.take(need.sharedBytes, need.mayBeLess);
    if (meter) meter.requests++;
    this.#mostFetching = Math.max(this.#mostFetching, ++this.#fetching);
    const finish = (result: ExchangeResult | undefined): void => {
      this.#fetching--;
      cancellation.clear();
      onResult(result);
    };
    thread.send({
      command: {
        kind: 'fetch',
        id,
        url: url.href,
        headers,
        ...limits,
        work: bodyWork as ChunkWork | SharedBodyWork,
        memory: offered,
      },
      onAnswer: (given, by) => {
        const answer = given as FetchedReply | FetchFailure,
          reply = need ? withSharedBody(answer, offered, this.#buffers) : answer;
        if (reply.kind === 'failure') return finish(toFailure(reply, meter));
        this.#noteHeld(reply.result, by, id);
        finish(toReply(reply, url, meter));
      },
      onLost: (error) => finish(error && { error }),
    });
    cancellation.onCancel((reason) => {
      this.#fetching--;
      this.#cancel(id);
      onCancel(reason);
    });
    return true;
  }

  work(
    stored: Uint8Array,
    contentEncoding: string | undefined,
    work: ChunkWork,
    stop: Stop,
  ): Promise<ChunkWorkResult | undefined> | undefined {
    const isPatient = isSlow(work);
    if (isPatient) this.expect(1, 1);
    const thread = this.#idlest(isPatient ? this.#threads : undefined);
    if (!thread) return undefined;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const finish = (result: ChunkWorkResult | undefined): void => {
        release();
        resolve(result);
      };
      thread.send({
        command: {
          kind: 'work',
          id,
          stored: isShared(stored) ? stored : new Uint8Array(stored),
          contentEncoding,
          work,
        },
        onAnswer: (answer, by) => {
          const { result } = answer as WorkAnswer;
          this.#noteHeld(result, by, id);
          finish(result);
        },
        onLost: (error) => finish(error && { values: [], error: error.toJSON() }),
      });
      const release = stop.onStop((reason) => {
        this.#cancel(id);
        reject(reason);
      });
    });
  }

  workOnAll(works: readonly SharedWork[], stop: Stop): Promise<readonly (ChunkWorkResult | undefined)[]> {
    const thread = this.#idlest();
    if (!thread) return Promise.resolve([]);
    const first = this.#lastId + 1;
    this.#lastId += works.length;
    return new Promise((resolve, reject) => {
      const finish = (results: readonly (ChunkWorkResult | undefined)[]): void => {
        release();
        resolve(results);
      };
      thread.send({
        command: { kind: 'works', id: first, works: packVoxels(works) },
        onAnswer: (answer, by) => {
          const { results } = answer as WorksAnswer;
          for (const [k, result] of results.entries()) this.#noteHeld(result, by, first + k);
          finish(results);
        },
        jobOf: (id) => {
          const at = id - first,
            { bytes, contentEncoding, work } = works[at],
            finishOne = (result: ChunkWorkResult | undefined): void =>
              finish(works.map((_, k) => (k === at ? result : undefined)));
          return {
            command: { kind: 'work', id, stored: bytes, contentEncoding, work },
            onAnswer: (answer, by) => {
              const { result } = answer as WorkAnswer;
              this.#noteHeld(result, by, id);
              finishOne(result);
            },
            onLost: (error) => finishOne(error && { values: [], error: error.toJSON() }),
          };
        },
        onLost: () => finish([]),
      });
      const release = stop.onStop((reason) => {
        for (let k = 0; k < works.length; k++) this.#cancel(first + k);
        reject(reason);
      });
    });
  }

  save(result: ChunkWorkResult, target: PackTarget, hash: Uint8Array, head: Uint8Array): Promise<boolean> {
    const held = this.#held.get(result);
    if (!held || !this.#readyThreads.has(held.thread)) return Promise.resolve(false);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) =>
      held.thread.send({
        command: { kind: 'save', id, heldId: held.heldId, target, hash, head },
        onAnswer: (answer) => {
          const { error, wasHeld } = answer as SavedAnswer;
          if (error) reject(Object.assign(new Error(error.message), { code: error.code }));
          else resolve(wasHeld);
        },
        onLost: () => resolve(false),
      }),
    );
  }

  readEntry(place: EntryPlace, work: ChunkWork, stop: Stop): Promise<EntryRead | undefined> | undefined {
    const thread = this.#idlest();
    if (!thread) return undefined;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const finish = (read: EntryRead | undefined): void => {
        release();
        resolve(read);
      };
      thread.send({
        command: { kind: 'readEntry', id, place, work },
        onAnswer: (answer) => finish((answer as EntryAnswer).read),
        onLost: () => finish(undefined),
      });
      const release = stop.onStop((reason) => {
        this.#cancel(id);
        reject(reason);
      });
    });
  }

  #noteHeld(result: ChunkWorkResult | undefined, thread: WorkerThread, heldId: number): void {
    if (result?.held) this.#held.set(result, { thread, heldId });
  }

  copyShared = (bytes: Uint8Array): Uint8Array => (isShared(bytes) ? bytes : this.#buffers.copy(bytes));

  giveBack = (bytes: Uint8Array): void => this.#buffers.giveBack(bytes);

  /** Ends all threads. Work in flight is left to the main thread. Resolves when no thread is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#check);
    for (const thread of this.#threads) thread.terminate();
    await Promise.all(this.#exits);
  }

  get #canStart(): boolean {
    return this.#failedStarts < this.#options.maxFailedStarts;
  }

  get #usableThreads(): ReadonlySet<WorkerThread> {
    return this.#options.isPatient ? this.#threads : this.#readyThreads;
  }

  #idlest(threads = this.#usableThreads): WorkerThread | undefined {
    let idlest: WorkerThread | undefined;
    for (const thread of threads) if (!idlest || thread.load < idlest.load) idlest = thread;
    return idlest;
  }

  #start(): void {
    const file = this.#options.file ?? findWorkerFile();
    if (file === undefined) {
      this.#failedStarts = this.#options.maxFailedStarts;
      return;
    }
    const thread = new WorkerThread(file, Math.ceil(MOST_IDLE / this.#options.size), {
      onReady: () => {
        this.#failedStarts = 0;
        this.#readyThreads.add(thread);
        this.#startWait.end();
        for (const job of this.#waiting.splice(0)) thread.send(job);
      },
      onEnd: (error) => {
        this.#threads.delete(thread);
        if (this.#threads.size === this.#readyThreads.size) this.#startWait.end();
        if (this.#readyThreads.delete(thread) || this.#isClosed) return;
        if (++this.#failedStarts === this.#options.maxFailedStarts)
          this.#options.warn?.(
            `worker threads do not start${error ? ` (${error.message})` : ''}: one thread does all the work; workers: 0 turns this warning off`,
          );
        this.#retryWaiting();
      },
      onJobLost: (job, why) => this.#retry(job, why),
    });
    this.#threads.add(thread);
    this.#startWait.begin();
    const exit = thread.exited.finally(() => this.#exits.delete(exit));
    this.#exits.add(exit);
    this.#check ??= setInterval(() => this.#endHangingThreads(), this.#options.checkMs).unref();
  }

  #cancel(id: number): void {
    for (const thread of this.#threads) thread.cancel(id);
    this.#waiting = this.#waiting.filter(({ command }) => command.id !== id);
  }

  /** Does a job again whose thread has ended. */
  #retry(job: Job, why: LostReason): void {
    if (this.#isClosed || why === 'other') return job.onLost(undefined);
    const deaths = (job.deaths ?? 0) + 1,
      { checkMs, longestWorkChecks } = this.#options;
    if (why === 'hung')
      return job.onLost(lostError(`was ended after ${(checkMs * longestWorkChecks) / 1000} s`));
    if (deaths >= MAX_DEATHS) return job.onLost(lostError(`died ${deaths} times`));
    this.#waiting.push({ ...job, deaths });
    this.#retryWaiting();
  }

  /** Finds a thread for the jobs that wait for one. Without any they fail: the main thread must not die. */
  #retryWaiting(): void {
    if (this.#waiting.length === 0) return;
    if (this.#threads.size < this.#options.size && this.#canStart) return this.#start();
    if (this.#threads.size > this.#readyThreads.size) return; // one is starting
    const thread = this.#idlest();
    for (const job of this.#waiting.splice(0))
      if (thread) thread.send(job);
      else job.onLost(lostError('died'));
  }

  #endHangingThreads(): void {
    for (const thread of this.#readyThreads) {
      const checks = thread.checksOfCurrentWork();
      if (checks >= this.#options.longestWorkChecks) thread.terminate('hung');
      else if (checks >= LONGEST_SAVE_CHECKS) thread.giveUpSaves();
    }
  }
}

const lostError = (what: string): DecodeError =>
  new DecodeError('BAD_BITSTREAM', `the worker thread ${what} while it decompressed or decoded the chunk`);
