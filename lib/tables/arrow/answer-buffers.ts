/**
 * Columns of answers as Arrow buffers.
 * Source: "Arrow Columnar Format", section "Physical Memory Layout".
 */
import { type AnswerType, type AnswerValues, packBits } from '../columnar/column.ts';

/** A column of answers as it is written. */
export interface AnswerBuffers {
  nullCount: number;
  buffers: Uint8Array[];
}

/**
 * How the types of answers are written: the number of the type in the union `Type`, its bits and its sign.
 */
export const ANSWER_TYPES: Readonly<
  Record<AnswerType, { number: number; bits?: number; isSigned?: boolean; precision?: number }>
> = {
  uint64: { number: 2, bits: 64 },
  int64: { number: 2, bits: 64, isSigned: true },
  uint32: { number: 2, bits: 32 },
  int32: { number: 2, bits: 32, isSigned: true },
  uint16: { number: 2, bits: 16 },
  int16: { number: 2, bits: 16, isSigned: true },
  uint8: { number: 2, bits: 8 },
  int8: { number: 2, bits: 8, isSigned: true },
  float32: { number: 3, precision: 1 },
  float64: { number: 3, precision: 2 },
  boolean: { number: 6 },
  string: { number: 5 },
};

/** Returns the buffers of a column of answers. They may be views of the answers. */
export function answerBuffers(type: AnswerType, answers: AnswerValues, rows: number): AnswerBuffers {
  const { values, valid } = answers;
  let nullCount = 0;
  if (valid) for (let row = 0; row < rows; row++) nullCount += 1 - valid[row];
  const validity = nullCount > 0 ? packBits(valid!) : new Uint8Array(0);
  if (type === 'string') return { nullCount, buffers: [validity, ...textBuffers(answers, rows)] };
  const bytes =
    type === 'boolean'
      ? packBits(values as Uint8Array)
      : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { nullCount, buffers: [validity, bytes] };
}

function textBuffers(
  { values, spellings = [], valid }: AnswerValues,
  rows: number,
): [Uint8Array, Uint8Array] {
  const utf8: Uint8Array[] = [],
    offsets = new Int32Array(rows + 1);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    if (valid?.[row] !== 0) {
      const index = Number(values[row]);
      total += (utf8[index] ??= Buffer.from(spellings[index] ?? '')).length;
    }
    offsets[row + 1] = total;
  }
  const data = new Uint8Array(total);
  for (let row = 0; row < rows; row++) {
    if (offsets[row + 1] === offsets[row]) continue;
    data.set(utf8[Number(values[row])], offsets[row]);
  }
  return [new Uint8Array(offsets.buffer), data];
}
