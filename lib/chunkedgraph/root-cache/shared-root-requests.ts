/**
 * Shares requests about roots between callers. Requests for one timestamp that are made in one turn of the
 * event loop are sent together, and a root in flight is not requested twice.
 */
import { leaveOnAbort } from '../../base/abort.ts';
import { inStretches, cooperativeRunner, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { IdIndex } from '../ids/id-index.ts';

/** Sends one request. Returns the answers in the order of the roots. */
export type SendRootRequest = (
  roots: BigUint64Array,
  timestampMs: number,
  signal: AbortSignal,
) => Promise<ArrayLike<boolean | number>>;

/** The answers that one caller gets. */
export interface SharedAnswers {
  /** Returns the answer for a root as a number: 0 or 1 for a boolean. Undefined if the request failed. */
  answerFor(low: number, high: number): number | undefined;
  /** How many requests this caller took part in. */
  requests: number;
}

interface Batch {
  timestampMs: number;
  roots: IdIndex;
  /**
   * One answer per root, by its ordinal in `roots`. Undefined until the answer is there, and if the request
   * failed.
   */
  values: Float64Array | undefined;
  callers: number;
  abort: AbortController;
  done: Promise<void>;
  send: () => void;
}

/** The requests of one kind, such as `is_latest_roots`. */
export class SharedRootRequests {
  readonly #send: SendRootRequest;
  /** Batches that are open or in flight. */
  readonly #batches = new Set<Batch>();
  readonly #open = new Map<number, Batch>();
  #failed = 0;

  constructor(request: SendRootRequest) {
    this.#send = request;
  }

  /** How many requests failed. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * Requests answers for roots. A failed request does not throw. @throws signal.reason, for this caller
   * alone.
   */
  async request(
    roots: IdIndex,
    timestampMs: number,
    signal: AbortSignal | undefined,
  ): Promise<SharedAnswers> {
    const joined = await cooperativeRunner.run(this.#addToBatches(roots, timestampMs));
    const leave = (batch: Batch): void => {
      if (--batch.callers > 0) return;
      this.#forget(batch); // a later caller starts a new batch
      batch.abort.abort(signal?.reason);
    };
    await Promise.all(joined.map((batch) => leaveOnAbort(batch.done, signal, () => leave(batch))));
    const answerFor = (low: number, high: number): number | undefined => {
      for (const { roots: batchRoots, values } of joined) {
        const ordinal = batchRoots.find(low, high);
        if (ordinal >= 0) return values?.[ordinal];
      }
      return undefined;
    };
    return { answerFor, requests: joined.length };
  }

  /**
   * Adds the roots to batches. Batches of one turn are sent together. If there are very many roots, those
   * added later go into a batch of their own.
   */
  *#addToBatches(roots: IdIndex, timestampMs: number): PausableWork<Batch[]> {
    const words = wordsOf(yield* roots.sortInSteps());
    const inFlight = [...this.#batches].filter((batch) => batch.timestampMs === timestampMs);
    const joined = new Set<Batch>();
    yield* inStretches(words.length / 2, (from, end) => {
      for (let at = 2 * from; at < 2 * end; at += 2) {
        let batch = inFlight.find(
          ({ abort, roots: batchRoots }) =>
            !abort.signal.aborted && batchRoots.find(words[at], words[at + 1]) >= 0,
        );
        if (!batch) (batch = this.#openAt(timestampMs)).roots.add(words[at], words[at + 1]);
        if (joined.has(batch)) continue;
        joined.add(batch);
        batch.callers++; // counted now, or another caller could end the batch before this one waits
      }
    });
    return [...joined];
  }

  #openAt(timestampMs: number): Batch {
    const open = this.#open.get(timestampMs);
    if (open) return open;
    let send!: () => void;
    const sent = new Promise<void>((resolve) => (send = resolve));
    const batch: Batch = {
      timestampMs,
      roots: new IdIndex(),
      values: undefined,
      callers: 0,
      abort: new AbortController(),
      done: sent.then(() => this.#answer(batch)),
      send,
    };
    if (this.#open.size === 0) setImmediate(() => this.#close());
    this.#open.set(timestampMs, batch);
    this.#batches.add(batch);
    return batch;
  }

  #close(): void {
    const batches = [...this.#open.values()];
    this.#open.clear();
    for (const batch of batches) batch.send();
  }

  async #answer(batch: Batch): Promise<void> {
    const { roots, timestampMs, abort } = batch;
    try {
      if (abort.signal.aborted) return;
      const sorted = await cooperativeRunner.run(roots.sortInSteps()),
        words = wordsOf(sorted);
      const answers = await this.#send(sorted, timestampMs, abort.signal);
      if (answers.length !== sorted.length)
        throw new RangeError(`${answers.length} answers for ${sorted.length} roots`);
      const values = new Float64Array(sorted.length);
      await cooperativeRunner.run(
        inStretches(sorted.length, (from, end) => {
          for (let i = from; i < end; i++)
            values[roots.find(words[2 * i], words[2 * i + 1])] = Number(answers[i]);
        }),
      );
      batch.values = values;
    } catch {
      this.#failed++; // the callers continue without the answers
    } finally {
      this.#forget(batch);
    }
  }

  #forget(batch: Batch): void {
    this.#batches.delete(batch);
    if (this.#open.get(batch.timestampMs) === batch) this.#open.delete(batch.timestampMs);
  }
}
