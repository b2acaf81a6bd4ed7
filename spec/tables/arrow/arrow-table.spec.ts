import { describe, expect, test } from '@jest/globals';
import type { AnswerField } from '../../../lib/tables/columnar/column.ts';
import { ARROW_FIXTURES, arrowFixture, openArrowBytes, readArrow, writeArrow } from './arrow-files.ts';

const FILES = Object.entries(ARROW_FIXTURES.files);
const { ids } = ARROW_FIXTURES;
const rowsOf = (columns: Record<string, (string | null)[]>): number => Object.values(columns)[0].length;

/** An ID for each row, null in every third; a text; a boolean; a float. */
const ANSWERS: AnswerField[] = [
  { name: 'root_id', type: 'uint64' },
  { name: 'status', type: 'string' },
  { name: 'is_latest', type: 'boolean' },
  { name: 'snapped_nm', type: 'float32' },
];
const STATUSES = ['ok', 'no_root', 'é'];
const rootOf = (row: number): bigint => 2n ** 63n + BigInt(row);
const answersOf = (first: number, rows: number) => {
  const row = (value: (row: number) => number): number[] =>
    Array.from({ length: rows }, (_, k) => value(first + k));
  return [
    {
      values: BigUint64Array.from(
        row((k) => k),
        (k) => rootOf(Number(k)),
      ),
      valid: Uint8Array.from(row((k) => (k % 3 === 0 ? 0 : 1))),
    },
    { values: Uint8Array.from(row((k) => k % 3)), spellings: STATUSES },
    { values: Uint8Array.from(row((k) => k % 2)) },
    { values: Float32Array.from(row((k) => k / 4)), valid: new Uint8Array(rows).fill(1) },
  ];
};
const answered = (rows: number): Record<string, (string | null)[]> => {
  const row = (value: (row: number) => string | null): (string | null)[] =>
    Array.from({ length: rows }, (_, k) => value(k));
  return {
    root_id: row((k) => (k % 3 === 0 ? null : String(rootOf(k)))),
    status: row((k) => STATUSES[k % 3]),
    is_latest: row((k) => String(k % 2 === 1)),
    snapped_nm: row((k) => String(k / 4)),
  };
};

describe('an Arrow table', () => {
  test.each(FILES)('is read as its writer says: %s', async (name, { columns }) => {
    const read = await readArrow(arrowFixture(name), Object.keys(columns));
    expect(read.columns).toEqual(columns);
  });

  test.each(FILES)('is written with its answers, all columns as they were: %s', async (name, { columns }) => {
    const input = arrowFixture(name),
      output = await writeArrow(input, () => ANSWERS, answersOf);
    const read = await readArrow(output),
      before = await readArrow(input);
    expect(read.columns).toEqual({ ...before.columns, ...answered(rowsOf(columns)) });
    expect(read.partRows).toEqual(before.partRows);
    expect(read.fields.map(({ name: column, typeName }) => [column, typeName])).toEqual([
      ...before.fields.map(({ name: column, typeName }) => [column, typeName]),
      ['root_id', 'uint64'],
      ['status', 'string'],
      ['is_latest', 'bool'],
      ['snapped_nm', 'float'],
    ]);
    expect((await openArrowBytes(output)).isFile).toBe((await openArrowBytes(input)).isFile);
    for (const note of ['note', 'kept', 'batch'])
      if (input.includes(note)) expect(output.includes(note)).toBe(true);
  });

  test('is written with answers in the place of old columns, dictionaries included', async () => {
    const input = arrowFixture('pyarrow-lz4.arrow');
    const output = await writeArrow(
      input,
      (found) => [
        { name: 'category', type: 'string', replaces: found.findIndex(({ name }) => name === 'category') },
        { name: 'text_view', type: 'int64', replaces: found.findIndex(({ name }) => name === 'text_view') },
      ],
      (first, rows) => [
        { values: new Uint8Array(rows).fill(1), spellings: ['', 'new'] },
        { values: BigInt64Array.from({ length: rows }, (_, k) => -BigInt(first + k)) },
      ],
    );
    const before = await readArrow(input),
      { columns, fields } = await readArrow(output);
    expect(Object.keys(columns)).toEqual(Object.keys(before.columns));
    expect(columns).toEqual({
      ...before.columns,
      category: ids.map(() => 'new'),
      text_view: ids.map((_, k) => String(-k)),
    });
    expect(fields.find(({ name }) => name === 'category')?.typeName).toBe('string');
  });

  test('tells pandas which columns are nullable integers, and keeps what pandas noted, IDs exactly', async () => {
    const output = await writeArrow(arrowFixture('pandas.feather'), () => ANSWERS, answersOf);
    const { schema } = await openArrowBytes(output);
    const notes = [...schema.tables(2)].find((entry) => entry.text(0) === 'pandas')!.text(1)!;
    expect(notes).toContain(`"attributes":{"root_id":${ids[0]}}`);
    const { columns } = JSON.parse(notes) as { columns: { name: string; numpy_type: string }[] };
    expect(columns.map(({ name, numpy_type: type }) => [name, type])).toEqual([
      ...[
        ['x', 'int64'],
        ['y', 'float64'],
        ['z', 'int32'],
        ['category', 'int8'],
      ],
      ...[
        ['root_id', 'UInt64'],
        ['is_latest', 'boolean'],
      ],
    ]);
  });

  test('tells what its columns can be used as', async () => {
    const { fields } = await readArrow(arrowFixture('pyarrow-lz4.arrow'), []);
    expect(
      Object.fromEntries(fields.map(({ name, typeName, idType }) => [name, [typeName, idType]])),
    ).toMatchObject({
      fixed: ['fixed_size_list<int32>[3]', undefined],
      list: ['list<item: double>', undefined],
      struct: ['struct<x: double, y: double, z: double>', undefined],
      text_view: ['string_view', 'string'],
      id: ['uint64', 'uint64'],
      signed: ['int64', 'int64'],
      category: ['dictionary<values=string, indices=int32>', undefined],
      time: ['timestamp[us]', undefined],
    });
    expect(fields.filter(({ type }) => type.kind === 'other').map(({ name }) => name)).toEqual([
      'map',
      'union',
      'run',
      'bytes',
    ]);
  });
});
