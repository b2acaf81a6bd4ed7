/** The input of a job, which can be read a second time: a file again, a stream from what was kept of it. */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { TableError } from '../base/errors.ts';
import { InputSpool } from '../spill/input-spool.ts';
import type { OpenTableInput, TableInput } from '../tables/files/table-input.ts';

/** An input file or stream. */
export class JobInput {
  readonly #input: OpenTableInput;
  readonly #path: string | undefined;
  readonly #spool: InputSpool | undefined;
  /** A regular file, as it was when it was opened. */
  #opened: BigIntStats | undefined;
  #isKept = false;
  #bytesRead = 0;

  /**
   * @param path The path of a file; undefined for a stream.
   * @param spoolFolder Where a stream is kept to be read again. @default It is not kept.
   * @param spoolMemory The most bytes of a stream that are kept in memory.
   */
  constructor(input: OpenTableInput, path: string | undefined, spoolFolder?: string, spoolMemory?: number) {
    this.#input = input;
    this.#path = path;
    this.#spool = spoolFolder === undefined ? undefined : new InputSpool(spoolFolder, spoolMemory);
  }

  /** Returns the input, to be read once. */
  source(): TableInput {
    return {
      name: this.#input.name,
      bytes: () => this.#bytes(),
      file: async (begun) => {
        this.#opened = await this.#stat();
        return this.#input.file(begun);
      },
    };
  }

  async *#bytes(): AsyncGenerator<Uint8Array> {
    this.#opened = await this.#stat();
    let bytes = this.#input.bytes();
    if (!this.#opened && this.#spool) {
      this.#isKept = true;
      bytes = this.#spool.keep(bytes);
    }
    for await (const part of bytes) {
      this.#bytesRead += part.length;
      yield part;
    }
  }

  /** Returns which part of a file has been read in order, from 0 to 1; undefined if that is unknown. */
  fractionRead(): number | undefined {
    return this.#opened && this.#bytesRead > 0 ? this.#bytesRead / Number(this.#opened.size) : undefined;
  }

  /**
   * Tells that the input will be read again. @throws TableError UNREADABLE if a stream could not be kept for
   * that.
   */
  requireAgain(): void {
    this.#spool?.require();
  }

  /**
   * Returns the same input, to be read again. Reading it throws TableError UNREADABLE if the file has
   * changed.
   */
  again(): TableInput {
    return {
      name: this.#input.name,
      bytes: () => this.#bytesAgain(),
      file: async (begun) => {
        await this.#requireSame();
        return this.#input.file(begun);
      },
    };
  }

  async *#bytesAgain(): AsyncGenerator<Uint8Array> {
    if (this.#isKept) yield* this.#spool!.again();
    else {
      await this.#requireSame();
      yield* this.#input.bytes();
      await this.#requireSame();
    }
  }

  async #requireSame(): Promise<void> {
    const now = await this.#stat(),
      before = this.#opened;
    const isSame =
      now?.size === before?.size &&
      now?.mtimeNs === before?.mtimeNs &&
      now?.ctimeNs === before?.ctimeNs &&
      now?.ino === before?.ino;
    if (!isSame)
      throw new TableError(
        'UNREADABLE',
        `${this.#input.name} has changed while it was read: run the command again`,
      );
  }

  /** Returns what the system knows of a regular file; undefined for anything else. */
  async #stat(): Promise<BigIntStats | undefined> {
    if (this.#path === undefined) return undefined;
    const found = await stat(this.#path, { bigint: true }).catch(() => undefined);
    return found?.isFile() ? found : undefined;
  }

  /** Deletes what was kept of a stream. */
  async close(): Promise<void> {
    await this.#spool?.close();
    await this.#input.close();
  }
}
