/**
 * Sends a long list to a server in batches. A batch is a range of indices; this file knows nothing about IDs.
 * It retries, waits or halves batches as `retry-decision.ts` says under `batches`. After eight batches in a
 * row have failed for good, or after half an hour without any answer, the rest fails without a request.
 */
import type PQueue from 'p-queue';
import { pause } from '../base/abort.ts';
import { GraphError } from '../base/errors.ts';
import type { BatchLimit } from './pace.ts';
import { MAX_FAILURES_IN_A_ROW, RetryCounter, type OnRetry } from './retry-counter.ts';
import { decideByError } from './retry-decision.ts';

/** Limits of the requests, and what is called on retries. */
export interface BatchSenderOptions {
  /** Limits the requests in flight. Several senders may share it. */
  queue: PQueue;
  /** The learned limit of items in one batch. */
  batchLimit: BatchLimit;
  /** Most items in one batch, whatever the server can take. */
  maxCount: number;
  /** Most retries of one request. @default 4 */
  retries?: number;
  onRetry?: OnRetry;
  clock?: SenderClock;
}

/** Time and randomness, which tests replace. */
export interface SenderClock {
  /** Resolves early, or rejects, when the signal aborts. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds of a monotonic clock. */
  monotonicMs: () => number;
  /** Returns a random number from 0 to 1. */
  random: () => number;
}

/** A list of items to send. */
export interface BatchWork {
  /** Number of items. */
  count: number;
  /** Requests the items from `start` (inclusive) to `end` (exclusive). */
  send: (start: number, end: number) => Promise<void>;
  /** Called once for each range of items that has no answer. */
  fail: (start: number, end: number, error: Error) => void;
  /** After an abort, neither `send` nor `fail` is called. */
  signal: AbortSignal;
}

const MAX_SILENCE_MS = 30 * 60_000;

const SYSTEM: SenderClock = { pause, monotonicMs: () => performance.now(), random: () => Math.random() };

/**
 * Sends the work in batches. Resolves when every item is answered or has failed, or after an abort. Never
 * rejects.
 */
export function sendInBatches(work: BatchWork, options: BatchSenderOptions): Promise<void> {
  return work.count === 0 ? Promise.resolve() : new BatchRun(work, options).done;
}

interface IndexRange {
  start: number;
  end: number;
}

class BatchRun {
  readonly done: Promise<void>;
  #finish!: () => void;
  readonly #work: BatchWork;
  readonly #options: BatchSenderOptions;
  readonly #clock: SenderClock;
  /** First in, first out: the halves of a failed batch wait behind the other batches. */
  #pending: IndexRange[];
  #tasks = 0;
  /** Tasks that have not started. */
  #queued = 0;
  #failedInARow = 0;
  #lastAnswerAt: number | undefined;

  constructor(work: BatchWork, options: BatchSenderOptions) {
    this.#work = work;
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM;
    this.#pending = [{ start: 0, end: work.count }];
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#start();
  }

  /** Queues only as many tasks as run at once, so that other senders of the queue get their share. */
  #start(): void {
    const { queue } = this.#options;
    while (this.#tasks < queue.concurrency && this.#hasMoreBatches(this.#queued)) {
      this.#tasks++;
      this.#queued++;
      void queue.add(async () => {
        this.#queued--;
        const batch = this.#takeBatch();
        if (batch) await this.#send(batch);
        this.#tasks--;
        this.#start();
      });
    }
    if (this.#tasks === 0) this.#finish();
  }

  /** Whether more batches are pending than this many tasks will send. */
  #hasMoreBatches(tasks: number): boolean {
    if (this.#work.signal.aborted) return false;
    const maxSize = this.#maxBatchSize();
    let batches = 0;
    for (const { start, end } of this.#pending)
      if ((batches += Math.ceil((end - start) / maxSize)) > tasks) return true;
    return false;
  }

  #maxBatchSize(): number {
    return Math.min(this.#options.batchLimit.limit, this.#options.maxCount);
  }

  #takeBatch(): IndexRange | undefined {
    const [first] = this.#pending;
    if (!first || this.#work.signal.aborted) return undefined;
    const end = Math.min(first.end, first.start + this.#maxBatchSize());
    if (end === first.end) return this.#pending.shift();
    const batch = { start: first.start, end };
    first.start = end;
    return batch;
  }

  /** Sends one batch until it is answered, split, failed or aborted. */
  async #send({ start, end }: IndexRange): Promise<void> {
    const { send, signal } = this.#work,
      { batchLimit, maxCount, retries, onRetry } = this.#options;
    const count = end - start,
      counter = new RetryCounter({ retries, onRetry, random: this.#clock.random });
    this.#lastAnswerAt ??= this.#clock.monotonicMs();
    for (let wasRetriedAtOnce = false; ;) {
      try {
        await send(start, end);
        batchLimit.succeeded(count, maxCount);
        this.#lastAnswerAt = this.#clock.monotonicMs();
        this.#failedInARow = 0;
        return;
      } catch (error) {
        if (signal.aborted) return;
        const decision = decideByError('batches', error),
          failure = error as GraphError;
        const isOverdue = this.#clock.monotonicMs() - this.#lastAnswerAt >= MAX_SILENCE_MS;
        if (decision === 'immediately' && !wasRetriedAtOnce) {
          wasRetriedAtOnce = true;
          continue;
        }
        if (
          count > 1 &&
          (decision === 'split' || decision === 'splitOnly' || decision === 'immediately') &&
          !isOverdue
        ) {
          batchLimit.failed(count);
          const middle = start + (count >>> 1);
          this.#pending.push({ start, end: middle }, { start: middle, end });
          return;
        }
        const delayMs = isOverdue ? undefined : counter.nextDelayMs(decision, failure.retryAfter);
        if (delayMs === undefined) return this.#fail(start, end, failure, isOverdue);
        await this.#clock.pause(delayMs, signal).catch(() => undefined);
        if (signal.aborted) return;
      }
    }
  }

  #fail(start: number, end: number, error: GraphError, isOverdue: boolean): void {
    const { fail } = this.#work;
    fail(start, end, error);
    this.#failedInARow++;
    if (this.#failedInARow < MAX_FAILURES_IN_A_ROW && !isOverdue) return;
    const reason = isOverdue
      ? `no answer came for ${MAX_SILENCE_MS / 60_000} minutes`
      : `${this.#failedInARow} requests in a row failed`;
    const rest =
      error instanceof GraphError
        ? new GraphError(
            error.code,
            `not requested, because ${reason}; the last failure: ${error.message}`,
            error.url,
            error.status,
            { cause: error },
          )
        : error;
    for (const range of this.#pending.splice(0)) fail(range.start, range.end, rest);
  }
}
