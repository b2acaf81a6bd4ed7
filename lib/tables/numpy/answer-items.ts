/**
 * Answers as NumPy items. NumPy has no null: a missing ID or number is 0, a missing float is NaN, a missing
 * text is empty. The status tells why.
 */
import { TableError } from '../../base/errors.ts';
import { statusText } from '../../points/status.ts';
import type { AnswerField, AnswerType, AnswerValues } from '../columnar/column.ts';

/** The longest uint64 has 20 digits. */
const LEAST_CHARACTERS = 20;
const LONGEST_STATUS = Math.max(...Array.from({ length: 256 }, (_, code) => statusText(code)?.length ?? 0));
const BYTES_PER_CHARACTER = 4;

const SPELLINGS: Readonly<Record<Exclude<AnswerType, 'string'>, string>> = {
  uint64: '<u8',
  int64: '<i8',
  uint32: '<u4',
  int32: '<i4',
  uint16: '<u2',
  int16: '<i2',
  uint8: '|u1',
  int8: '|i1',
  float32: '<f4',
  float64: '<f8',
  boolean: '|b1',
};

/** How a column of answers is written. */
export interface AnswerItems {
  field: AnswerField;
  /** The type as NumPy spells it. */
  spelling: string;
  /** The bytes of an item. */
  bytes: number;
}

/**
 * Chooses how a column of answers is written. @param oldCharacters The characters of the column that it
 * replaces.
 */
export function answerItems(field: AnswerField, oldCharacters = 0): AnswerItems {
  if (field.type !== 'string') {
    const spelling = SPELLINGS[field.type];
    return { field, spelling, bytes: Number(spelling.slice(2)) };
  }
  const characters = Math.max(LEAST_CHARACTERS, LONGEST_STATUS, oldCharacters);
  return { field, spelling: `<U${characters}`, bytes: characters * BYTES_PER_CHARACTER };
}

/**
 * Writes the items of a column: item i at `offset + i * stride`. `out` holds zeros there. @throws TableError
 * BAD_FORMAT.
 */
export function putAnswers(
  { field, bytes }: AnswerItems,
  { values, valid, spellings = [] }: AnswerValues,
  out: Uint8Array,
  offset: number,
  stride: number,
): void {
  const rows = values.length;
  if (field.type === 'string') {
    const known: Uint8Array[] = [];
    for (let i = 0, at = offset; i < rows; i++, at += stride) {
      if (valid?.[i] === 0) continue;
      const index = Number(values[i]);
      out.set((known[index] ??= encodeText(spellings[index], bytes, field.name)), at);
    }
    return;
  }
  const missing = field.type === 'float32' || field.type === 'float64' ? nanBytes(bytes) : undefined,
    items = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let i = 0, at = offset, from = 0; i < rows; i++, at += stride, from += bytes) {
    if (valid?.[i] !== 0) for (let k = 0; k < bytes; k++) out[at + k] = items[from + k];
    else if (missing) out.set(missing, at);
  }
}

const nanBytes = (bytes: number): Uint8Array =>
  new Uint8Array((bytes === 4 ? Float32Array.of(NaN) : Float64Array.of(NaN)).buffer);

/** Encodes a text as characters of four bytes. */
function encodeText(text: string, bytes: number, name: string): Uint8Array {
  const points = Uint32Array.from(text, (character) => character.codePointAt(0)!);
  if (points.byteLength > bytes)
    throw new TableError(
      'BAD_FORMAT',
      `column ${name}: ${JSON.stringify(text.slice(0, 60))} is longer than ${bytes / BYTES_PER_CHARACTER} characters`,
    );
  return new Uint8Array(points.buffer);
}
