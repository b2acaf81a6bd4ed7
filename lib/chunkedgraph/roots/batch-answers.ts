/** What is known of the distinct IDs of one batch, by their places in it: roots, fates, and why IDs failed. */
import { wordsOf } from '../../base/uint64.ts';
import { RootOutcome } from './root-source.ts';

/** Beside the fates that are answers, those of IDs without one: the batch asks about them itself, or an earlier batch does. */
export const PENDING = 255,
  SHARED = 254;
export const isAnswered = (fate: number): boolean => fate < SHARED;

export class BatchAnswers {
  /** Ascending, as pairs of words. */
  readonly ids: Uint32Array;
  /** As pairs of words. */
  readonly roots: Uint32Array;
  readonly outcomes: Uint8Array;
  readonly errors: Error[] = [];
  /** The index in `errors` plus one; made when the first ID fails. */
  #failureOf: Uint32Array | undefined;

  constructor(ids: BigUint64Array) {
    this.ids = wordsOf(ids);
    this.roots = new Uint32Array(this.ids.length);
    this.outcomes = new Uint8Array(ids.length).fill(PENDING);
  }

  get count(): number {
    return this.outcomes.length;
  }

  idAt(place: number): bigint {
    return idsFromWords(this.ids)[place];
  }

  wordsAt(places: Uint32Array): Uint32Array {
    const words = new Uint32Array(2 * places.length);
    for (let k = 0; k < places.length; k++) {
      words[2 * k] = this.ids[2 * places[k]];
      words[2 * k + 1] = this.ids[2 * places[k] + 1];
    }
    return words;
  }

  /** Why the ID at a place failed: the index in `errors` plus one. */
  failureAt(place: number): number {
    return this.#failureOf![place];
  }

  /** @param places Ascending, of the IDs that failed; or from where to where they stand in a row. */
  fail(places: Uint32Array | { start: number; end: number }, error: Error): void {
    const failureOf = (this.#failureOf ??= new Uint32Array(this.count));
    if (ArrayBuffer.isView(places)) {
      const failure = this.#failureOfStretch(places[0], places[places.length - 1] + 1, error);
      for (const place of places) {
        this.outcomes[place] = RootOutcome.failed;
        failureOf[place] = failure;
      }
    } else {
      const { start, end } = places,
        failure = this.#failureOfStretch(start, end, error);
      this.outcomes.fill(RootOutcome.failed, start, end);
      failureOf.fill(failure, start, end);
    }
  }

  /** The answer that another batch has at its place `from`. */
  copyAnswer(other: BatchAnswers, from: number, place: number): void {
    this.outcomes[place] = other.outcomes[from];
    this.roots[2 * place] = other.roots[2 * from];
    this.roots[2 * place + 1] = other.roots[2 * from + 1];
    if (this.outcomes[place] === RootOutcome.failed)
      this.fail({ start: place, end: place + 1 }, other.errors[other.failureAt(from) - 1]);
  }

  /** That of a neighbour with the same reason, or a new one. */
  #failureOfStretch(start: number, end: number, error: Error): number {
    for (const neighbour of [this.#failureOf![start - 1], this.#failureOf![end]])
      if (neighbour && this.errors[neighbour - 1].message === error.message) return neighbour;
    return this.errors.push(error);
  }
}

export const idsFromWords = (words: Uint32Array): BigUint64Array =>
  new BigUint64Array(words.buffer, words.byteOffset, words.length / 2);
