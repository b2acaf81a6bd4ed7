/**
 * Runs batches through three stages at once: batch n + 1 is read while batch n is looked up and batch n - 1
 * is written.
 */
import { withJointSignal, leaveOnAbort } from '../base/abort.ts';

/** The three stages of a pipeline. */
export interface Stages<B, A> {
  batches: AsyncIterable<B>;
  /** Looks up a batch. @param signal Aborts with the job, or if an earlier batch cannot be written. */
  lookUp: (batch: B, signal: AbortSignal) => Promise<A>;
  write: (batch: B, answers: A) => Promise<void>;
}

/**
 * Looks up and writes all batches in order. At most three batches are in memory. After an error, the batches
 * that were already looked up are still written. A source that is still being read is left to its owner, who
 * must close it.
 *
 * @throws The error of the earliest batch that failed; signal.reason.
 */
export const runPipeline = <B, A>(
  { batches, lookUp, write }: Stages<B, A>,
  signal: AbortSignal | undefined,
): Promise<void> =>
  withJointSignal([signal], async (joint) => {
    const source = batches[Symbol.asyncIterator]();
    const read = (): Promise<IteratorResult<B>> => handleLater(source.next());
    let writing = Promise.resolve();
    try {
      for (let reading = read(); ;) {
        const next = await leaveOnAbort(reading, joint.signal, () => {});
        if (next.done === true) break;
        reading = read();
        const answers = await lookUp(next.value, joint.signal);
        await writing;
        writing = write(next.value, answers);
        writing.catch((error: unknown) => joint.abort(error));
      }
    } catch (error) {
      await writing;
      throw error;
    } finally {
      void handleLater(Promise.resolve(source.return?.()));
    }
    await writing;
  });

/** Marks a promise so that its rejection is not reported as unhandled before it is awaited. */
function handleLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
