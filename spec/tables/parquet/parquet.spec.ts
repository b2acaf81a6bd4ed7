/** Reads fixtures that pyarrow, pandas and polars wrote; what is written is read with DuckDB. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TableError } from '../../../lib/base/errors.ts';
import { PointStatus } from '../../../lib/points/status.ts';
import { idAnswerColumn, type RowAnswers } from '../../../lib/tables/answers.ts';
import type { ByteSink } from '../../../lib/tables/files/byte-streams.ts';
import { fileInput, streamInput, type TableInput } from '../../../lib/tables/files/table-input.ts';
import { openTable, type TableOptions } from '../../../lib/tables/open-table.ts';
import type { Batch, TableColumns } from '../../../lib/tables/table.ts';

const FIXTURES = 'spec/fixtures/tables/parquet';
const { ok, failed, notLookedUp, invalidId } = PointStatus;
interface Types {
  points: ([number, number, number] | null)[];
  ids: (string | null)[];
  signed: (string | null)[];
}
const TYPES = JSON.parse(await readFile(`${FIXTURES}/types.json`, 'utf8')) as Types;

let folder: string, instance: DuckDBInstance, duckdb: DuckDBConnection;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-spec-'));
  instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  duckdb = await instance.connect();
});
afterAll(async () => {
  duckdb.closeSync();
  instance.closeSync();
  await rm(folder, { recursive: true });
});

const open = (input: TableInput, columns: Partial<TableColumns>, options: Partial<TableOptions> = {}) =>
  openTable(input, () => ({ outputs: [], replace: false, ...columns }), { format: 'parquet', ...options });

async function read(name: string, columns: Partial<TableColumns>): Promise<Batch> {
  const table = open(fileInput(`${FIXTURES}/${name}`), columns);
  try {
    for await (const batch of table.batches()) return batch;
    throw new Error('no batch');
  } finally {
    await table.close?.();
  }
}

/** Answers that differ in each row; the second row has none. */
function answersOf(rows: number, first: number): RowAnswers {
  const ids = BigUint64Array.from({ length: rows }, (_, row) =>
    row + first === 2 ? 0n : 2n ** 63n + BigInt(row + first),
  );
  return {
    columns: [
      idAnswerColumn(ids),
      { values: new Float32Array(rows).fill(2.5), stride: 1, offset: 0, zeroMeansMissing: false },
    ],
    status: Uint8Array.from({ length: rows }, (_, row) => (row + first === 2 ? failed : ok)),
  };
}

/** Writes a table with answers. @returns The path of the output. */
async function write(
  input: TableInput,
  outputs: readonly string[],
  options: Partial<TableOptions & TableColumns> = {},
  answersFor = answersOf,
): Promise<string> {
  const table = open(input, { outputs, ...options }, options),
    parts: Buffer[] = [];
  const sink: ByteSink = {
    write: async (bytes) => void parts.push(Buffer.from(bytes)),
    finish: async () => {},
    abandon: async () => undefined,
  };
  const rows = table.sinkTo(sink);
  try {
    for await (const batch of table.batches())
      await rows.write(batch, answersFor(batch.rows, batch.firstRow));
    await rows.finish();
  } finally {
    await table.close?.();
  }
  const path = join(folder, 'out.parquet');
  await writeFile(path, Buffer.concat(parts));
  return path;
}

const query = async (sql: string): Promise<unknown[][]> => (await duckdb.runAndReadAll(sql)).getRowsJson();

describe('a Parquet table: points', () => {
  const flat = TYPES.points.flatMap((point) => point ?? [NaN, NaN, NaN]),
    status = TYPES.points.map((point) => (point ? 0 : notLookedUp));

  test.each([
    ...['list', 'large_list', 'fixed_list', 'struct', 'text', 'word'].map((name) => ({
      name,
      points: [name] as [string],
    })),
    ...['int', 'dec', 'float'].map((name) => ({
      name,
      points: ['x', 'y', 'z'].map((axis) => `${name}_${axis}`) as [string, string, string],
    })),
  ])('are read from columns of the type $name', async ({ points }) => {
    const batch = await read('types.parquet', { points: [points] });
    expect([[...batch.points], [...batch.pointStatus]]).toEqual([flat, status]);
  });

  test('are read from a list of a fixed length that polars wrote', async () => {
    const batch = await read('polars.parquet', { points: [['pt_position']] });
    expect([...batch.points]).toEqual([1, 2, 3, NaN, NaN, NaN, 4, 5, 6]);
  });

  test('are read from columns whose names differ in case', async () => {
    const batch = await read('names.parquet', {
      points: [
        ['X', 'y', 'z'],
        ['x', 'y', 'z'],
      ],
    });
    expect([...batch.points]).toEqual([1, 2, 3, 11, 12, 13, 0, 2, 3, 10, 12, 13]);
  });
});

