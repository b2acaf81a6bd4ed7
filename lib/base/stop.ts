/**
 * Stops work that nobody waits for any more. It is an AbortSignal where one is needed, and much cheaper where
 * none is: thousands of reads need one each, and hardly any of them is stopped.
 */
export class Stop {
  #stopped: { reason: unknown } | undefined;
  #acts: Set<(reason: unknown) => void> | undefined;
  #controller: AbortController | undefined;

  /** Stops the work. The first reason counts. */
  stop(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    const acts = this.#acts;
    this.#acts = undefined;
    if (acts) for (const act of acts) act(reason);
    this.#controller?.abort(reason);
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** @throws The reason, if the work was stopped. */
  throwIfStopped(): void {
    if (this.#stopped) throw this.#stopped.reason;
  }

  /**
   * Calls `act` when the work is stopped, or at once if it was stopped already.
   * @returns A function that removes `act` again.
   */
  onStop(act: (reason: unknown) => void): () => void {
    if (this.#stopped) {
      act(this.#stopped.reason);
      return () => undefined;
    }
    const own = (reason: unknown): void => act(reason); // a Set would keep the same function once
    (this.#acts ??= new Set()).add(own);
    return () => void this.#acts?.delete(own);
  }

  /** A signal that aborts when the work is stopped. It is made on first use. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }
}
