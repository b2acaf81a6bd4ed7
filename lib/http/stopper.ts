/** Stops one request from outside, wherever it is: the caller's signal and the client's `close()` both end here. */
export class Stopper {
  #handler: ((reason: unknown) => void) | undefined;
  #stopped: { reason: unknown } | undefined;

  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.#handler?.(reason);
  }

  /** What stopping does from now on; done at once when the stop has come already. */
  onStop(handler: (reason: unknown) => void): void {
    if (this.#stopped) handler(this.#stopped.reason);
    else this.#handler = handler;
  }

  /** Nothing is under way that could be stopped. */
  idle(): void {
    this.#handler = undefined;
  }
}
