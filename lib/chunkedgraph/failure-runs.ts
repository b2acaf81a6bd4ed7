/**
 * Why stretches of a sorted list failed. Neighbours with the same reason make one run; past a thousand runs the nearest ones are joined,
 * whatever their reason, so that a list that fails everywhere costs no more memory than a short one.
 */
export interface FailureRun {
  /** Indices into the list: `start` inclusive, `end` exclusive. */
  start: number;
  end: number;
  error: Error;
}

const MOST_RUNS = 1000;

export class FailureRuns {
  /** Ascending and disjoint. */
  readonly #runs: FailureRun[] = [];

  get size(): number {
    return this.#runs.length;
  }

  at(run: number): FailureRun {
    return this.#runs[run];
  }

  /** The run that holds an index, or the one before it, or -1. */
  find(index: number): number {
    let from = 0, to = this.#runs.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#runs[middle].start <= index) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }

  /** Of a stretch in which nothing has failed yet. */
  add(start: number, end: number, error: Error): void {
    const runs = this.#runs, before = this.find(start);
    runs.splice(before + 1, 0, { start, end, error });
    this.#join(before + 1, same);
    this.#join(before, same);
    if (runs.length > MOST_RUNS) this.#join(Math.min(before + 1, runs.length - 2), () => true);
  }

  /** Joins a run and the next, if they may be. */
  #join(at: number, may: (a: FailureRun, b: FailureRun) => boolean): void {
    const [a, b] = [this.#runs[at], this.#runs[at + 1]] as (FailureRun | undefined)[];
    if (a && b && may(a, b)) this.#runs.splice(at, 2, { start: a.start, end: Math.max(a.end, b.end), error: a.error });
  }
}

const same = (a: FailureRun, b: FailureRun): boolean => a.end === b.start && a.error.message === b.error.message;
