/**
 * Writes an Arrow table with columns of answers. The columns of the input are copied as they are stored, so
 * that every type, dictionary and compression stays.
 * Source: "Arrow Columnar Format", section "Serialization and Interprocess Communication (IPC)".
 */
import type { AnswerField, AnswerValues, ColumnarWriter, NumberArray } from '../columnar/column.ts';
import type { ByteSink } from '../files/byte-streams.ts';
import { answerBuffers } from './answer-buffers.ts';
import { type ArrowMessage } from './arrow-messages.ts';
import {
  type Block,
  fileFooter,
  type OutputColumn,
  type OutputSchema,
  recordBatchMessage,
  schemaMessage,
} from './arrow-metadata.ts';
import type { ArrowPart, ArrowReader } from './arrow-reader.ts';
import { dictionaryFields } from './arrow-schema.ts';
import { JoinedDictionaries } from './joined-dictionaries.ts';
import { plainDictionary, plainSchema } from './plain-dictionary.ts';
import { compressBuffer } from './compress-buffer.ts';
import { withPandasColumns } from '../columnar/pandas-notes.ts';

const MAGIC = Buffer.from('ARROW1');
const ALIGNMENT = 64;
const PADDING = new Uint8Array(ALIGNMENT);
const PREFIX_BYTES = 8;

/** What an Arrow table is written from: its reader, or what stands for one. */
export interface ArrowOrigin extends Pick<ArrowReader, 'schema' | 'input' | 'pending'> {
  /** Columns of the input whose types pandas would not find by itself. */
  noted?: readonly AnswerField[];
}

/** Options of `ArrowWriter`. */
export interface ArrowWriterOptions {
  /** Whether a file is written; otherwise it is a stream. @default whichever the input is */
  isFile?: boolean;
  /**
   * Whether each dictionary is written once, at the end of the file, with the values of all dictionaries that
   * the input has for it. Otherwise the dictionaries are copied as they come. @default false
   */
  joinsDictionaries?: boolean;
  /** Whether compressed buffers are decompressed, and dictionaries of texts have no views. @default false */
  isPlain?: boolean;
}

/** Writes an Arrow file or stream. */
export class ArrowWriter implements ColumnarWriter<ArrowPart> {
  readonly #reader: ArrowOrigin;
  readonly #out: ByteSink;
  readonly #isFile: boolean;
  readonly #joins: boolean;
  readonly #isPlain: boolean;
  #joined: JoinedDictionaries | undefined;
  #schema: OutputSchema | undefined;
  #answers: readonly AnswerField[] = [];
  /** The dictionaries of the columns that are kept. */
  #dictionaryIds: ReadonlySet<bigint> = new Set();
  #position = 0;
  readonly #dictionaries: Block[] = [];
  readonly #batches: Block[] = [];
  /** The answers for the first rows of a record batch that came in parts. */
  #gathered: AnswerValues[] = [];

  /** @param reader The reader of the input. It must be open. */
  constructor(reader: ArrowOrigin, out: ByteSink, options: ArrowWriterOptions = {}) {
    const { isFile = reader.input.isFile, joinsDictionaries = false, isPlain = false } = options;
    this.#reader = reader;
    this.#out = out;
    this.#isFile = isFile;
    this.#joins = joinsDictionaries;
    this.#isPlain = isPlain;
  }

