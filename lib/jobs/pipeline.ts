/** Batches through three stages, one batch a stage: batch n + 1 is read while n is asked and n - 1 is written. */
import { withJointSignal, leaveOnAbort } from '../base/abort.ts';

export interface Stages<B, A> {
  batches: AsyncIterable<B>;
  /** @param signal Aborts with the job, and when an earlier batch cannot be written. */
  lookUp: (batch: B, signal: AbortSignal) => Promise<A>;
  write: (batch: B, answers: A) => Promise<void>;
}

/**
 * Writes all batches in their order; at most three are in memory. What was answered before an error is written all the same. A source that
 * is still waited for is left behind then: its owner closes it.
 * @throws What went wrong with the earliest batch; signal.reason.
 */
export const runPipeline = <B, A>(
  { batches, lookUp: ask, write }: Stages<B, A>,
  signal: AbortSignal | undefined,
): Promise<void> =>
  withJointSignal([signal], async (joint) => {
    const source = batches[Symbol.asyncIterator]();
    const read = (): Promise<IteratorResult<B>> => unheeded(source.next());
    let writing = Promise.resolve();
    try {
      for (let reading = read(); ;) {
        const next = await leaveOnAbort(reading, joint.signal, () => {});
        if (next.done === true) break;
        reading = read();
        const answers = await ask(next.value, joint.signal);
        await writing;
        writing = write(next.value, answers);
        writing.catch((error: unknown) => joint.abort(error));
      }
    } catch (error) {
      await writing;
      throw error;
    } finally {
      void unheeded(Promise.resolve(source.return?.()));
    }
    await writing;
  });

/** A promise whose rejection is nobody's business until somebody awaits it. */
function unheeded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
