/** Writes rows of Arrow columns and their answers as a Parquet file. */
import type * as ParquetWasm from 'parquet-wasm';
import { TableError } from '../../base/errors.ts';
import type { ArrowMessage } from '../arrow/arrow-messages.ts';
import type { ArrowPart } from '../arrow/arrow-reader.ts';
import { type ArrowField, spellArrowType } from '../arrow/arrow-types.ts';
import { type ArrowOrigin, ArrowWriter } from '../arrow/arrow-writer.ts';
import type { AnswerField, AnswerValues, ColumnarWriter } from '../columnar/column.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import { firstLine, loadParquetPackage, type ParquetPackage } from '../parquet/parquet-wasm.ts';

/** A row group is in memory until it is complete. */
const GROUP_ROWS = 2 ** 20,
  GROUP_BYTES = 2 ** 26;

/** Writes a Parquet file, compressed with Snappy. */
export class ParquetOutput implements ColumnarWriter<ArrowPart> {
  readonly #out: ByteSink;
  /** Writes the messages of Arrow, which the package reads. */
  readonly #arrow: ArrowWriter;
  readonly #fields: readonly ArrowField[];
  #written: Uint8Array[] = [];
  #schema = new Uint8Array(0);
  /** The current dictionary batches by the ID of their dictionary. */
  readonly #dictionaries = new Map<bigint, ArrowMessage[]>();
  #package!: ParquetPackage;
  #batches: WritableStreamDefaultWriter<ParquetWasm.RecordBatch> | undefined;
  /** Copies the file to the output. It has no rejection of its own: `#error` is thrown by the next step. */
  #copying: Promise<void> = Promise.resolve();
  #error: unknown;
  #hasFailed = false;

  constructor(origin: ArrowOrigin, out: ByteSink) {
    this.#out = out;
    this.#fields = origin.schema.fields;
    this.#arrow = new ArrowWriter(
      origin,
      {
        write: (bytes) => {
          this.#written.push(bytes);
          return Promise.resolve();
        },
        finish: () => Promise.resolve(),
        abandon: () => Promise.resolve(undefined),
      },
      { isFile: false, isPlain: true },
    );
  }

  async begin(answers: readonly AnswerField[]): Promise<void> {
    for (const field of this.#fields) requireParquetType(field, field.name);
    this.#package = await loadParquetPackage();
    await this.#arrow.begin(answers);
    this.#schema = this.#take();
  }

  async write(part: ArrowPart, answers: readonly AnswerValues[]): Promise<void> {
    for (const message of part.from === 0 ? part.dictionaries : []) {
      const id = message.header.long(0),
        isDelta = message.header.byte(2) !== 0;
      this.#dictionaries.set(id, [...(isDelta ? (this.#dictionaries.get(id) ?? []) : []), message]);
    }
    // Each stream of Arrow that the package reads has all dictionaries.
    const dictionaries = [...this.#dictionaries.values()].flat();
    await this.#arrow.write({ ...part, dictionaries }, answers);
    const bytes = this.#take();
    if (bytes.length > 0) await this.#add(bytes);
  }

  async finish(): Promise<void> {
    if (this.#batches) {
      await this.#step(this.#batches.close());
      await this.#copying;
      if (this.#hasFailed) throw this.#error;
      return;
    }
    // No record batch has come.
    const table = this.#try(() => this.#package.Table.fromIPCStream(this.#streamOf(new Uint8Array(0))));
    await this.#out.write(this.#try(() => this.#package.writeParquet(table, this.#properties())));
  }

  async #add(bytes: Uint8Array): Promise<void> {
    const batches = this.#try(() => this.#package.Table.fromIPCStream(this.#streamOf(bytes)).recordBatches());
    for (const batch of batches) {
      const isFirst = this.#batches === undefined;
      if (isFirst) {
        const { readable, writable } = new TransformStream<ParquetWasm.RecordBatch>();
        this.#batches = writable.getWriter();
        this.#copying = this.#copy(readable).catch((error: unknown) => this.#fail(error));
      }
      await this.#step(this.#batches!.write(batch));
    }
  }

  async #copy(batches: ReadableStream<ParquetWasm.RecordBatch>): Promise<void> {
    const file: AsyncIterable<Uint8Array> = await this.#package.transformParquetStream(
      batches,
      this.#properties(),
    );
    for await (const bytes of file) await this.#out.write(bytes);
  }

  #fail(error: unknown): void {
    this.#error = failed(error);
    this.#hasFailed = true;
    void this.#batches?.abort(this.#error).catch(() => undefined);
  }

  async #step(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw this.#hasFailed ? this.#error : failed(error);
    }
    if (this.#hasFailed) throw this.#error;
  }

  #properties(): ParquetWasm.WriterProperties {
    return new this.#package.WriterPropertiesBuilder()
      .setCompression(this.#package.Compression.SNAPPY)
      .setMaxRowGroupSize(GROUP_ROWS)
      .setMaxRowGroupBytes(GROUP_BYTES)
      .setCreatedBy('graphene-points')
      .build();
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw failed(error);
    }
  }

  #streamOf(messages: Uint8Array): Uint8Array {
    return Buffer.concat([this.#schema, messages, Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)]);
  }

  #take(): Uint8Array<ArrayBuffer> {
    return Buffer.concat(this.#written.splice(0));
  }
}

/**
 * Refuses types that Parquet does not have, those that readers take for plain numbers, and those at which the
 * package breaks down: it ends without an error that can be caught.
 */
function requireParquetType(field: ArrowField, column: string): void {
  const advice = adviceFor(field);
  if (advice !== undefined)
    throw new TableError(
      'BAD_FORMAT',
      `column ${column} holds ${spellArrowType(field)}, which Parquet does not have: ${advice}`,
    );
  for (const child of field.children) requireParquetType(child, column);
}

const ADVISED_TYPES = { timestamp: 'timestamp[ms]', time: 'time32[ms]', date: 'date32' };

/** Returns what to do about a type that is not written. */
function adviceFor({
  type: { name, unit, bits, size },
  children,
  dictionary,
}: ArrowField): string | undefined {
  const isNested = children.length > 0 || name === 'struct';
  if (dictionary && (isNested || name === 'duration' || name === 'fixed_size_binary'))
    return 'write its values without a dictionary, or write a .arrow file';
  if (name === 'union' || name === 'interval' || (name === 'fixed_size_binary' && size === 0))
    return 'write a .arrow file';
  if (((name === 'timestamp' || name === 'time') && unit === 0) || (name === 'date' && bits === 64))
    return `use ${ADVISED_TYPES[name]}, or write a .arrow file`;
  return undefined;
}

const failed = (error: unknown): unknown =>
  error instanceof Error &&
  error.name !== 'RuntimeError' &&
  !/parquet|arrow|schema|^invalid argument error/i.test(error.message)
    ? error
    : new TableError('BAD_FORMAT', `the table cannot be written as Parquet: ${firstLine(error)}`);
