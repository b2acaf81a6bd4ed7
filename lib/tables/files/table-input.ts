/** The input of a table: a stream of bytes for formats that are read in order, a file for those that seek. */
import { createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ioError, readFileBytes } from './byte-streams.ts';
import { makeScratchFolder } from './scratch-folder.ts';

/**
 * A table that is read. A format calls one of the two methods, once; or `bytes`, and then `file` with them.
 */
export interface TableInput {
  /** The name in messages: a path or `standard input`. */
  readonly name: string;
  /** Yields the bytes in order. @throws TableError UNREADABLE during the iteration. */
  bytes(): AsyncIterable<Uint8Array>;
  /**
   * Returns the path of a regular file with the bytes. A stream is copied to a temporary file first.
   *
   * @param begun All the bytes of the stream, if some of them have been read.
   * @throws TableError UNREADABLE.
   */
  file(begun?: AsyncIterable<Uint8Array>): Promise<string>;
  /** The files of a table of several files, in order. `bytes` and `file` then throw TableError BAD_FORMAT. */
  readonly parts?: readonly TableInputPart[];
}

/** One of the files of a table. */
export interface TableInputPart extends TableInput {
  /** Yields the bytes, before the table is read. */
  peek: () => AsyncIterable<Uint8Array>;
  /** Whether `peek` costs little. */
  readonly isLocal: boolean;
}

/** An input whose owner closes it. */
export interface OpenTableInput extends TableInput {
  /** Removes the temporary file. */
  close(): Promise<void>;
}

/** Returns whether a source of bytes is an input that also gives a file. */
export const isTableInput = (source: AsyncIterable<Uint8Array> | TableInput): source is TableInput =>
  'file' in source;

/** Makes the input of a file or a FIFO. @param parent The folder of the copy of a FIFO. */
export function fileInput(path: string, signal?: AbortSignal, parent?: string): OpenTableInput {
  const spooled = streamInput(path, () => readFileBytes(path, signal), signal, parent);
  return {
    ...spooled,
    async file(begun) {
      const isFile = await stat(path).then(
        (stats) => stats.isFile(),
        (error: unknown) => {
          throw ioError('read', path, error);
        },
      );
      return isFile ? path : spooled.file(begun);
    },
  };
}

/**
 * Makes the input of a stream.
 *
 * @param read Called once.
 * @param parent The folder of the copy. @default the folder of the system for temporary files
 */
export function streamInput(
  name: string,
  read: () => AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
  parent?: string,
): OpenTableInput {
  let folder: string | undefined, copied: string | undefined;
  return {
    name,
    bytes: read,
    async file(begun) {
      if (copied !== undefined) return copied; // a table may be read twice
      folder ??= await makeScratchFolder(parent);
      const path = join(folder, 'table');
      await pipeline(begun ?? read(), createWriteStream(path), { signal }).catch((error: unknown) => {
        // Errors of the system are of the copy: the source gives its own a name.
        throw (error as NodeJS.ErrnoException).errno === undefined ? error : ioError('written', path, error);
      });
      return (copied = path);
    },
    async close() {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
