/**
 * Notes why rows failed, in any order of the rows. It keeps of each batch what a warning shows: the first
 * rows with different reasons.
 */
import { MAX_WARNINGS } from './row-warnings.ts';

/** A failed place of a batch. */
interface Failure {
  place: number;
  /** The status and the reason. */
  text: string;
}

/** The failures of one volume. */
export class FailureLog {
  /** By batch and message, those with the lowest places. */
  readonly #batches = new Map<number, Map<string, Failure>>();

  /**
   * Notes a failure.
   * @param message Tells failures of the same kind apart from others.
   * @param text What is shown: the status and the reason.
   */
  add(batch: number, place: number, message: string, text: () => string): void {
    const failures = this.#batches.get(batch) ?? new Map<string, Failure>();
    this.#batches.set(batch, failures);
    const known = failures.get(message);
    if (known) {
      if (place < known.place) failures.set(message, { place, text: text() });
      return;
    }
    if (failures.size === MAX_WARNINGS) {
      const [last, { place: lastPlace }] = [...failures].reduce((a, b) => (a[1].place > b[1].place ? a : b));
      if (lastPlace < place) return;
      failures.delete(last);
    }
    failures.set(message, { place, text: text() });
  }

  /** Returns the failures of a batch, in the order of their places. */
  of(batch: number): Failure[] {
    return [...(this.#batches.get(batch)?.values() ?? [])].sort((a, b) => a.place - b.place);
  }
}