  async begin(answers: readonly AnswerField[]): Promise<void> {
    const {
      schema,
      input: { version, footer, addedMetadata = new Map<string, string>() },
    } = this.#reader;
    const input = this.#isPlain ? plainSchema(schema) : schema;
    const columns: OutputColumn[] = input.fields.map((_, kept) => {
      const answer = answers.find(({ replaces }) => replaces === kept);
      return answer ? { answer } : { kept };
    });
    for (const answer of answers) if (answer.replaces === undefined) columns.push({ answer });
    this.#answers = answers;
    const kept = columns.flatMap((column) => ('kept' in column ? [input.fields[column.kept]] : []));
    this.#dictionaryIds = new Set(Array.from(dictionaryFields(kept), ({ dictionary }) => dictionary!.id));
    if (this.#joins) this.#joined = new JoinedDictionaries(kept);
    const notes = input.metadata.find(({ key }) => key === 'pandas')?.value ?? addedMetadata.get('pandas');
    const noted = [...(this.#reader.noted ?? []), ...answers];
    const metadata = new Map([...addedMetadata, ['pandas', withPandasColumns(notes, noted)]]);
    this.#schema = { version, input, footer, columns, metadata };
    if (this.#isFile) await this.#put([MAGIC, PADDING.subarray(0, 2)]);
    await this.#putMessage(schemaMessage(this.#schema), []);
  }

  async write(part: ArrowPart, answers: readonly AnswerValues[]): Promise<void> {
    const { batch, from, rows, dictionaries, message } = part;
    if (from === 0)
      for (const dictionary of dictionaries)
        if (this.#joined) await this.#joined.read(dictionary);
        else await this.#putDictionary(dictionary);
    if (rows < batch.rows) {
      this.#gather(answers, from, rows, batch.rows);
      if (from + rows < batch.rows) return;
      answers = this.#gathered;
      this.#gathered = [];
    }
    const { columns } = this.#schema!,
      codec = this.#isPlain ? undefined : batch.codec;
    const nodes: number[] = [],
      spans: number[] = [],
      variadicCounts: number[] = [],
      body: Uint8Array[] = [];
    let bodyBytes = 0;
    const put = (bytes: Uint8Array): void => {
      spans.push(bodyBytes, bytes.length);
      const padding = PADDING.subarray(0, -bytes.length & (ALIGNMENT - 1));
      body.push(bytes, padding);
      bodyBytes += bytes.length + padding.length;
    };
    for (const column of columns)
      if ('kept' in column) {
        const { all } = batch.columns[column.kept];
        nodes.push(...batch.nodes.slice(2 * all.nodes.first, 2 * all.nodes.end));
        variadicCounts.push(...batch.variadicCounts.slice(all.variadicCounts.first, all.variadicCounts.end));
        const indices = await this.#joined?.indicesOf(batch, batch.columns[column.kept]);
        for (let k = all.buffers.first; k < all.buffers.end; k++)
          if (!indices || k < all.buffers.end - 1)
            put(this.#isPlain ? await batch.buffer(k) : batch.stored(k));
          else put(codec === undefined ? indices : await compressBuffer(indices, codec));
      } else {
        const k = this.#answers.indexOf(column.answer);
        const { nullCount, buffers } = answerBuffers(column.answer.type, answers[k], batch.rows);
        nodes.push(batch.rows, nullCount);
        for (const bytes of buffers) put(codec === undefined ? bytes : await compressBuffer(bytes, codec));
      }
    const metadata = recordBatchMessage({
      version: message.version,
      rows: batch.rows,
      nodes,
      buffers: spans,
      variadicCounts,
      codec,
      bodyBytes,
      message: message.message,
    });
    this.#batches.push(await this.#putMessage(metadata, body));
  }

  async finish(): Promise<void> {
    if (!this.#joined) for (const dictionary of this.#reader.pending) await this.#putDictionary(dictionary);
    else
      for (const { message, body } of this.#joined.messages())
        this.#dictionaries.push(await this.#putMessage(message.bytes, [body]));
    await this.#put([Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)]);
    if (!this.#isFile) return;
    const footer = fileFooter(this.#schema!, this.#dictionaries, this.#batches);
    await this.#put([footer, int32(footer.length), MAGIC]);
  }

  /** Copies the answers for some rows into the arrays for all rows of a record batch. */
  #gather(answers: readonly AnswerValues[], from: number, rows: number, allRows: number): void {
    answers.forEach(({ values, valid, spellings }, k) => {
      const whole = (this.#gathered[k] ??= {
        values: new (values.constructor as new (length: number) => NumberArray)(allRows),
        ...(spellings && { spellings: [] }),
      });
      if (spellings) whole.values = gatherTexts(whole, values, spellings, from);
      else whole.values.set(values as never, from);
      if (!valid && !whole.valid) return;
      whole.valid ??= new Uint8Array(allRows).fill(1);
      if (valid) whole.valid.set(valid, from);
      else whole.valid.fill(1, from, from + rows);
    });
  }

  async #putDictionary(dictionary: ArrowMessage): Promise<void> {
    if (!this.#dictionaryIds.has(dictionary.header.long(0))) return;
    const { schema } = this.#reader;
    const { message, body } = this.#isPlain ? await plainDictionary(dictionary, schema.fields) : dictionary;
    this.#dictionaries.push(await this.#putMessage(message.bytes, [body]));
  }

  async #putMessage(metadata: Uint8Array, body: readonly Uint8Array[]): Promise<Block> {
    const padding = PADDING.subarray(0, -metadata.length & 7),
      bytes = metadata.length + padding.length,
      offset = this.#position;
    await this.#put([Uint8Array.of(255, 255, 255, 255), int32(bytes), metadata, padding]);
    const start = this.#position;
    await this.#put(body);
    return { offset, metadataBytes: PREFIX_BYTES + bytes, bodyBytes: this.#position - start };
  }

  /** Writes pieces. Small ones are joined, because each write takes a call of the system. */
  async #put(pieces: readonly Uint8Array[]): Promise<void> {
    let small: Uint8Array[] = [];
    const flush = async (): Promise<void> => {
      if (small.length > 0) await this.#out.write(Buffer.concat(small));
      small = [];
    };
    for (const piece of pieces) {
      this.#position += piece.length;
      if (piece.length > LARGE_BYTES) {
        await flush();
        await this.#out.write(piece);
      } else if (piece.length > 0) small.push(piece);
    }
    await flush();
  }
}

const LARGE_BYTES = 2 ** 16;

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

/** Adds texts to those of the earlier parts. @returns The indices of all parts. */
function gatherTexts(
  whole: AnswerValues,
  indices: NumberArray,
  spellings: readonly string[],
  from: number,
): NumberArray {
  const known = whole.spellings as string[],
    first = known.length,
    values =
      whole.values instanceof Uint32Array ? whole.values : Uint32Array.from(whole.values as Uint8Array);
  for (const text of spellings) known.push(text);
  for (let i = 0; i < indices.length; i++) values[from + i] = first + Number(indices[i]);
  return values;
}
