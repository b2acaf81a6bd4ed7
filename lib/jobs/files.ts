/** Where tables come from and go to: files, or the two standard streams. */
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { addAbortSignal, type Readable, type Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { TableError } from '../base/errors.ts';

/** Bytes written in order; `write` resolves when there is room for more. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: the result takes its place. */
  finish(): Promise<void>;
  /** Nothing more comes. @param keep Whether what was written stays, as `FILE.partial`. @returns the path of what stayed. After `finish` it does nothing. */
  abandon(keep: boolean): Promise<string | undefined>;
}

/** The system's words, once: its own error would say code, path and call again, and so is no cause. */
function unusable(what: 'read' | 'written', path: string, error: unknown): TableError {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return new TableError('UNREADABLE', `${path} cannot be ${what}: ${known ? `${known[1]} (${known[0]})` : (code ?? message)}`);
}

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
 * @param option What asked for the file, named before it in errors.
 * @throws TableError UNREADABLE when it cannot be created, and later when it cannot be written.
 */
export async function fileSink(path: string, option?: string): Promise<Sink> {
  const called = (file: string): string => (option === undefined ? file : `${option} ${file}`);
  const present = await stat(path).catch(() => undefined);
  if (present?.isDirectory()) throw new TableError('UNREADABLE', `${called(path)} is a directory`);
  const direct = present !== undefined && !present.isFile();
  const target = direct ? path : `${path}.partial`;
  const told = async <T>(step: Promise<T>, file = target): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw unusable('written', called(file), error);
    }
  };
  const handle = await told(open(target, 'w', present?.mode));
  return {
    write: (bytes) => told(handle.writeFile(bytes)),
    async finish() {
      await told(handle.close());
      if (!direct) await told(rename(target, path), path);
    },
    async abandon(keep) {
      await handle.close();
      if (direct) return undefined;
      if (keep) return target;
      await rm(target, { force: true });
      return undefined;
    },
  };
}

/** The reader of our output has left (`| head`): nobody waits for the rest. */
export class ReaderGone extends Error {}

/** @param name What errors call it. */
export function streamSink(stream: Writable, name = 'standard output'): Sink {
  let broken: Error | undefined;
  const onError = (error: NodeJS.ErrnoException): void => {
    broken = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' ? new ReaderGone() : unusable('written', name, error);
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
    abandon: () => Promise.resolve(undefined),
  };
}