describe('a Parquet table: integers in the encoding BYTE_STREAM_SPLIT', () => {
  test.each(['split-v1', 'split-v2'])('are read exactly from %s', async (name) => {
    const batch = await read(`${name}.parquet`, { points: [['x', 'y', 'z']], ids: ['id'] });
    const rows = Array.from({ length: 300 }, (_, k) => k);
    expect([...batch.points]).toEqual(
      rows.flatMap((k) => (k % 7 === 0 ? [NaN, NaN, NaN] : [k - 100, 3 * k, k])),
    );
    expect([...batch.ids]).toEqual(rows.map((k) => 2n ** 64n - 1n - BigInt(k)));
    // Without a column that DuckDB reads.
    const ids = await read(`${name}.parquet`, { ids: ['id'] });
    expect([...ids.ids]).toEqual([...batch.ids]);
  });
});

describe('a Parquet table whose pages have checksums', () => {
  test.each(['checksums-v1', 'checksums-v2'])('is never read with another value: %s', async (name) => {
    const whole = await readFile(`${FIXTURES}/${name}.parquet`),
      truth = Array.from({ length: 300 }, (_, k) =>
        k % 3 === 0 ? [NaN, NaN, NaN] : [k, k % 7, (k % 3) + 1],
      );
    const path = join(folder, 'flipped.parquet'),
      outcomes = { same: 0, refused: 0 };
    const footer = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
    for (let at = 4; at < footer; at += 97) {
      const flipped = Buffer.from(whole);
      flipped[at] ^= 1 << (at % 8);
      await writeFile(path, flipped);
      const table = open(fileInput(path), { points: [['x', 'y', 'z']] });
      try {
        const found: number[] = [];
        for await (const batch of table.batches()) found.push(...batch.points);
        expect(found).toEqual(truth.flat());
        outcomes.same++; // in statistics, or in an unused field of a header
      } catch (error) {
        if (!(error instanceof TableError)) throw error;
        expect(error.code).toBe('BAD_FORMAT');
        outcomes.refused++;
      } finally {
        await table.close?.();
      }
    }
    expect([outcomes.refused > 20, outcomes.same < 20]).toEqual([true, true]);
  });

  test('names what is damaged', async () => {
    const bytes = await readFile(`${FIXTURES}/checksums-v1.parquet`),
      path = join(folder, 'damaged.parquet');
    // The last values of x in the second row group: the page of plain numbers ends before the next column.
    const at = bytes.indexOf(Buffer.from(BigInt64Array.of(200n, 201n).buffer));
    bytes[at]++;
    await writeFile(path, bytes);
    const table = open(fileInput(path), { points: [['x', 'y', 'z']] });
    const reading = (async () => {
      for await (const batch of table.batches()) expect(batch.rows).toBeGreaterThan(0);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message: expect.stringMatching(
        /damaged\.parquet cannot be read as Parquet: column "x", row group 2 is damaged: the checksum of the page that ends at byte \d+ is wrong: get the file anew/,
      ),
    });
    await table.close?.();
  });
});

