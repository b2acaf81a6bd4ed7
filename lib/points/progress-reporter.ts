/** The caller's `onProgress`: what goes wrong in it is the caller's own, fails no chunk, and is told once, when the work is done. */
export class ProgressReporter<Progress> {
  readonly #onProgress: ((progress: Progress) => unknown) | undefined;
  #failure: { error: unknown } | undefined;

  constructor(onProgress: ((progress: Progress) => unknown) | undefined) {
    this.#onProgress = onProgress;
  }

  /** Never throws. A promise that is returned is not waited for; one that is rejected counts as an error thrown. */
  report(progress: Progress): void {
    const note = (error: unknown): void => void (this.#failure ??= { error });
    try {
      const returned = this.#onProgress?.(progress);
      if (typeof returned === 'object' && returned !== null) Promise.resolve(returned).catch(note);
    } catch (error) {
      note(error);
    }
  }

  /** @throws what `onProgress` threw, or its promise was rejected with, first. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
