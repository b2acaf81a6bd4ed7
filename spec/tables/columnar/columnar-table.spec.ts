import { describe, expect, test } from '@jest/globals';
import { PointStatus } from '../../../lib/points/status.ts';
import { idAnswerColumn, type RowAnswers } from '../../../lib/tables/answers.ts';
import type { ColumnType, ColumnValues, IdType, TableField } from '../../../lib/tables/columnar/column.ts';
import { ColumnarTable } from '../../../lib/tables/columnar/columnar-table.ts';
import { decimalNumber, decimalText } from '../../../lib/tables/columnar/column-numbers.ts';
import type { ColumnChoice, TableColumns } from '../../../lib/tables/table.ts';
import { type MemoryColumn, memoryFormat, textColumn, validity } from './memory-format.ts';

const { ok, background, invalidPoint, invalidId, notLookedUp, failed, rootFailed, outOfBounds } = PointStatus;
const NO_SINK = { write: async () => {}, finish: async () => {}, abandon: async () => undefined };
const BIG = 2n ** 63n + 1n;

const integer: ColumnType = { kind: 'number', isInteger: true },
  float: ColumnType = { kind: 'number', isInteger: false },
  text: ColumnType = { kind: 'text' },
  LISTS: ColumnType = { kind: 'list', item: { kind: 'list', item: float } };
const field = (name: string, type: ColumnType, idType?: IdType): TableField => ({
  name,
  type,
  typeName: type.kind,
  idType,
});
const numbers = (
  values: Extract<ColumnValues, { kind: 'number' }>['values'],
  present?: string,
): ColumnValues => ({
  kind: 'number',
  values,
  ...(present !== undefined && { validity: validity(present) }),
});
/** 128-bit decimals. */
const decimals = (values: readonly bigint[], scale: number): Extract<ColumnValues, { kind: 'decimal' }> => ({
  kind: 'decimal',
  width: 4,
  scale,
  words: Uint32Array.from(
    values.flatMap((value) =>
      [0, 1, 2, 3].map((k) => Number((BigInt.asUintN(128, value) >> BigInt(32 * k)) & 0xffffffffn)),
    ),
  ),
});

const choose =
  (columns: Partial<TableColumns>): ColumnChoice =>
  () => ({ outputs: [], replace: false, ...columns });

function tableOf(
  columns: readonly MemoryColumn[],
  rows: readonly number[],
  choice: ColumnChoice,
  options = {},
) {
  const memory = memoryFormat(columns, rows);
  return { ...memory, table: new ColumnarTable(async () => memory.format, choice, options) };
}

/** Reads the points of one column, or of three: the coordinates, or the status of a row without a point. */
async function pointsOf(type: ColumnType, values: ColumnValues, rows: number) {
  const { table } = tableOf(
    [{ field: field('p', type), parts: [values] }],
    [rows],
    choose({ points: [['p']], notesNumbers: true }),
  );
  for await (const batch of table.batches())
    return {
      points: Array.from(batch.pointStatus, (status, row) =>
        status === 0 ? [...batch.points.slice(3 * row, 3 * row + 3)] : status,
      ),
      describe: (row: number) => batch.describeInvalid(row),
      kinds: [...batch.numberKinds],
    };
  throw new Error('no batch');
}

async function idsOf(type: ColumnType, values: ColumnValues, rows: number) {
  const { table } = tableOf([{ field: field('id', type), parts: [values] }], [rows], choose({ ids: ['id'] }));
  for await (const batch of table.batches())
    return {
      ids: [...batch.ids],
      status: [...batch.idStatus],
      describe: (row: number) => batch.describeInvalid(row),
    };
  throw new Error('no batch');
}

