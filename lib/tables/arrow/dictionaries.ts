/** The dictionaries of an Arrow table: the values that columns of indices point to. */
import { TableError } from '../../base/errors.ts';
import { type ColumnValues, isPresent, type NumberArray, packBits } from '../columnar/column.ts';
import { decodeArrowColumn } from './arrow-columns.ts';
import { dictionaryFields } from './arrow-schema.ts';
import type { ArrowField } from './arrow-types.ts';
import { brokenArrow, type FlatTable } from './flat-table.ts';
import { Expansion, RecordBatch } from './record-batch.ts';

interface Dictionary {
  values: ColumnValues;
  length: number;
}

/**
 * The current dictionaries of the columns that are read. Those of a stream may change between its batches.
 */
export class Dictionaries {
  /** The fields of the values, by the ID of their dictionary. */
  readonly #fields = new Map<bigint, ArrowField>();
  readonly #current = new Map<bigint, Dictionary>();
  readonly #expansion: Expansion;

  /**
   * @param fields The columns that are read.
   * @param maxExpanded Most bytes of all of them when they are decompressed.
   */
  constructor(fields: readonly ArrowField[], maxExpanded?: number) {
    this.#expansion = new Expansion(maxExpanded);
    for (const field of dictionaryFields(fields))
      this.#fields.set(field.dictionary!.id, { ...field, dictionary: undefined });
  }

  /** Reads a dictionary batch, if a column that is read needs it. */
  async read(header: FlatTable, body: Uint8Array, isVersion4: boolean): Promise<void> {
    const id = header.long(0),
      field = this.#fields.get(id),
      data = header.table(1);
    if (!field) return;
    if (!data) throw brokenArrow('a dictionary has no values');
    const batch = new RecordBatch(data, body, [field], isVersion4, this.#expansion);
    const values = await decodeArrowColumn(batch, batch.columns[0], (other) => this.get(other));
    const added = { values, length: batch.rows },
      before = header.byte(2) === 0 ? undefined : this.#current.get(id);
    this.#current.set(id, before ? joinDictionaries(before, added) : added);
  }

  /** Returns a dictionary. @throws TableError BAD_FORMAT if it has not been read yet. */
  get(id: bigint): Dictionary {
    const dictionary = this.#current.get(id);
    if (!dictionary) throw brokenArrow('a record batch comes before its dictionary');
    return dictionary;
  }
}

/** Adds values to a dictionary, in new memory: earlier parts keep theirs. */
function joinDictionaries(first: Dictionary, second: Dictionary): Dictionary {
  const length = first.length + second.length,
    [a, b] = [first.values, second.values];
  const at = (i: number): [ColumnValues, number] => (i < first.length ? [a, i] : [b, i - first.length]);
  const valid = Uint8Array.from({ length }, (_, i) => {
    const [{ validity }, k] = at(i);
    return !validity || isPresent(validity, k) ? 1 : 0;
  });
  const validity = a.validity || b.validity ? { bits: packBits(valid), offset: 0 } : undefined;
  if (a.kind === 'text' && b.kind === 'text')
    return {
      length,
      values: {
        kind: 'text',
        length,
        validity,
        textAt: (i) => (i < first.length ? a.textAt(i) : b.textAt(i - first.length)),
      },
    };
  if (a.kind === 'number' && b.kind === 'number') {
    const values = new (a.values.constructor as new (length: number) => NumberArray)(length);
    values.set(a.values as never);
    values.set(b.values as never, first.length);
    return { length, values: { kind: 'number', values, validity } };
  }
  throw new TableError(
    'BAD_FORMAT',
    `the Arrow data adds to a dictionary of ${a.kind} values, which is not read`,
  );
}
