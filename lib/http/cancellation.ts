/** Stops one request from outside, wherever it is: the caller's signal and the client's `close()` both end here. */
export class Cancellation {
  #handler: ((reason: unknown) => void) | undefined;
  #stopped: { reason: unknown } | undefined;
  #abort: AbortController | undefined;

  cancel(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    this.#handler?.(reason);
    this.#abort?.abort(reason);
  }

  /** What stopping does from now on; done at once when the stop has come already. */
  onCancel(handler: (reason: unknown) => void): void {
    if (this.#stopped) handler(this.#stopped.reason);
    else this.#handler = handler;
  }

  /** The same for whoever wants a signal, which most requests never need. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#stopped) this.#abort.abort(this.#stopped.reason);
    }
    return this.#abort.signal;
  }

  /** Nothing is under way that could be stopped. */
  clear(): void {
    this.#handler = undefined;
  }
}