describe('ColumnarTable: points', () => {
  test('reads three columns of different types, over two parts', async () => {
    const { table, asked } = tableOf(
      [
        { field: field('other', { kind: 'other' }), parts: [] },
        {
          field: field('z', float),
          parts: [numbers(Float64Array.of(3.5, NaN)), numbers(Float64Array.of(Infinity, 7))],
        },
        {
          field: field('y', integer),
          parts: [numbers(BigInt64Array.of(-(2n ** 40n), 5n), '10'), numbers(BigInt64Array.of(6n, 7n))],
        },
        {
          field: field('x', integer),
          parts: [numbers(Uint8Array.of(1, 2), '10'), numbers(Uint8Array.of(255, 4))],
        },
      ],
      [2, 2],
      choose({ points: [['x', 'y', 'z']], notesNumbers: true }),
    );
    const batches = [];
    for await (const batch of table.batches()) batches.push(batch);
    expect(batches).toHaveLength(1);
    expect([...batches[0].pointStatus]).toEqual([0, notLookedUp, invalidPoint, 0]);
    expect([...batches[0].points]).toEqual([1, -(2 ** 40), 3.5, NaN, NaN, NaN, NaN, NaN, NaN, 4, 7, 7]);
    expect([...batches[0].numberKinds]).toEqual([1, 1, 2]);
    expect(batches[0].describeInvalid(2)).toBe('column z: Infinity is not a finite number');
    expect(batches[0].nameOf(2)).toBe('row 3');
    expect(asked).toEqual([[3, 2, 1]]);
  });

  const list = (
    starts: number[],
    lengths: number[],
    values: ColumnValues,
    present?: string,
  ): ColumnValues => ({
    kind: 'list',
    starts,
    lengths,
    values,
    ...(present !== undefined && { validity: validity(present) }),
  });
  const items = numbers(Float32Array.of(1, 2, 3, 4, 5, 6, NaN, NaN, NaN, 1, NaN, 2), '111111111111');

  test('reads lists; a list of another length or with a part missing is invalid', async () => {
    const { points, describe: reason } = await pointsOf(
      { kind: 'list', item: float },
      list([3, 0, 6, 9, 0, 5], [3, 3, 3, 3, 2, 0], items, '111110'),
      6,
    );
    expect(points).toEqual([[4, 5, 6], [1, 2, 3], notLookedUp, invalidPoint, invalidPoint, notLookedUp]);
    expect(reason(4)).toBe('column p: [1, 2] is not [x, y, z]');
  });

  test('reads lists of a fixed length', async () => {
    const { points } = await pointsOf(
      { kind: 'list', item: float },
      { kind: 'fixed-list', size: 3, values: items, validity: validity('0111') },
      4,
    );
    expect(points).toEqual([notLookedUp, [4, 5, 6], notLookedUp, invalidPoint]);
  });

  test('reads structs of x, y and z in any order', async () => {
    const z = decimals([35n, -5n], 1),
      type: ColumnType = {
        kind: 'struct',
        fields: ['z', 'x', 'y'].map((name) => ({
          name,
          type: name === 'z' ? { kind: 'decimal', scale: 1 } : integer,
        })),
      };
    const { points, kinds } = await pointsOf(
      type,
      {
        kind: 'struct',
        fields: [
          { name: 'z', values: z },
          { name: 'x', values: numbers(Int16Array.of(1, 2)) },
          { name: 'y', values: numbers(BigUint64Array.of(2n ** 53n, 9n)) },
        ],
      },
      2,
    );
    expect(points).toEqual([
      [1, 2 ** 53, 3.5],
      [2, 9, -0.5],
    ]);
    expect(kinds).toEqual([1, 1, 2]);
  });

  test('reads positions written as text, through a dictionary', async () => {
    const values = textColumn(['1, 2, 3', '[4 5 6.5]', '', 'here', null, '[nan nan nan]']);
    const {
      points,
      kinds,
      describe: reason,
    } = await pointsOf(
      text,
      { kind: 'dictionary', indices: [1, 0, 2, 3, 4, 5, 0], values, validity: validity('1111110') },
      7,
    );
    expect(points).toEqual([
      [4, 5, 6.5],
      [1, 2, 3],
      notLookedUp,
      invalidPoint,
      notLookedUp,
      notLookedUp,
      notLookedUp,
    ]);
    expect(reason(3)).toBe('column p: "here" is not [x, y, z]');
    expect(kinds).toEqual([1, 1, 3]);
  });

  test.each([
    {
      name: 'a number',
      type: float,
      message:
        'column p holds number, which is not a position: a list of three numbers, a struct of x, y and z, or text',
    },
    {
      name: 'a list of lists',
      type: LISTS,
      message:
        'column p holds list, which is not a position: a list of three numbers, a struct of x, y and z, or text',
    },
  ])('refuses $name as a position', async ({ type, message }) => {
    await expect(pointsOf(type, numbers(Float64Array.of()), 0)).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message,
    });
  });
});

