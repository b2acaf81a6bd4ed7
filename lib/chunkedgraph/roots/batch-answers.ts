/**
 * The answers for the distinct IDs of one batch: their roots, their outcomes, and why IDs failed. Each ID has
 * an index, its position in ascending order.
 */
import {
  fillInStretches,
  inStretches,
  runWithoutPause,
  type PausableWork,
} from '../../base/cooperative-work.ts';
import { wordsOf } from '../../base/uint64.ts';
import { RootOutcome } from './root-source.ts';

/**
 * Values for IDs without an answer yet, in addition to those of {@link RootOutcome}. PENDING: this batch
 * requests the ID. SHARED: an earlier batch requests it.
 */
export const PENDING = 255,
  SHARED = 254;
/** Whether an outcome is an answer. */
export const isAnswered = (outcome: number): boolean => outcome < SHARED;

/** The answers for one batch, in typed arrays. */
export class BatchAnswers {
  /** The IDs in ascending order, as pairs of uint32. */
  readonly ids: Uint32Array;
  /** The roots, as pairs of uint32. */
  readonly roots: Uint32Array;
  /** One {@link RootOutcome} per ID, or PENDING or SHARED. */
  readonly outcomes: Uint8Array;
  /** The reasons why IDs failed. */
  readonly errors: Error[] = [];
  /** Per ID, its index in `errors` plus one. Allocated when the first ID fails. */
  #failureOf: Uint32Array | undefined;

  private constructor(ids: BigUint64Array) {
    this.ids = wordsOf(ids);
    this.roots = new Uint32Array(this.ids.length);
    this.outcomes = new Uint8Array(ids.length);
  }

  /** Returns answers that are all PENDING. */
  static *create(ids: BigUint64Array): PausableWork<BatchAnswers> {
    const answers = new BatchAnswers(ids);
    yield* fillInStretches(answers.outcomes, PENDING);
    return answers;
  }

  /** Returns the answers of a batch without IDs. */
  static none(): BatchAnswers {
    return new BatchAnswers(new BigUint64Array(0));
  }

  get count(): number {
    return this.outcomes.length;
  }

  /** Returns the ID at an index. */
  idAt(index: number): bigint {
    return idsFromWords(this.ids)[index];
  }

  /** Returns the IDs at many indices, as pairs of uint32. */
  wordsAt(indices: Uint32Array): Uint32Array {
    const words = new Uint32Array(2 * indices.length);
    for (let k = 0; k < indices.length; k++) {
      words[2 * k] = this.ids[2 * indices[k]];
      words[2 * k + 1] = this.ids[2 * indices[k] + 1];
    }
    return words;
  }

  /** Returns why the ID at an index failed: its index in `errors` plus one. */
  failureAt(index: number): number {
    return this.#failureOf![index];
  }

  /**
   * Marks IDs as failed, with pauses.
   *
   * @param indices Indices of the IDs in ascending order, or a range of indices.
   */
  *fail(indices: Uint32Array | { start: number; end: number }, error: Error): PausableWork {
    const failureOf = (this.#failureOf ??= new Uint32Array(this.count)),
      isList = ArrayBuffer.isView(indices),
      start = isList ? indices[0] : indices.start,
      end = isList ? indices[indices.length - 1] + 1 : indices.end,
      failure = this.#addError(start, end, error);
    // Whoever fails the neighbours during a pause finds the reason there.
    failureOf[start] = failureOf[end - 1] = failure;
    yield* inStretches(isList ? indices.length : end - start, (from, to) => {
      if (!isList) {
        this.outcomes.fill(RootOutcome.failed, start + from, start + to);
        failureOf.fill(failure, start + from, start + to);
        return;
      }
      for (let k = from; k < to; k++) {
        this.outcomes[indices[k]] = RootOutcome.failed;
        failureOf[indices[k]] = failure;
      }
    });
  }

  /** Copies the answer at index `from` of another batch to the index `index` of this one. */
  copyAnswer(other: BatchAnswers, from: number, index: number): void {
    this.outcomes[index] = other.outcomes[from];
    this.roots[2 * index] = other.roots[2 * from];
    this.roots[2 * index + 1] = other.roots[2 * from + 1];
    if (this.outcomes[index] === RootOutcome.failed)
      runWithoutPause(this.fail({ start: index, end: index + 1 }, other.errors[other.failureAt(from) - 1]));
  }

  /**
   * Adds the error of the IDs from `start` to `end`, or reuses an equal error of the ID before or after them.
   * Returns its index in `errors` plus one.
   */
  #addError(start: number, end: number, error: Error): number {
    for (const neighbour of [this.#failureOf![start - 1], this.#failureOf![end]])
      if (neighbour && this.errors[neighbour - 1].message === error.message) return neighbour;
    return this.errors.push(error);
  }
}

/** Views pairs of uint32 as IDs. */
export const idsFromWords = (words: Uint32Array): BigUint64Array =>
  new BigUint64Array(words.buffer, words.byteOffset, words.length / 2);
