/** Byte streams that tables are read from and written to: files, FIFOs and the standard streams. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { leaveOnAbort } from '../../base/abort.ts';
import { TableError } from '../../base/errors.ts';
import { openFifoReader } from './fifos.ts';

/** Takes bytes in order. `write` resolves when there is room for more. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Completes the output: a file gets its final name. */
  finish(): Promise<void>;
  /**
   * Ends an output that stays incomplete. Does nothing after `finish`.
   *
   * @param keep Whether to keep `FILE.partial`.
   * @returns The path of the file kept, if any.
   */
  abandon(keep: boolean): Promise<string | undefined>;
}

/**
 * Makes the error for a file that cannot be read or written. The system's error is not its cause: it would
 * repeat the same facts.
 */
export function ioError(what: 'read' | 'written', path: string, error: unknown): TableError {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return new TableError(
    'UNREADABLE',
    `${path} cannot be ${what}: ${known ? `${known[1]} (${known[0]})` : (code ?? message)}`,
  );
}

/** Reads a file or a FIFO. @throws TableError UNREADABLE during the iteration. */
export async function* readFileBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const isFifo = (await stat(path)).isFIFO();
    if (isFifo) yield* readInputStream(await openFifoReader(path), signal, path);
    else yield* createReadStream(path, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw signal?.aborted
      ? signal.reason
      : error instanceof TableError
        ? error
        : ioError('read', path, error);
  }
}

/**
 * Reads a stream. An abort ends the wait for more bytes.
 *
 * @param name The name of the stream in errors.
 */
export async function* readInputStream(
  stream: Readable,
  signal?: AbortSignal,
  name = 'standard input',
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of signal ? addAbortSignal(signal, stream) : stream)
      yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
  } catch (error) {
    throw signal?.aborted ? signal.reason : ioError('read', name, error);
  }
}

/**
 * Thrown when the reader of the output has closed it, as `| head` does. The rest of the output is not needed.
 */
export class ReaderClosedError extends Error {}

/** Options of `streamSink`. */
export interface StreamSinkOptions {
  /** The name of the stream in errors. @default 'standard output' */
  name?: string;
  /** Ends the wait for a reader that does not read. */
  signal?: AbortSignal;
  /** Whether the sink ends the stream. @default false */
  endsStream?: boolean;
}

/**
 * Makes a sink for a stream.
 *
 * @throws TableError UNREADABLE; ReaderClosedError if the reader has closed the stream.
 */
export function streamSink(
  stream: Writable,
  { name = 'standard output', signal, endsStream = false }: StreamSinkOptions = {},
): ByteSink {
  let broken: Error | undefined;
  const onError = (error: NodeJS.ErrnoException): void => {
    broken ??=
      error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
        ? new ReaderClosedError()
        : ioError('written', name, error);
  };
  stream.on('error', onError); // stays: a late EPIPE must not end the process
  const step = (act: (done: (error?: Error | null) => void) => void): Promise<void> => {
    const work = new Promise<void>((resolve, reject) => {
      if (broken) return reject(broken);
      act((error) => {
        if (!error) return resolve();
        onError(error);
        reject(broken!);
      });
    });
    return leaveOnAbort(work, signal, () => {});
  };
  return {
    write: (bytes) => step((done) => void stream.write(bytes, done)),
    finish: () => (endsStream ? step((done) => void stream.end(done)) : Promise.resolve()),
    async abandon() {
      if (endsStream) stream.destroy();
      return undefined;
    },
  };
}
