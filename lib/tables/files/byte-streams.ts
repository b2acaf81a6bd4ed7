/** Where tables come from and go to: files, or the two standard streams. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { leaveOnAbort } from '../../base/abort.ts';
import { TableError } from '../../base/errors.ts';
import { openFifoReader } from './fifos.ts';

/** Bytes written in order; `write` resolves when there is room for more. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: the result takes its place. */
  finish(): Promise<void>;
  /** Nothing more comes. @param keep Whether what was written stays, as `FILE.partial`. @returns the path of what stayed. After `finish` it does nothing. */
  abandon(keep: boolean): Promise<string | undefined>;
}

/** The system's words, once: its own error would say code, path and call again, and so is no cause. */
export function ioError(what: 'read' | 'written', path: string, error: unknown): TableError {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return new TableError(
    'UNREADABLE',
    `${path} cannot be ${what}: ${known ? `${known[1]} (${known[0]})` : (code ?? message)}`,
  );
}

/** @throws TableError UNREADABLE, while it is read. */
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
 * An abort ends the wait for more.
 * @param name What errors call it.
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

/** The reader of our output has left (`| head`): nobody waits for the rest. */
export class ReaderClosedError extends Error {}

export interface StreamSinkOptions {
  /** What errors call it. @default standard output */
  name?: string;
  /** Ends the wait for a reader that takes nothing. */
  signal?: AbortSignal;
  /** Whether the stream is ours, and ends with the sink. @default false */
  endsStream?: boolean;
}

export function streamSink(
  stream: Writable,
  { name = 'standard output', signal, endsStream: ends = false }: StreamSinkOptions = {},
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
    finish: () => (ends ? step((done) => void stream.end(done)) : Promise.resolve()),
    async abandon() {
      if (ends) stream.destroy();
      return undefined;
    },
  };
}
