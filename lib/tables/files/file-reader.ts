/** Reads parts of a file at given offsets. */
import { type FileHandle, open } from 'node:fs/promises';
import { TableError } from '../../base/errors.ts';
import { ioError } from './byte-streams.ts';

/** The most bytes of one read of the system. */
const READ_BYTES = 2 ** 30;

/** A file that is open for reading. Its size is that of the time when it was opened. */
export class FileReader {
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  /** @throws TableError UNREADABLE. */
  static async open(path: string): Promise<FileReader> {
    try {
      const handle = await open(path);
      try {
        return new FileReader(path, (await handle.stat()).size, handle);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw ioError('read', path, error);
    }
  }

  /**
   * Reads bytes into fresh memory.
   *
   * @throws TableError BAD_FORMAT if the file ends before; UNREADABLE.
   */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset + length > this.size) throw this.#cut();
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, offset);
    return bytes;
  }

  /** Fills `bytes`. @throws TableError as `read` does. */
  async readInto(bytes: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const wanted = Math.min(READ_BYTES, bytes.length - done);
      let bytesRead: number;
      try {
        ({ bytesRead } = await this.#handle.read(bytes, done, wanted, offset + done));
      } catch (error) {
        throw ioError('read', this.path, error);
      }
      if (bytesRead === 0) throw this.#cut();
      done += bytesRead;
    }
  }

  /** Yields the bytes of a range in order. @param pieceBytes The size of all pieces but the last. */
  async *pieces(
    offset: number,
    length: number,
    pieceBytes = 2 ** 20,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let done = 0; done < length; done += pieceBytes)
      yield this.read(offset + done, Math.min(pieceBytes, length - done));
  }

  /** Closes the file. May be called twice. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  #cut(): TableError {
    return new TableError('BAD_FORMAT', `${this.path} is cut: it ends inside its data`);
  }
}
