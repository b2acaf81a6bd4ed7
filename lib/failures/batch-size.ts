/**
 * Learns how many IDs a server answers in one request. A failure halves the limit, unless requests of that
 * size worked before: then the IDs or chance may be the cause. After eight full requests in a row, the limit
 * grows by a quarter.
 */
export class BatchSize {
  #limit = Infinity;
  /** Size of the largest request that was answered since the limit last fell. */
  #largestWorked = 0;
  /** Failures in a row of sizes that had worked before. */
  #repeatedFailures = 0;
  #fullInARow = 0;

  /** Most IDs for one request, at least 1. Infinity while no limit is known. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Records a request of `count` IDs that was answered.
   * @param wanted How many IDs the request would have held without a limit.
   */
  succeeded(count: number, wanted: number): void {
    this.#repeatedFailures = 0;
    this.#largestWorked = Math.max(this.#largestWorked, count);
    if (count < this.#limit || ++this.#fullInARow < GROWS_AFTER) return;
    this.#fullInARow = 0;
    const grown = this.#limit + Math.ceil(this.#limit / 4);
    this.#limit = grown >= wanted ? Infinity : grown;
  }

  /** Records a request of `count` IDs that was too large or took too long. */
  failed(count: number): void {
    this.#fullInARow = 0;
    if (count <= this.#largestWorked) {
      if (++this.#repeatedFailures < MAX_REPEATED_FAILURES) return;
      this.#largestWorked = 0;
    }
    this.#repeatedFailures = 0;
    this.#limit = Math.min(this.#limit, Math.max(Math.ceil(count / 2), this.#largestWorked));
  }
}

const GROWS_AFTER = 8,
  MAX_REPEATED_FAILURES = 3;
