/**
 * Gets a long list asked about, a batch at a time, by a server that may want smaller batches, a pause, or nothing to do with it.
 * It knows nothing of IDs: a batch is a stretch of indices. What is done about a failure stands in verdict.ts, under `batches`. After eight
 * batches in a row that failed for good, or half an hour without any answer, the rest fails unasked.
 */
import type PQueue from 'p-queue';
import { pause } from '../base/abort.ts';
import { GraphError } from '../base/errors.ts';
import type { BatchLimit } from './pace.ts';
import { MAX_FAILURES_IN_A_ROW, RetryCounter, type OnRetry } from './retry-counter.ts';
import { decideByError } from './retry-decision.ts';

export interface BatchSenderOptions {
  /** Its concurrency is that of the requests; may be shared with other senders. */
  queue: PQueue;
  limit: BatchLimit;
  /** Most in one batch. */
  maxCount: number;
  /** Most repeats of one request that may pass. @default 4 */
  retries?: number;
  onRetry?: OnRetry;
  clock?: SenderClock;
}

export interface SenderClock {
  /** Resolves early, or rejects, when the signal aborts. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds that never jump. */
  monotonicMs: () => number;
  /** 0 to 1. */
  random: () => number;
}

export interface BatchWork {
  count: number;
  /** Asks about `start` (inclusive) to `end` (exclusive). */
  send: (start: number, end: number) => Promise<void>;
  /** Told once of each stretch that has no answer. */
  fail: (start: number, end: number, error: Error) => void;
  /** After it, nothing more is asked and nobody is told. */
  signal: AbortSignal;
}

const PATIENCE_MS = 30 * 60_000;

const SYSTEM: SenderClock = { pause, monotonicMs: () => performance.now(), random: () => Math.random() };

/** Resolves when all of it is answered or failed, or after an abort. Never rejects. */
export function sendInBatches(errand: BatchWork, options: BatchSenderOptions): Promise<void> {
  return errand.count === 0 ? Promise.resolve() : new Sending(errand, options).done;
}

interface Stretch {
  start: number;
  end: number;
}

class Sending {
  readonly done: Promise<void>;
  #finish!: () => void;
  readonly #errand: BatchWork;
  readonly #options: BatchSenderOptions;
  readonly #clock: SenderClock;
  /** First come, first served: a half of what failed waits until the others had their turn. */
  #pending: Stretch[];
  #tasks = 0;
  /** Tasks that have not begun. */
  #queued = 0;
  #failedInARow = 0;
  #lastAnswerAt: number | undefined;

  constructor(errand: BatchWork, options: BatchSenderOptions) {
    this.#errand = errand;
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM;
    this.#pending = [{ start: 0, end: errand.count }];
    this.done = new Promise((resolve) => (this.#finish = resolve));
    this.#start();
  }

  /** No more tasks than run at once: other senders of the queue get their turn between. */
  #start(): void {
    const { queue } = this.#options;
    while (this.#tasks < queue.concurrency && this.#leaves(this.#queued)) {
      this.#tasks++;
      this.#queued++;
      void queue.add(async () => {
        this.#queued--;
        const batch = this.#take();
        if (batch) await this.#send(batch);
        this.#tasks--;
        this.#start();
      });
    }
    if (this.#tasks === 0) this.#finish();
  }

  /** Whether there are more batches than so many tasks will take. */
  #leaves(tasks: number): boolean {
    if (this.#errand.signal.aborted) return false;
    const most = this.#most();
    let batches = 0;
    for (const { start, end } of this.#pending)
      if ((batches += Math.ceil((end - start) / most)) > tasks) return true;
    return false;
  }

  #most(): number {
    return Math.min(this.#options.limit.limit, this.#options.maxCount);
  }

  #take(): Stretch | undefined {
    const [first] = this.#pending;
    if (!first || this.#errand.signal.aborted) return undefined;
    const end = Math.min(first.end, first.start + this.#most());
    if (end === first.end) return this.#pending.shift();
    const batch = { start: first.start, end };
    first.start = end;
    return batch;
  }

  /** Asks about one batch until it is answered, split, failed or nobody cares. */
  async #send({ start, end }: Stretch): Promise<void> {
    const { send: ask, signal } = this.#errand,
      { limit: size, maxCount, retries, onRetry } = this.#options;
    const count = end - start,
      tries = new RetryCounter({ retries, onRetry, random: this.#clock.random });
    this.#lastAnswerAt ??= this.#clock.monotonicMs();
    for (let again = false; ;) {
      try {
        await ask(start, end);
        size.succeeded(count, maxCount);
        this.#lastAnswerAt = this.#clock.monotonicMs();
        this.#failedInARow = 0;
        return;
      } catch (error) {
        if (signal.aborted) return;
        const verdict = decideByError('batches', error),
          known = error as GraphError;
        const outOfPatience = this.#clock.monotonicMs() - this.#lastAnswerAt >= PATIENCE_MS;
        if (verdict === 'again' && !again) {
          again = true;
          continue;
        }
        if (
          count > 1 &&
          (verdict === 'split' || verdict === 'smaller' || verdict === 'again') &&
          !outOfPatience
        ) {
          size.failed(count);
          const middle = start + (count >>> 1);
          this.#pending.push({ start, end: middle }, { start: middle, end });
          return;
        }
        const delayMs = outOfPatience ? undefined : tries.nextDelayMs(verdict, known.retryAfter);
        if (delayMs === undefined) return this.#fail(start, end, known, outOfPatience);
        await this.#clock.pause(delayMs, signal).catch(() => undefined);
        if (signal.aborted) return;
      }
    }
  }

  #fail(start: number, end: number, error: GraphError, outOfPatience: boolean): void {
    const { fail } = this.#errand;
    fail(start, end, error);
    this.#failedInARow++;
    if (this.#failedInARow < MAX_FAILURES_IN_A_ROW && !outOfPatience) return;
    const why = outOfPatience
      ? `no answer came for ${PATIENCE_MS / 60_000} minutes`
      : `${this.#failedInARow} requests in a row failed`;
    const rest =
      error instanceof GraphError
        ? new GraphError(
            error.code,
            `not asked, as ${why}; the last: ${error.message}`,
            error.url,
            error.status,
            { cause: error },
          )
        : error;
    for (const stretch of this.#pending.splice(0)) fail(stretch.start, stretch.end, rest);
  }
}
