/**
 * Calls the caller's `onProgress`. An error thrown there fails no chunk: the first one is kept, and thrown
 * when the work is done.
 */
export class ProgressReporter<Progress> {
  readonly #onProgress: ((progress: Progress) => unknown) | undefined;
  #failure: { error: unknown } | undefined;

  constructor(onProgress: ((progress: Progress) => unknown) | undefined) {
    this.#onProgress = onProgress;
  }

  /**
   * Reports progress. Never throws. A returned promise is not awaited; its rejection counts as a thrown
   * error.
   */
  report(progress: Progress): void {
    const note = (error: unknown): void => void (this.#failure ??= { error });
    try {
      const returned = this.#onProgress?.(progress);
      if (typeof returned === 'object' && returned !== null) Promise.resolve(returned).catch(note);
    } catch (error) {
      note(error);
    }
  }

  /** @throws The first error that `onProgress` threw, or rejected its promise with. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
