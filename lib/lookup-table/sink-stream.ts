/** A stream of the caller that a table is written to. */
import type { Writable } from 'node:stream';
import { leaveOnAbort } from '../base/abort.ts';
import { TableError } from '../base/errors.ts';
import type { OutputStream } from '../table-files/open-files.ts';
import { type ByteSink, ReaderClosedError, streamSink } from '../tables/files/byte-streams.ts';
import type { LookupSink, NodeSink, WebSink } from './table-types.ts';

const NAME = 'the sink';

/** Checks the kind of a sink. @throws TypeError. */
export function checkSink(sink: LookupSink): void {
  const what = 'the sink is a path or a stream that bytes are written to';
  if (sink === '' || sink === '-')
    throw new TypeError(sink === '' ? `${what}, and no empty text` : `${what}: pass process.stdout`);
  if (typeof sink === 'string') return;
  const given = Object(sink) as Partial<NodeSink & WebSink>;
  if (typeof given.getWriter === 'function') return;
  if ([given.write, given.end, given.destroy, given.on].some((method) => typeof method !== 'function'))
    throw new TypeError(`${what}: the file of a path, a Writable or a WritableStream`);
}

const isWebSink = (sink: NodeSink | WebSink): sink is WebSink => 'getWriter' in sink;

/** Makes the output of a stream. @throws TypeError for a web stream that is locked. */
export function streamOutput(sink: NodeSink | WebSink, signal: AbortSignal): OpenSink {
  return isWebSink(sink) ? webOutput(sink, signal) : nodeOutput(sink, signal);
}

/** A stream whose end is known: all was written, or why not. */
export interface OpenSink {
  output: OutputStream;
  /** Tells the stream that the table is not complete. */
  fail(error: unknown): void;
}

/** The standard streams of the process are not ended. */
const isStandard = (sink: NodeSink): boolean =>
  (sink as unknown) === process.stdout || (sink as unknown) === process.stderr;

function nodeOutput(sink: NodeSink, signal: AbortSignal): OpenSink {
  const finish = (): Promise<void> =>
    leaveOnAbort(
      new Promise((resolve, reject) => {
        sink.on('error', reject);
        sink.end((error?: Error | null) => (error ? reject(error) : resolve()));
      }),
      signal,
      () => {},
    );
  return {
    output: {
      displayName: NAME,
      stream: sink,
      open() {
        const bytes = streamSink(sink as unknown as Writable, { name: NAME, signal });
        return withSinkErrors({
          write: (part) => bytes.write(part),
          finish: isStandard(sink) ? () => bytes.finish() : finish,
          abandon: () => Promise.resolve(undefined),
        });
      },
    },
    fail(error) {
      if (isStandard(sink)) return;
      sink.on('error', () => undefined); // the caller gets the error from the look-up
      sink.destroy(error instanceof Error ? error : new Error(String(error)));
    },
  };
}

function webOutput(sink: WebSink, signal: AbortSignal): OpenSink {
  const writer = sink.getWriter();
  const step = (work: Promise<void>): Promise<void> => leaveOnAbort(work, signal, () => {});
  return {
    output: {
      displayName: NAME,
      stream: sink,
      open: () =>
        withSinkErrors({
          write: (bytes) => step(writer.write(bytes)),
          finish: () => step(writer.close()),
          abandon: () => Promise.resolve(undefined),
        }),
    },
    fail: (error) => void writer.abort(error).catch(() => undefined),
  };
}

/** Gives errors of a stream their name. An abort stays as it is. */
function withSinkErrors(sink: ByteSink): ByteSink {
  const named = async (work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (error instanceof TableError) throw error;
      if (error instanceof ReaderClosedError)
        throw new TableError('UNREADABLE', `${NAME} was closed before the table was complete`);
      const reason = error instanceof Error ? error.message : String(error);
      throw new TableError('UNREADABLE', `${NAME} cannot be written: ${reason}`, { cause: error });
    }
  };
  return { ...sink, write: (bytes) => named(sink.write(bytes)), finish: () => named(sink.finish()) };
}
