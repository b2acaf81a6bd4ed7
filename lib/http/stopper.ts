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

/** Stops all requests of a signal with one listener, however many share it: Node warns above ten. */
export class SignalWatch {
  readonly #watched = new Map<AbortSignal, { stoppers: Set<Stopper>; abort: () => void }>();

  add(signal: AbortSignal, stopper: Stopper): void {
    let entry = this.#watched.get(signal);
    if (!entry) {
      const stoppers = new Set<Stopper>();
      entry = { stoppers, abort: () => stoppers.forEach((each) => each.stop(signal.reason)) };
      this.#watched.set(signal, entry);
      signal.addEventListener('abort', entry.abort);
    }
    entry.stoppers.add(stopper);
  }

  remove(signal: AbortSignal, stopper: Stopper): void {
    const entry = this.#watched.get(signal);
    if (!entry?.stoppers.delete(stopper) || entry.stoppers.size > 0) return;
    this.#watched.delete(signal);
    signal.removeEventListener('abort', entry.abort);
  }
}
