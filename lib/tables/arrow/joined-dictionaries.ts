/**
 * Joins the dictionaries that an input has for a column one after the other, as a file needs them: one
 * dictionary per column, with one index per value.
 */
import { TableError } from '../../base/errors.ts';
import { type ColumnValues, isPresent, type NumberArray } from '../columnar/column.ts';
import { valueText } from '../columnar/column-numbers.ts';
import { decodeArrowColumn } from './arrow-columns.ts';
import type { ArrowMessage } from './arrow-messages.ts';
import { dictionaryFields } from './arrow-schema.ts';
import type { ArrowField, ArrowType } from './arrow-types.ts';
import { type BuiltColumn, buildDictionary, viewBytes } from './built-table.ts';
import { Dictionaries } from './dictionaries.ts';
import type { ColumnNode, RecordBatch } from './record-batch.ts';

/** The number of version 4 of the metadata. */
const VERSION_4 = 3;

/** The values of one column so far. */
interface Joined {
  field: ArrowField;
  /** The index of each value by its text. */
  indices: Map<string, number>;
  values: string[];
}

/** The dictionaries of some columns. */
export class JoinedDictionaries {
  readonly #current: Dictionaries;
  readonly #joined = new Map<bigint, Joined>();

  /**
   * @param fields The columns that are written.
   * @throws TableError BAD_FORMAT for dictionaries that are not joined.
   */
  constructor(fields: readonly ArrowField[]) {
    this.#current = new Dictionaries(fields);
    for (const field of dictionaryFields(fields)) {
      const isTop = fields.includes(field); // a list of categories has indices of its own
      if (!isTop || !isJoined(field))
        throw new TableError(
          'BAD_FORMAT',
          `column ${field.name} has a dictionary of ${field.type.name}${isTop ? '' : ' inside of another type'}, which cannot be joined: write a .arrows file`,
        );
      this.#joined.set(field.dictionary!.id, { field, indices: new Map(), values: [] });
    }
  }

  /** Reads a dictionary of the input. */
  read({ header, body, version }: ArrowMessage): Promise<void> {
    return this.#current.read(header, body, version === VERSION_4);
  }

  /** Returns the indices of a column in its joined dictionary; undefined for a column without one. */
  async indicesOf(batch: RecordBatch, node: ColumnNode): Promise<Uint8Array | undefined> {
    const joined = node.field.dictionary && this.#joined.get(node.field.dictionary.id);
    if (!joined) return undefined;
    const column = await decodeArrowColumn(batch, node, (id) => this.#current.get(id));
    if (column.kind !== 'dictionary') return undefined;
    const { values, indices, validity } = column,
      known: number[] = [],
      next = newIndices(joined.field, node.length);
    for (let i = 0; i < node.length; i++) {
      if (validity && !isPresent(validity, i)) continue;
      const index = (known[indices[i]] ??= indexIn(joined, values, indices[i]));
      next[i] = typeof next[i] === 'bigint' ? BigInt(index) : index;
    }
    return viewBytes(next);
  }

  /** Yields the joined dictionaries. */
  *messages(): Generator<ArrowMessage> {
    for (const [id, { field, values }] of this.#joined)
      yield buildDictionary(id, WRITERS[field.type.name]!(values, field.type));
  }
}

/** A null among the values of a dictionary has no text. */
const NULL = '\0null';

function indexIn({ field, indices, values }: Joined, from: ColumnValues, at: number): number {
  const isNull = from.validity !== undefined && !isPresent(from.validity, at),
    text = isNull ? NULL : valueText(from, at);
  let index = indices.get(text);
  if (index === undefined) {
    indices.set(text, (index = values.push(text) - 1));
    const { bits, isSigned } = field.dictionary!.index;
    if (index >= 2 ** (isSigned ? bits - 1 : bits))
      throw new TableError(
        'BAD_FORMAT',
        `column ${field.name} has more categories in all than its indices can count: write a .arrows file`,
      );
  }
  return index;
}

function newIndices({ dictionary }: ArrowField, length: number): NumberArray {
  const { bits, isSigned } = dictionary!.index;
  if (bits === 64) return isSigned ? new BigInt64Array(length) : new BigUint64Array(length);
  if (bits === 32) return isSigned ? new Int32Array(length) : new Uint32Array(length);
  return bits === 16 ? new Uint16Array(length) : new Uint8Array(length);
}

const validOf = (values: readonly string[]): Uint8Array | undefined =>
  values.includes(NULL) ? Uint8Array.from(values, (value) => (value === NULL ? 0 : 1)) : undefined;

function textsOf(values: readonly string[], isLarge: boolean): BuiltColumn {
  const texts = values.map((value) => Buffer.from(value === NULL ? '' : value));
  let end = 0;
  const ends = [0, ...texts.map((text) => (end += text.length))];
  const offsets = isLarge ? BigInt64Array.from(ends, BigInt) : Int32Array.from(ends);
  return {
    length: values.length,
    valid: validOf(values),
    buffers: [viewBytes(offsets), Buffer.concat(texts)],
  };
}

/** Source: "Arrow Columnar Format", section "Variable-size Binary View Layout". */
function viewsOf(values: readonly string[]): BuiltColumn {
  const { buffers, valid } = textsOf(values, false),
    [offsets, data] = buffers,
    views = Buffer.alloc(16 * values.length),
    ends = new Int32Array(offsets.buffer, offsets.byteOffset, values.length + 1);
  values.forEach((_, i) => {
    const bytes = ends[i + 1] - ends[i],
      text = data.subarray(ends[i], ends[i + 1]);
    views.writeInt32LE(bytes, 16 * i);
    views.set(text.subarray(0, bytes > 12 ? 4 : 12), 16 * i + 4);
    if (bytes > 12) views.writeInt32LE(ends[i], 16 * i + 12);
  });
  return { length: values.length, valid, buffers: [views, data], variadic: 1 };
}

function numbersOf(values: readonly string[], type: ArrowType): BuiltColumn {
  const present = values.map((value) => (value === NULL ? '0' : value));
  const numbers =
    type.name === 'float'
      ? (type.bits === 64 ? Float64Array : Float32Array).from(present.map(Number))
      : type.bits === 64
        ? BigInt64Array.from(present, (value) => BigInt.asIntN(64, BigInt(value)))
        : (type.bits === 32 ? Int32Array : type.bits === 16 ? Int16Array : Int8Array).from(
            present.map(Number),
          );
  return { length: values.length, valid: validOf(values), buffers: [viewBytes(numbers)] };
}

/** Writes the values of a dictionary, by the name of their type. */
const WRITERS: Readonly<
  Record<string, ((values: readonly string[], type: ArrowType) => BuiltColumn) | undefined>
> = {
  string: (values) => textsOf(values, false),
  large_string: (values) => textsOf(values, true),
  string_view: viewsOf,
  int: numbersOf,
  float: numbersOf,
};

const isJoined = ({ type: { name, bits } }: ArrowField): boolean =>
  name in WRITERS && !(name === 'int' && bits > 64) && !(name === 'float' && bits === 16);
