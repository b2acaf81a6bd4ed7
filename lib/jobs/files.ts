/** Where tables come from and go to: files, or the two standard streams. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { TableError } from '../base/errors.ts';

/** Bytes written in order; `write` resolves when there is room for more. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: the result takes its place. */
  finish(): Promise<void>;
  /** Nothing more comes. `keep` leaves what was written (as `FILE.partial`). */
  abandon(keep: boolean): Promise<void>;
}

const unusable = (what: string, path: string, error: unknown): TableError =>
  new TableError('UNREADABLE', `${path} cannot be ${what}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, { cause: error });

/** @throws TableError UNREADABLE, while it is read. */
export async function* readFileBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw signal?.aborted ? signal.reason : unusable('read', path, error);
  }
}

/** Standard input; an abort ends the wait for more of it. */
export async function* readStream(stream: Readable, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of signal ? addAbortSignal(signal, stream) : stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
  } catch (error) {
    throw signal?.aborted ? signal.reason : unusable('read', 'standard input', error);
  }
}

/**
 * Writes `PATH.partial`, and renames it at the end; so the input may be the same file. What is no regular file (a pipe, /dev/null)
 * is written directly.
 * @throws TableError UNREADABLE when it cannot be created.
 */
export async function fileSink(path: string): Promise<Sink> {
  const present = await stat(path).catch(() => undefined);
  if (present?.isDirectory()) throw new TableError('UNREADABLE', `${path} is a directory`);
  const direct = present !== undefined && !present.isFile();
  const target = direct ? path : `${path}.partial`;
  let handle: FileHandle;
  try {
    handle = await open(target, 'w', present?.mode);
  } catch (error) {
    throw unusable('written', target, error);
  }
  return {
    async write(bytes) {
      try {
        await handle.writeFile(bytes);
      } catch (error) {
        throw unusable('written', target, error);
      }
    },
    async finish() {
      await handle.close();
      if (!direct) await rename(target, path);
    },
    async abandon(keep) {
      await handle.close();
      if (!direct && !keep) await unlink(target);
    },
  };
}

/** The reader of our output has left (`| head`): nobody waits for the rest. */
export class ReaderGone extends Error {}

export function streamSink(stream: Writable): Sink {
  let broken: Error | undefined;
  const onError = (error: NodeJS.ErrnoException): void => {
    broken = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' ? new ReaderGone() : error;
  };
  stream.on('error', onError); // stays: a late EPIPE must not end the process
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        stream.write(bytes, (error) => {
          if (!error) return resolve();
          onError(error);
          reject(broken!);
        });
      }),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}
