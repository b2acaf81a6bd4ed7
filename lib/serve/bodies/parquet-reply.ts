/** Answers as a Parquet file with the points that were asked, through the optional package `parquet-wasm`. */
import type { FlatPoints } from '../../points/point-input.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import { ArrowReader, type ArrowPart } from '../../tables/arrow/arrow-reader.ts';
import { buildBatch, builtInput, viewBytes } from '../../tables/arrow/built-table.ts';
import type { AnswerField, AnswerValues } from '../../tables/columnar/column.ts';
import { ParquetOutput } from '../../tables/convert/parquet-output.ts';
import { wordsOf } from '../../base/uint64.ts';
import type { ReplyBatch, ReplyColumn, ReplyHead, ReplyValues, ReplyWriter } from './reply-columns.ts';

const AXES = ['x', 'y', 'z'];
const STATUS_TEXTS = Object.values(PointStatus).map(statusText);
const TYPES = { id: 'uint64', status: 'string', number: 'float64', flag: 'boolean' } as const;

/** Writes x, y and z as float64, then the columns of the answers. A row group is in memory until it is complete. */
export class ParquetReply implements ReplyWriter {
  readonly #columns: ReplyHead['columns'];
  readonly #written: Uint8Array[] = [];
  #pending: ReplyBatch | undefined;
  #output: ParquetOutput | undefined;
  #parts: AsyncGenerator<ArrowPart> | undefined;

  constructor({ columns }: ReplyHead) {
    this.#columns = columns;
  }

  async *write(batch: ReplyBatch): AsyncGenerator<Uint8Array> {
    const output = await this.#begin();
    if (batch.rows === 0) return;
    this.#pending = batch;
    const { value: part } = (await this.#parts!.next()) as IteratorYieldResult<ArrowPart>;
    await output.write(
      part,
      batch.columns.map((values, k) => toAnswerValues(this.#columns[k].kind, values)),
    );
    yield* this.#written.splice(0);
  }

  async *finish(): AsyncGenerator<Uint8Array> {
    const output = await this.#begin();
    await output.finish();
    yield* this.#written.splice(0);
  }

  async #begin(): Promise<ParquetOutput> {
    if (this.#output) return this.#output;
    const fields = AXES.map((name) => ({ name, type: 'float64' as const })),
      reader = new ArrowReader(() => Promise.resolve(builtInput(fields, () => this.#messages())));
    await reader.open();
    this.#parts = reader.parts([]);
    const output = new ParquetOutput(reader, {
      write: async (bytes) => void this.#written.push(bytes),
      finish: async () => undefined,
      abandon: async () => undefined,
    });
    await output.begin(this.#columns.map(({ name, kind }): AnswerField => ({ name, type: TYPES[kind] })));
    return (this.#output = output);
  }

  async *#messages() {
    for (;;) {
      const { rows, points } = this.#pending!;
      const axes = AXES.map((_, axis) => axisOf(points!, axis, rows));
      yield buildBatch(
        axes.map((values) => ({ length: rows, buffers: [viewBytes(values)] })),
        rows,
      );
    }
  }
}

function axisOf(points: FlatPoints, axis: number, rows: number): Float64Array {
  const values = new Float64Array(rows);
  for (let row = 0; row < rows; row++) values[row] = Number(points[3 * row + axis]);
  return values;
}

function toAnswerValues(kind: ReplyColumn['kind'], values: ReplyValues): AnswerValues {
  if (kind === 'status') return { values, spellings: [...STATUS_TEXTS] };
  const valid = new Uint8Array(values.length);
  if (kind === 'id') {
    const words = wordsOf(values as BigUint64Array);
    for (let row = 0; row < valid.length; row++) valid[row] = words[2 * row] | words[2 * row + 1] ? 1 : 0;
  } else for (let row = 0; row < valid.length; row++) valid[row] = Number.isNaN(values[row]) ? 0 : 1;
  return { values, valid };
}
