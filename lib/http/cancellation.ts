/**
 * Cancels one request, wherever it is: the caller's signal and the client's `close()` both use it. It is
 * cheaper than an AbortSignal, which most requests never need.
 */
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

  /** Sets what `cancel` does from now on. Calls the handler at once if the request is already cancelled. */
  onCancel(handler: (reason: unknown) => void): void {
    if (this.#stopped) handler(this.#stopped.reason);
    else this.#handler = handler;
  }

  /** A signal that aborts with the cancellation. Created on first use. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#stopped) this.#abort.abort(this.#stopped.reason);
    }
    return this.#abort.signal;
  }

  /** Removes the handler: nothing is in flight that could be cancelled. */
  clear(): void {
    this.#handler = undefined;
  }
}
