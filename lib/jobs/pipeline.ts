/**
 * Runs batches through three stages at once: batch n + 1 is read while batch n is looked up and batch n - 1
 * is written. Where look-ups wait for servers, batch n + 1 is looked up, too, as soon as it is read.
 */
import { withJointSignal, leaveOnAbort } from '../base/abort.ts';

/** The three stages of a pipeline. */
export interface Stages<B, A> {
  batches: AsyncIterable<B>;
  /** Looks up a batch. @param signal Aborts with the job, or if an earlier batch cannot be written. */
  lookUp: (batch: B, signal: AbortSignal) => Promise<A>;
  write: (batch: B, answers: A) => Promise<void>;
  /** Whether two batches are looked up at a time. @default false: each look-up waits for the one before */
  looksAhead?: boolean;
}

/** A batch that was read, and its answers if they are being looked up. */
interface ReadBatch<B, A> {
  batch: B;
  answers?: Promise<A>;
}

/**
 * Looks up and writes all batches in order. At most three batches are in memory. After an error, the batches
 * that were already looked up are still written. A source that is still being read is left to its owner, who
 * must close it.
 *
 * @throws The error of the earliest batch that failed; signal.reason.
 */
export const runPipeline = <B, A>(
  { batches, lookUp, write, looksAhead = false }: Stages<B, A>,
  signal: AbortSignal | undefined,
): Promise<void> =>
  withJointSignal([signal], async (joint) => {
    const source = batches[Symbol.asyncIterator]();
    let writing = Promise.resolve(),
      ahead: Promise<A> | undefined;
    const readNext = async (): Promise<ReadBatch<B, A> | undefined> => {
      const next = await source.next();
      if (next.done === true) return undefined;
      const batch = next.value;
      // After an error, nothing new begins.
      if (!looksAhead || joint.signal.aborted) return { batch };
      ahead = handleLater(lookUp(batch, joint.signal));
      return { batch, answers: ahead };
    };
    const read = (): ReturnType<typeof readNext> => handleLater(readNext());
    try {
      for (let reading = read(); ;) {
        const next = await leaveOnAbort(reading, joint.signal, () => {});
        if (!next) break;
        reading = read();
        const answers = await (next.answers ?? lookUp(next.batch, joint.signal));
        await writing;
        writing = write(next.batch, answers);
        writing.catch((error: unknown) => joint.abort(error));
      }
    } catch (error) {
      if (looksAhead) joint.abort(error);
      await writing;
      await ahead?.catch(() => undefined);
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
