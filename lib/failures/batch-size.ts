/**
 * How many IDs a server answers in one request: learnt from what fails. A failure halves the size, unless as many have just worked (then it is those IDs, or chance); after eight full requests in a row it grows by a quarter.
 */
export class BatchSize {
  #limit = Infinity;
  /** The most that were answered since the limit last fell. */
  #worked = 0;
  /** Failures of sizes that had worked, without a success between them. */
  #strikes = 0;
  #fullInARow = 0;

  /** Most IDs to ask for at once, at least 1; Infinity while nothing is known. */
  get limit(): number {
    return this.#limit;
  }

  /** @param wanted What would be asked for if there were no limit; less than the limit is no sign that more would work. */
  succeeded(count: number, wanted: number): void {
    this.#strikes = 0;
    this.#worked = Math.max(this.#worked, count);
    if (count < this.#limit || ++this.#fullInARow < GROWS_AFTER) return;
    this.#fullInARow = 0;
    const grown = this.#limit + Math.ceil(this.#limit / 4);
    this.#limit = grown >= wanted ? Infinity : grown;
  }

  /** That many were too many, or took too long. */
  failed(count: number): void {
    this.#fullInARow = 0;
    if (count <= this.#worked) {
      if (++this.#strikes < STRIKES) return;
      this.#worked = 0;
    }
    this.#strikes = 0;
    this.#limit = Math.min(this.#limit, Math.max(Math.ceil(count / 2), this.#worked));
  }
}

const GROWS_AFTER = 8,
  STRIKES = 3;