describe('a Parquet table: IDs and texts', () => {
  test.each(['uint64_id', 'text_id', 'category_id', 'decimal_id'])(
    'are read exactly from %s',
    async (name) => {
      const batch = await read('types.parquet', { ids: [name] });
      expect([...batch.ids].map(String)).toEqual(TYPES.ids.map((id) => id ?? '0'));
      expect([...batch.idStatus]).toEqual(TYPES.ids.map((id) => (id === null ? notLookedUp : 0)));
    },
  );

  test('are invalid if they are negative', async () => {
    const batch = await read('types.parquet', { ids: ['int64_id'] });
    expect([...batch.ids].map(String)).toEqual(
      TYPES.signed.map((id) => (id === null || id.startsWith('-') ? '0' : id)),
    );
    expect(batch.idStatus[2]).toBe(invalidId);
    expect(batch.describeInvalid(2)).toBe('column int64_id: -7 is not a uint64 ID');
  });

  test('have the texts of timestamps', async () => {
    const { texts } = await read('types.parquet', { texts: ['ms', 'flag'] });
    expect(
      texts.map(({ spellings, indices }) => [...indices.slice(0, 3)].map((index) => spellings[index])),
    ).toEqual([Array(3).fill('2024-06-05 10:10:01.203'), ['true', '', 'false']]);
  });

  test.each([
    ['nested lists', 'column nested holds INTEGER[][], which is not an ID', { ids: ['nested'] }],
    ['a timestamp', 'column ms holds TIMESTAMP, which is not an ID', { ids: ['ms'] }],
    ['a name that occurs twice', 'column note occurs more than once', { ids: ['note'] }, 'names.parquet'],
  ] as [string, string, Partial<TableColumns>, string?][])(
    'are refused in %s',
    async (_, message, columns, name = 'types.parquet') => {
      await expect(read(name, columns)).rejects.toMatchObject({ code: 'BAD_FORMAT', message });
    },
  );
});