describe('ColumnarTable: IDs', () => {
  test.each([
    {
      name: 'uint64',
      type: integer,
      values: numbers(BigUint64Array.of(BIG, 7n, 0n), '101'),
      ids: [BIG, 0n, 0n],
      status: [0, notLookedUp, 0],
    },
    {
      name: 'int64',
      type: integer,
      values: numbers(BigInt64Array.of(5n, -1n, 2n ** 62n)),
      ids: [5n, 0n, 2n ** 62n],
      status: [0, invalidId, 0],
    },
    {
      name: 'int32',
      type: integer,
      values: numbers(Int32Array.of(5, -1, 2 ** 31 - 1)),
      ids: [5n, 0n, 2n ** 31n - 1n],
      status: [0, invalidId, 0],
    },
    {
      name: 'floats, which are never IDs',
      type: float,
      values: numbers(Float64Array.of(5, NaN, 1e17)),
      ids: [0n, 0n, 0n],
      status: [invalidId, notLookedUp, invalidId],
    },
    {
      name: 'decimals',
      type: { kind: 'decimal', scale: 0 } as const,
      values: decimals([BIG, -1n, 2n ** 64n], 0),
      ids: [BIG, 0n, 0n],
      status: [0, invalidId, invalidId],
    },
    {
      name: 'decimals with a fraction',
      type: { kind: 'decimal', scale: 2 } as const,
      values: decimals([BIG * 100n, 150n, 0n], 2),
      ids: [BIG, 0n, 0n],
      status: [0, invalidId, 0],
    },
    {
      name: 'text',
      type: text,
      values: textColumn([String(BIG), 'nan', '7.0']),
      ids: [BIG, 0n, 0n],
      status: [0, notLookedUp, invalidId],
    },
    {
      name: 'a dictionary',
      type: text,
      values: {
        kind: 'dictionary',
        indices: Int8Array.of(1, 1, 0),
        values: textColumn(['x', '9']),
      } as ColumnValues,
      ids: [9n, 9n, 0n],
      status: [0, 0, invalidId],
    },
  ])('reads $name', async ({ type, values, ids, status }) => {
    const found = await idsOf(type, values, 3);
    expect(found).toMatchObject({ ids, status });
  });

  test('says why a value is not an ID', async () => {
    expect((await idsOf(integer, numbers(BigInt64Array.of(-1n)), 1)).describe(0)).toBe(
      'column id: -1 is not a uint64 ID',
    );
    expect((await idsOf(float, numbers(Float64Array.of(7)), 1)).describe(0)).toBe(
      'column id: 7 is a float, which may have lost digits of an ID',
    );
  });
});

