/** Lets tasks wait for worker threads that are starting. */

/** Waits for the first thread of a pool. */
export class StartWait {
  readonly #longestMs: number;
  #isStarting = false;
  #waiting: { promise: Promise<void>; end: () => void } | undefined;

  /** @param longestMs A start that takes longer is not waited for. */
  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** A thread has begun to start. */
  begin(): void {
    this.#isStarting = true;
  }

  /** A thread is ready, or none is starting any more. */
  end(): void {
    this.#isStarting = false;
    this.#waiting?.end();
    this.#waiting = undefined;
  }

  /** Resolves at the end; undefined if nothing is to be waited for. */
  get whenEnded(): Promise<void> | undefined {
    if (!this.#isStarting) return undefined;
    if (!this.#waiting) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      // The timer keeps the process alive: a thread that is starting does not.
      const timer = setTimeout(() => this.end(), this.#longestMs);
      const end = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting = { promise, end };
    }
    return this.#waiting.promise;
  }
}
