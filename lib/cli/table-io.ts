/** Where a command on a table writes to, and where it reads from. */
import { fileSink, ReaderGone, type Sink, streamSink } from '../jobs/files.ts';
import { Interrupted, type Io } from './io.ts';

/** Opened before the job, so that nobody waits for a job whose counts cannot be written. */
export async function openStats(file: string | undefined, io: Io): Promise<Sink | undefined> {
  return file === undefined ? undefined : file === '-' ? streamSink(io.stderr, 'standard error') : fileSink(file, '--stats');
}

/** Runs a job into a file or standard output. A partial file stays only after an interrupt. @returns undefined when the reader has left. */
export async function intoSink<T>(out: string, io: Io, job: (sink: Sink) => Promise<T>): Promise<T | undefined> {
  const sink = out === '-' ? streamSink(io.stdout) : await fileSink(out);
  try {
    const result = await job(sink);
    await sink.finish();
    return result;
  } catch (error) {
    const left = await sink.abandon(io.signal.aborted);
    if (error instanceof ReaderGone) return undefined;
    throw left === undefined ? error : new Interrupted(`interrupted; the rows so far are in ${left}`);
  }
}