describe('ColumnarTable: answers', () => {
  const status = Uint8Array.of(ok, background, outOfBounds, failed),
    answers: RowAnswers = {
      columns: [
        idAnswerColumn(BigUint64Array.of(BIG - 2n, 0n, 0n, 0n)),
        { values: Float32Array.of(1, 2, 3, 4, 5.5, 6, 7, 8), stride: 2, offset: 1, zeroMeansMissing: false },
        {
          values: Uint8Array.of(0, 1, 2, 0),
          stride: 1,
          offset: 0,
          zeroMeansMissing: false,
          words: ['false', 'true'],
        },
      ],
      status,
    };
  const outputs = ['id', 'value', 'changed', 'status'];
  const keep = {
    field: field('n', integer),
    parts: [numbers(Int8Array.of(1, 2, 3)), numbers(Int8Array.of(4))],
  };

  async function write(
    columns: readonly MemoryColumn[],
    given: RowAnswers,
    choice: ColumnChoice,
    options = {},
  ) {
    const { table, begun, written } = tableOf(columns, [3, 1], choice, options),
      sink = table.sinkTo(NO_SINK);
    for await (const batch of table.batches()) await sink.write(batch, given);
    await sink.finish();
    return { begun, written };
  }

  test('are typed, and null where there is none', async () => {
    const { begun, written } = await write([keep], answers, choose({ outputs }));
    expect(begun).toEqual([
      { name: 'id', type: 'uint64' },
      { name: 'value', type: 'float32' },
      { name: 'changed', type: 'boolean' },
      { name: 'status', type: 'string' },
    ]);
    expect(written).toEqual({
      id: [BIG - 2n, 0n, null, null],
      value: [2, 4, null, null],
      changed: [0, 1, null, null],
      status: ['ok', 'background', 'out_of_bounds', 'failed'],
    });
  });

  test.each([
    { idType: 'int64', id: [BIG - 2n, 0n, null, null] },
    { idType: 'string', id: [String(BIG - 2n), '0', null, null] },
  ] as const)('have IDs of the type $idType', async ({ idType, id }) => {
    const { begun, written } = await write([keep], answers, choose({ outputs }), { idType });
    expect([begun[0].type, written.id]).toEqual([idType, id]);
  });

  test('refuse an ID that int64 cannot hold', async () => {
    const large = {
      ...answers,
      columns: [idAnswerColumn(BigUint64Array.of(BIG, 0n, 0n, 0n)), ...answers.columns.slice(1)],
    };
    await expect(write([keep], large, choose({ outputs }), { idType: 'int64' })).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message: `column id: int64 cannot hold the ID ${BIG}: write uint64 or string IDs`,
    });
  });

  test.each([
    {
      name: 'int64',
      type: integer,
      idType: 'int64' as const,
      parts: [numbers(BigInt64Array.of(1n, 2n, 3n)), numbers(BigInt64Array.of(-4n))],
      id: [BIG - 2n, 0n, null, -4n],
    },
    {
      name: 'decimals, as uint64',
      type: { kind: 'decimal', scale: 0 } as const,
      idType: undefined,
      parts: [decimals([1n, 2n, 3n], 0), decimals([4n], 0)],
      id: [BIG - 2n, 0n, null, 4n],
    },
    {
      name: 'text',
      type: text,
      idType: 'string' as const,
      parts: [textColumn(['1', '2', '3']), textColumn(['old'])],
      id: [String(BIG - 2n), '0', null, 'old'],
    },
    {
      name: 'nulls',
      type: integer,
      idType: 'uint64' as const,
      parts: [numbers(BigUint64Array.of(1n, 2n, 3n)), numbers(BigUint64Array.of(4n), '0')],
      id: [BIG - 2n, 0n, null, null],
    },
  ])(
    'replace a column, whose old values stay for failed rows: $name',
    async ({ type, idType, parts, id }) => {
      const { begun, written } = await write(
        [keep, { field: field('id', type, idType), parts }],
        answers,
        choose({ outputs, replace: true }),
      );
      expect(begun[0]).toEqual({ name: 'id', type: idType ?? 'uint64', replaces: 1 });
      expect(written.id).toEqual(id);
    },
  );

  test('refuse an old value that the new type cannot hold', async () => {
    const parts = [textColumn(['1', '2', '3']), textColumn(['old'])];
    await expect(
      write([keep, { field: field('id', text), parts }], answers, choose({ outputs, replace: true })),
    ).rejects.toMatchObject({
      code: 'BAD_ROW',
      message: 'row 4: column id keeps its old value "old", which uint64 cannot hold',
    });
  });

  test('keep what the look-up says', async () => {
    const own = {
      columns: [idAnswerColumn(BigUint64Array.of(5n, 6n, 0n, 8n))],
      status: Uint8Array.of(ok, ok, rootFailed, ok),
      keeps: (row: number, column: number) => row === 3 || (row === 0 && column === 1),
    };
    const columns = [
      {
        field: field('id', integer, 'uint64' as const),
        parts: [numbers(BigUint64Array.of(1n, 2n, 3n)), numbers(BigUint64Array.of(4n))],
      },
      {
        field: field('status', text, 'string' as const),
        parts: [textColumn(['a', 'b', null]), textColumn([null])],
      },
    ];
    const { written } = await write(columns, own, choose({ outputs: ['id', 'status'], replace: true }));
    expect(written).toEqual({ id: [5n, 6n, null, 4n], status: ['a', 'ok', 'root_failed', null] });
  });

  test('give their columns to a table without rows', async () => {
    const { table, begun, written } = tableOf([keep], [], choose({ outputs: ['id', 'status'] }));
    const sink = table.sinkTo(NO_SINK);
    const none = { columns: [idAnswerColumn(new BigUint64Array(0))], status: new Uint8Array(0) };
    for await (const batch of table.batches()) await sink.write(batch, none);
    await sink.finish();
    expect(begun.map(({ type }) => type)).toEqual(['uint64', 'string']);
    expect(written).toEqual({ id: [], status: [] });
  });
});

