/**
 * Writes a `.npz` archive with arrays of answers. All files of the input are copied as they are stored. The
 * answers wait in temporary files, because an archive holds one array after the other.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import { TableError } from '../../base/errors.ts';
import type { AnswerField, AnswerValues, ColumnarWriter, TablePart } from '../columnar/column.ts';
import { type ByteSink, ioError } from '../files/byte-streams.ts';
import { makeScratchFolder } from '../files/scratch-folder.ts';
import { type AnswerItems, answerItems, putAnswers } from './answer-items.ts';
import { charactersOf } from './array-columns.ts';
import { npyHeader } from './npy-header.ts';
import type { NpzReader } from './npz-reader.ts';
import { packedContent } from './zip-content.ts';
import { DEFLATED, STORED, type ZipEntry } from './zip-directory.ts';
import { ZipWriter } from './zip-writer.ts';

const SUFFIX = '.npy';
/** 1 January 1980, which is what NumPy writes. */
const NO_TIME = 0x210000;
const PIECE_BYTES = 2 ** 20;

/** The answers of one column, in a temporary file. */
interface Spool {
  items: AnswerItems;
  path: string;
  handle: FileHandle;
}

/** Writes a `.npz` archive. */
export class NpzWriter implements ColumnarWriter {
  readonly #reader: NpzReader;
  readonly #out: ByteSink;
  #folder: string | undefined;
  #spools: Spool[] = [];
  #replaced: ReadonlySet<ZipEntry> = new Set();
  #rows = 0;

  /** @param reader The reader of the input. It must be open. */
  constructor(reader: NpzReader, out: ByteSink) {
    this.#reader = reader;
    this.#out = out;
  }

  async begin(fields: readonly AnswerField[]): Promise<void> {
    const { columns } = this.#reader;
    const replaced = fields.flatMap(({ replaces }) => (replaces === undefined ? [] : [columns[replaces]]));
    const part = replaced.find(({ isWhole }) => !isWhole);
    if (part)
      throw new TableError(
        'BAD_FORMAT',
        `column ${part.field.name} is a part of an array in the archive and cannot be replaced: rename it, or use a .npy file`,
      );
    this.#replaced = new Set(replaced.map(({ entry }) => entry));
    this.#folder = await makeScratchFolder();
    for (const [k, field] of fields.entries()) {
      const old = field.replaces === undefined ? undefined : columns[field.replaces].column,
        path = join(this.#folder, String(k));
      this.#spools.push({
        items: answerItems(field, old ? charactersOf(old) : 0),
        path,
        handle: await open(path, 'w'),
      });
    }
  }

  async write({ rows }: TablePart, answers: readonly AnswerValues[]): Promise<void> {
    this.#rows += rows;
    for (const [k, { items, handle, path }] of this.#spools.entries()) {
      const bytes = new Uint8Array(rows * items.bytes);
      putAnswers(items, answers[k], bytes, 0, items.bytes);
      await handle.writeFile(bytes).catch((error: unknown) => {
        throw ioError('written', path, error);
      });
    }
  }

  async finish(): Promise<void> {
    const { entries, archive } = this.#reader,
      zip = new ZipWriter(this.#out);
    const arrays = entries.filter(({ name }) => name.endsWith(SUFFIX)),
      isDeflated = arrays.some(({ method }) => method === DEFLATED);
    for (const entry of entries)
      if (!this.#replaced.has(entry)) await zip.add(entry, packedContent(archive, entry));
    for (const spool of this.#spools) {
      await spool.handle.close();
      await this.#addArray(zip, spool, isDeflated);
    }
    await zip.finish();
    await this.close();
  }

  async #addArray(zip: ZipWriter, { items, path }: Spool, isDeflated: boolean): Promise<void> {
    const { name } = items.field,
      nameBytes = Buffer.from(name + SUFFIX),
      header = npyHeader(items.spelling, [this.#rows]);
    const entry: ZipEntry = {
      name: name + SUFFIX,
      nameBytes,
      isUtf8: nameBytes.length > name.length + SUFFIX.length,
      method: isDeflated ? DEFLATED : STORED,
      crc: 0,
      packedBytes: 0,
      bytes: header.length + this.#rows * items.bytes,
      time: NO_TIME,
      headerOffset: 0,
    };
    const content = async function* (): AsyncGenerator<Uint8Array> {
      yield header;
      yield* createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>;
    };
    for await (const piece of content()) entry.crc = crc32(piece, entry.crc);
    if (!isDeflated) {
      entry.packedBytes = entry.bytes;
      await zip.add(entry, content());
      return;
    }
    // The sizes come before the content, so that it is compressed into another file first.
    const packedPath = `${path}.deflate`,
      packed = await open(packedPath, 'w');
    try {
      const deflater = createDeflateRaw();
      pipeline(Readable.from(content()), deflater, () => undefined);
      for await (const piece of deflater as AsyncIterable<Uint8Array>) {
        entry.packedBytes += piece.length;
        await packed.writeFile(piece);
      }
    } finally {
      await packed.close();
    }
    await zip.add(
      entry,
      createReadStream(packedPath, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>,
    );
  }

  /** Removes the temporary files. May be called twice. */
  async close(): Promise<void> {
    for (const { handle } of this.#spools) await handle.close().catch(() => undefined);
    this.#spools = [];
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}