describe('a Parquet table: its output', () => {
  const outputs = ['new_id', 'value', 'status'];

  test.each(['types', 'pandas', 'polars', 'names', 'empty'])(
    'keeps the columns of %s, in their order, with the answers after them',
    async (name) => {
      const input = `${FIXTURES}/${name}.parquet`,
        out = await write(fileInput(input), outputs, { batchRows: 2 });
      const [before, after] = await Promise.all([input, out].map((path) => query(`SELECT * FROM '${path}'`)));
      expect(after.map((row) => row.slice(0, -3))).toEqual(before);
      expect(after.map((row) => row.slice(-3))).toEqual(
        before.map((_, row) =>
          row === 1 ? [null, null, 'failed'] : [String(2n ** 63n + BigInt(row + 1)), 2.5, 'ok'],
        ),
      );
      const schema = (path: string): Promise<unknown[][]> =>
        query(`SELECT name, type, converted_type, logical_type FROM parquet_schema('${path}')`);
      const added = await schema(out);
      expect(added.slice(0, -3)).toEqual(await schema(input));
      expect(added.slice(-3).map(([column, type]) => [column, type])).toEqual([
        ['new_id', 'INT64'],
        ['value', 'FLOAT'],
        ['status', 'BYTE_ARRAY'],
      ]);
    },
  );

  test('keeps a column that DuckDB cannot read', async () => {
    const input = await readFile(`${FIXTURES}/split.parquet`),
      out = await readFile(
        await write(fileInput(`${FIXTURES}/split.parquet`), outputs, { points: [['x', 'y', 'z']] }),
      );
    const length = input.length - 8 - input.readUInt32LE(input.length - 8);
    expect(out.subarray(0, length).equals(input.subarray(0, length))).toBe(true);
  });

  test('keeps the metadata, and tells pandas to read IDs as nullable integers', async () => {
    const out = await write(fileInput(`${FIXTURES}/pandas.parquet`), outputs);
    const pairs = (await query(`SELECT decode(key), decode(value) FROM parquet_kv_metadata('${out}')`)) as [
      string,
      string,
    ][];
    expect(pairs.map(([key]) => key).sort()).toEqual(['ARROW:schema', 'pandas']);
    const pandas = JSON.parse(pairs.find(([key]) => key === 'pandas')![1]) as {
      index_columns: string[];
      columns: { name: string; numpy_type: string }[];
    };
    expect(pandas.index_columns).toEqual(['synapse']);
    expect(pandas.columns.map(({ name, numpy_type }) => [name, numpy_type])).toEqual([
      ['x', 'float64'],
      ['y', 'int64'],
      ['z', 'int64'],
      ['pt_root_id', 'Int64'],
      ['kind', 'int8'],
      ['synapse', 'int64'],
      ['new_id', 'UInt64'],
    ]);
  });

  test('replaces columns in their place; a row that failed keeps its old value', async () => {
    const out = await write(fileInput(`${FIXTURES}/types.parquet`), ['decimal_id', 'float_x', 'status'], {
      replace: true,
      idType: 'uint64',
    });
    const [names, rows] = [
      await query(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '${out}')`),
      await query(`SELECT decimal_id, float_x, text_id, status, nested FROM '${out}'`),
    ];
    const input = await query(`SELECT column_name FROM (DESCRIBE SELECT * FROM '${FIXTURES}/types.parquet')`);
    expect(names.map(([name]) => name)).toEqual([...input.map(([name]) => name), 'status']);
    expect(names.find(([name]) => name === 'decimal_id')![1]).toBe('UBIGINT');
    expect(rows[1]).toEqual([null, 'NaN', null, 'failed', [[1], [2, 3]]]);
    expect(rows[2]).toEqual([String(2n ** 63n + 3n), 2.5, '7', 'ok', [[1], [2, 3]]]);
  });

  test.each([
    { column: 'int64_id', type: 'BIGINT', code: 'BAD_FORMAT' }, // the answers are above 2^63
    { column: 'category_id', type: 'VARCHAR' },
    { column: 'nested', type: 'UBIGINT', code: 'BAD_FORMAT' }, // the old lists cannot be kept
  ])('gives IDs the type of the column $column, if it can hold them', async ({ column, type, code }) => {
    const writing = write(fileInput(`${FIXTURES}/types.parquet`), [column, 'value', 'status'], {
      replace: true,
    });
    if (code !== undefined) return expect(writing).rejects.toMatchObject({ code });
    const out = await writing;
    expect(await query(`SELECT typeof("${column}"), "${column}" FROM '${out}' LIMIT 1`)).toEqual([
      [type, String(2n ** 63n + 1n)],
    ]);
  });

  test('is refused if the input changes before it is complete', async () => {
    const path = join(folder, 'changing.parquet'),
      bytes = await readFile(`${FIXTURES}/types.parquet`);
    for (const change of ['write', 'replace', 'remove'] as const) {
      await writeFile(path, bytes);
      const table = open(fileInput(path), { outputs: ['new_id', 'value', 'status'] }),
        sink = table.sinkTo({
          write: async () => {},
          finish: async () => {},
          abandon: async () => undefined,
        });
      try {
        for await (const batch of table.batches())
          await sink.write(batch, answersOf(batch.rows, batch.firstRow));
        if (change !== 'write') await rm(path);
        if (change !== 'remove') await writeFile(path, bytes);
        await expect(sink.finish()).rejects.toMatchObject({
          code: 'UNREADABLE',
          message: `${path} has changed while it was read: run the command again`,
        });
      } finally {
        await table.close?.();
      }
    }
  });

  test('is also written for a stream', async () => {
    const bytes = await readFile(`${FIXTURES}/types.parquet`),
      input = streamInput('standard input', () =>
        Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]),
      );
    const out = await write(input, outputs);
    await input.close();
    expect(await query(`SELECT count(*), count(new_id) FROM '${out}'`)).toEqual([['7', '6']]);
  });

  test('holds many rows in pages and row groups, with many distinct texts', async () => {
    const path = join(folder, 'many.parquet'),
      rows = 70_000;
    await query(
      `COPY (SELECT i AS a, 1 AS b FROM range(${rows}) t(i)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 69632)`,
    );
    const out = await write(fileInput(path), outputs, { idType: 'string', batchRows: 40_000 });
    expect(
      await query(
        `SELECT count(*), count(*) FILTER (new_id = (9223372036854775809 + a)::VARCHAR AND value = 2.5 AND status = 'ok'), min(a) FILTER (new_id IS NULL), max(a) FILTER (new_id IS NULL) FROM '${out}'`,
      ),
    ).toEqual([[String(rows), String(rows - 1), '1', '1']]);
  });
});

test('repeated IDs of a Parquet table are written in a dictionary, until most are new', async () => {
  const path = join(folder, 'repeats.parquet'),
    rows = 150_000,
    idAt = (row: number): bigint =>
      row % 1000 === 7 ? 0n : 2n ** 63n + BigInt(row < 70_000 ? (row * 7919) % 5000 : row);
  await query(
    `COPY (SELECT i AS a FROM range(${rows}) t(i)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 200000)`,
  );
  const out = await write(fileInput(path), ['new_id', 'status'], {}, (count, first) => ({
    columns: [idAnswerColumn(BigUint64Array.from({ length: count }, (_, k) => idAt(first - 1 + k)))],
    status: new Uint8Array(count).fill(ok),
  }));
  expect(
    await query(
      `SELECT count(*) FILTER (new_id IS NOT DISTINCT FROM CASE WHEN a % 1000 = 7 THEN NULL
        ELSE 9223372036854775808 + CASE WHEN a < 70000 THEN (a * 7919) % 5000 ELSE a END END) FROM '${out}'`,
    ),
  ).toEqual([[String(rows)]]);
  expect(
    await query(`SELECT encodings FROM parquet_metadata('${out}') WHERE path_in_schema = 'new_id'`),
  ).toEqual([['RLE, PLAIN, RLE_DICTIONARY']]);
});

/** Returns a file with a footer of these bytes. */
function footerOf(...parts: Buffer[]): Buffer {
  const footer = Buffer.concat(parts),
    length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')]);
}

test('a stream that cannot be copied to a file is an error that names the file', async () => {
  const input = streamInput(
    'standard input',
    () => Readable.from([Buffer.from('PAR1')]),
    undefined,
    '/dev/null',
  );
  await expect(input.file()).rejects.toMatchObject({
    name: 'TableError',
    code: 'UNREADABLE',
    message: '/dev/null/graphene-points- cannot be written: not a directory (ENOTDIR)',
  });
  await input.close();
});

describe('a damaged Parquet table', () => {
  const damaged = async (bytes: Uint8Array): Promise<unknown> => {
    const path = join(folder, 'damaged.parquet');
    await writeFile(path, bytes);
    return write(fileInput(path), ['new_id', 'value', 'status'], { points: [['x', 'y', 'z']] }).then(
      () => 'written',
      (error: unknown) => error,
    );
  };

  test('is an error at every cut', async () => {
    const bytes = await readFile(`${FIXTURES}/empty.parquet`);
    for (let length = 0; length < bytes.length; length += 7)
      expect(await damaged(bytes.subarray(0, length))).toMatchObject({ code: 'BAD_FORMAT' });
  });

  test('is an error or is read, if a byte of its footer is wrong', async () => {
    const bytes = await readFile(`${FIXTURES}/empty.parquet`),
      start = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    for (let at = start; at < bytes.length; at += 11) {
      const changed = Uint8Array.from(bytes);
      changed[at] ^= 0x15;
      const outcome = await damaged(changed);
      if (outcome !== 'written') expect(outcome).toBeInstanceOf(TableError);
    }
  });

  test.each([
    ['an empty file', Buffer.alloc(0), 'it does not end as a Parquet file does'],
    ['text', Buffer.from('x,y,z\n1,2,3\n'.repeat(3)), 'it does not end as a Parquet file does'],
    ['an encrypted footer', Buffer.from('PAR1....PARE....\0\0\0\0PARE'), 'its footer is encrypted'],
    ['lists in lists', footerOf(Buffer.alloc(100_000, 0x19)), 'it is nested too deeply'],
    [
      'very many values',
      // one list of booleans
      footerOf(Buffer.from([0x19, 0xf1, 0x90, 0x80, 0x80, 0x08]), Buffer.alloc(2 ** 24 + 16)),
      'it has more than',
    ],
    [
      'a column chunk without its metadata',
      // version, schema (root, x), 1 row, 1 row group: 1 chunk with an offset alone, 1 byte, 1 row
      footerOf(
        Buffer.from([0x15, 2, 0x19, 0x2c, 0x48, 1, 0x72, 0x15, 2, 0, 0x15, 2, 0x25, 0, 0x18, 1, 0x78, 0]),
        Buffer.from([0x16, 2, 0x19, 0x1c, 0x19, 0x1c, 0x26, 8, 0, 0x16, 2, 0x16, 2, 0, 0]),
      ),
      'field 3 is missing',
    ],
    [
      'a footer longer than the file',
      Buffer.from('PAR1....\xff\xff\xff\x7fPAR1', 'latin1'),
      'the footer is damaged: its length is',
    ],
  ])('says what is wrong with %s', async (_, bytes, message) => {
    const error = (await damaged(bytes)) as TableError;
    expect([error.code, error.message]).toEqual(['BAD_FORMAT', expect.stringContaining(message)]);
  });
});