describe('ColumnarTable: columns', () => {
  const columns = ['a', 'a', 'b'].map((name) => ({
    field: field(name, integer),
    parts: [numbers(Int8Array.of(1))],
  }));

  test.each([
    {
      name: 'a column that occurs twice',
      choice: choose({ ids: ['a'] }),
      code: 'BAD_FORMAT',
      message: 'column a occurs more than once',
    },
    {
      name: 'a column that is missing',
      choice: choose({ ids: ['B'] }),
      code: 'MISSING_COLUMN',
      message: 'no column "B"; columns found: a, a, b',
    },
    {
      name: 'an output that exists',
      choice: choose({ ids: ['b'], outputs: ['a'] }),
      code: 'COLUMN_EXISTS',
      message: 'column a already exists (replace (--replace) overwrites it)',
    },
  ])('refuses $name', async ({ choice, code, message }) => {
    const { table } = tableOf(columns, [1], choice);
    await expect(table.batches().next()).rejects.toMatchObject({ code, message });
  });

  test('chooses by the cells of the first batch', async () => {
    const choice: ColumnChoice = (_, cellsOf) => {
      const [cell] = cellsOf('b');
      return { texts: [cell === '1' ? 'b' : 'c'], outputs: [], replace: false };
    };
    const { table, asked } = tableOf(
      [columns[2], { ...columns[2], field: field('c', integer) }],
      [1],
      choice,
    );
    for await (const batch of table.batches()) expect(batch.texts[0].spellings).toEqual(['', '1']);
    expect(asked).toEqual([[1, 0]]);
  });
});

describe('decimals', () => {
  test.each([
    [0n, 2, '0.00', 0],
    [-5n, 1, '-0.5', -0.5],
    [2n ** 100n + 1n, 0, String(2n ** 100n + 1n), 2 ** 100],
    [123n, 25, '0.0000000000000000000000123', 1.23e-23],
    [(2n ** 53n + 1n) * 10n, 1, '9007199254740993.0', 2 ** 53],
    [7n, -2, '700', 700],
  ])('%p with the scale %p is %s', (value, scale, shown, number) => {
    const column = decimals([0n, value], scale);
    expect([decimalText(column, 1), decimalNumber(column, 1)]).toEqual([shown, number]);
  });
});
