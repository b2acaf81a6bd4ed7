/**
 * One question about many roots, asked by many callers: what they ask about one moment in one event-loop turn goes out together, and a
 * root whose answer is under way is not asked again.
 */
import { leaveOnAbort } from '../../base/abort.ts';
import { inStretches, cooperativeRunner, type PausableWork } from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { IdIndex } from '../ids/id-index.ts';

/** Answers in the order of the roots. */
export type SendRootRequest = (
  roots: BigUint64Array,
  timestampMs: number,
  signal: AbortSignal,
) => Promise<ArrayLike<boolean | number>>;

export interface SharedAnswers {
  /** The number that was answered for a root, 0 or 1 for a boolean; undefined when its question failed. */
  answerFor(low: number, high: number): number | undefined;
  /** Questions this caller took part in. */
  requests: number;
}

interface Batch {
  timestampMs: number;
  roots: IdIndex;
  /** By ordinal in `roots`; undefined until answered, and when that failed. */
  values: Float64Array | undefined;
  callers: number;
  abort: AbortController;
  done: Promise<void>;
  send: () => void;
}

export class SharedRootRequests {
  readonly #ask: SendRootRequest;
  /** Open or under way. */
  readonly #batches = new Set<Batch>();
  readonly #open = new Map<number, Batch>();
  #failed = 0;

  constructor(request: SendRootRequest) {
    this.#ask = request;
  }

  /** Questions that came to nothing. */
  get failed(): number {
    return this.#failed;
  }

  /** @throws signal.reason for this caller alone. A question that fails does not throw. */
  async ask(roots: IdIndex, timestampMs: number, signal: AbortSignal | undefined): Promise<SharedAnswers> {
    const joined = await cooperativeRunner.run(this.#entering(roots, timestampMs));
    const leave = (batch: Batch): void => {
      if (--batch.callers > 0) return;
      this.#forget(batch); // a later caller starts afresh
      batch.abort.abort(signal?.reason);
    };
    await Promise.all(joined.map((batch) => leaveOnAbort(batch.done, signal, () => leave(batch))));
    const of = (low: number, high: number): number | undefined => {
      for (const { roots: asked, values } of joined) {
        const ordinal = asked.find(low, high);
        if (ordinal >= 0) return values?.[ordinal];
      }
      return undefined;
    };
    return { answerFor: of, requests: joined.length };
  }

  /** Those of one turn go out together; of very many, what is entered later goes into a question of its own. */
  *#entering(roots: IdIndex, timestampMs: number): PausableWork<Batch[]> {
    const words = wordsOf(yield* roots.sortInSteps());
    const underWay = [...this.#batches].filter((batch) => batch.timestampMs === timestampMs);
    const joined = new Set<Batch>();
    yield* inStretches(words.length / 2, (from, end) => {
      for (let at = 2 * from; at < 2 * end; at += 2) {
        let batch = underWay.find(
          ({ abort, roots: asked }) => !abort.signal.aborted && asked.find(words[at], words[at + 1]) >= 0,
        );
        if (!batch) (batch = this.#openAt(timestampMs)).roots.add(words[at], words[at + 1]);
        if (joined.has(batch)) continue;
        joined.add(batch);
        batch.callers++; // from now on, or others could end it meanwhile
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
      const answers = await this.#ask(sorted, timestampMs, abort.signal);
      if (answers.length !== sorted.length)
        throw new RangeError(`${answers.length} answers about ${sorted.length} roots`);
      const values = new Float64Array(sorted.length);
      await cooperativeRunner.run(
        inStretches(sorted.length, (from, end) => {
          for (let i = from; i < end; i++)
            values[roots.find(words[2 * i], words[2 * i + 1])] = Number(answers[i]);
        }),
      );
      batch.values = values;
    } catch {
      this.#failed++; // whoever asked does without
    } finally {
      this.#forget(batch);
    }
  }

  #forget(batch: Batch): void {
    this.#batches.delete(batch);
    if (this.#open.get(batch.timestampMs) === batch) this.#open.delete(batch.timestampMs);
  }
}
