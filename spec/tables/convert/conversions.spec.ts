/** Outputs in another format than the input. DuckDB reads the Parquet outputs. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadFixture } from '../../../testing/fixtures.ts';
import { runCli } from '../../cli/run-cli.ts';

const { folder: volume, scales } = loadFixture('img_raw_u8'),
  [{ points, values }] = scales,
  at = values.findIndex((value) => value !== null),
  [x, y, z] = points[at],
  value = Number(values[at]);
const FIXTURES = fileURLToPath(new URL('../../fixtures/tables', import.meta.url));

let folder: string, instance: DuckDBInstance;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convert-'));
  instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
});
afterAll(async () => {
  instance.closeSync();
  await rm(folder, { recursive: true });
});

async function query(sql: string): Promise<unknown[][]> {
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
  }
}

const path = (name: string): string => join(folder, name);

/** Looks up a table, and returns the path of the output. */
async function convert(input: string, out: string, flags: readonly string[] = []): Promise<string> {
  const from = input.startsWith('/') ? input : path(input);
  const result = await runCli(['lookup', volume, '--points', from, '--out', path(out), '--quiet', ...flags]);
  expect({ ...result, stderr: result.stderr.replace(/^warning: .*\n/gm, '') }).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  return path(out);
}

const CSV = `x,y,z,id,name,f,flag,zip,mixed
${x},${y},${z},720575940612345679,"a,""b""",1.50,True,007,1
-1,5,6,,,nan,,010,x
-1,8,9,18446744073709551615,"",-1e-5,False,1,2
`;

describe('outputs in another format', () => {
  test('keep categories of polars, whose texts are views', async () => {
    const out = await convert(join(FIXTURES, 'arrow/polars-categories.arrow'), 'categories.parquet');
    expect(await query(`SELECT kind, enum FROM '${out}'`)).toEqual([
      ['axon', 'é'],
      ['a rather long name of a kind', null],
      [null, ''],
      ['axon', 'é'],
    ]);
  });

  test('keep the notes of pandas, with the index', async () => {
    const table = ['--points', join(FIXTURES, 'parquet/pandas.parquet'), '--out', path('pandas.arrow')];
    expect((await runCli(['lookup', volume, ...table, '--quiet'])).code).toBe(1); // a row has no position
    expect((await readFile(path('pandas.arrow'))).toString()).toContain('"index_columns":["synapse"]');
  });

  test('gives the columns of CSV types that keep every digit', async () => {
    await writeFile(path('in.csv'), CSV);
    const out = await convert('in.csv', 'out.parquet');
    expect((await query(`DESCRIBE FROM '${out}'`)).map(([name, type]) => [name, type])).toEqual([
      ['x', 'BIGINT'],
      ['y', 'BIGINT'],
      ['z', 'BIGINT'],
      ['id', 'UBIGINT'],
      ['name', 'VARCHAR'],
      ['f', 'DOUBLE'],
      ['flag', 'BOOLEAN'],
      ['zip', 'VARCHAR'],
      ['mixed', 'VARCHAR'],
      ['value', 'UTINYINT'],
      ['status', 'VARCHAR'],
    ]);
    expect(await query(`SELECT id, name, f, flag, zip, mixed, value, status FROM '${out}'`)).toEqual([
      ['720575940612345679', 'a,"b"', 1.5, true, '007', '1', value, 'ok'],
      [null, null, 'NaN', null, '010', 'x', null, 'out_of_bounds'],
      ['18446744073709551615', '', -0.00001, false, '1', '2', null, 'out_of_bounds'],
    ]);
    // Back from Parquet, only the spelling of numbers and booleans has changed.
    const back = await convert('out.parquet', 'back.csv', ['--replace']);
    expect(await readFile(back, 'utf8')).toBe(
      `x,y,z,id,name,f,flag,zip,mixed,value,status
${x},${y},${z},720575940612345679,"a,""b""",1.5,true,007,1,${value},ok
-1,5,6,,,NaN,,010,x,,out_of_bounds
-1,8,9,18446744073709551615,"",-0.00001,false,1,2,,out_of_bounds
`,
    );
  });

  test('keeps the text of all cells between CSV and TSV', async () => {
    await writeFile(path('texts.csv'), CSV);
    const out = await convert('texts.csv', 'out.tsv');
    expect((await readFile(out, 'utf8')).split('\n').map((line) => line.split('\t').slice(3, 8))).toEqual([
      ['id', 'name', 'f', 'flag', 'zip'],
      ['720575940612345679', '"a,""b"""', '1.50', 'True', '007'],
      ['', '', 'nan', '', '010'],
      ['18446744073709551615', '""', '-1e-5', 'False', '1'],
      [],
    ]);
  });

  test('keeps numbers, lists and objects of JSON Lines', async () => {
    await writeFile(
      path('in.jsonl'),
      `{"p": [${x}, ${y}, ${z}], "id": 720575940612345679, "n": {"a": 1, "b": [1.5, null]}, "m": 5, "f": 1.0}
{"p": [1, 2, 3], "id": null, "m": "x", "f": NaN, "u": 18446744073709551615}
`,
    );
    const flags = ['--position', 'p'],
      out = await convert('in.jsonl', 'json.parquet', flags);
    expect(await query(`SELECT id, n, m, f, u, p FROM '${out}'`)).toEqual([
      ['720575940612345679', { a: '1', b: [1.5, null] }, '5', 1, null, [x, y, z].map(String)],
      [null, null, 'x', 'NaN', '18446744073709551615', ['1', '2', '3']],
    ]);
    const csv = await convert('in.jsonl', 'json.csv', flags);
    expect(await readFile(csv, 'utf8')).toBe(`p,id,n,m,f,u,p_value,p_status
"[${x}, ${y}, ${z}]",720575940612345679,"{""a"": 1, ""b"": [1.5, null]}",5,1.0,,${value},ok
"[1, 2, 3]",,,x,NaN,18446744073709551615,,out_of_bounds
`);
  });

  test('reads the Arrow file that it wrote as it reads the Parquet file', async () => {
    await writeFile(path('both.csv'), CSV);
    const texts: string[] = [];
    for (const name of ['both.arrow', 'both.arrows', 'both.parquet']) {
      const out = await convert('both.csv', name);
      texts.push(await readFile(await convert(out, `${name}.jsonl`, ['--replace']), 'utf8'));
    }
    expect(texts[0].split('\n')[0]).toBe(
      `{"x": ${x}, "y": ${y}, "z": ${z}, "id": "720575940612345679", "name": "a,\\"b\\"", "f": 1.5, "flag": true, "zip": "007", "mixed": "1", "value": ${value}, "status": "ok"}`,
    );
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).toBe(texts[0]);
  });

  test('writes a table without rows with its columns', async () => {
    await writeFile(path('empty.csv'), 'x,y,z,note\n');
    const parquet = await convert('empty.csv', 'empty.parquet');
    expect((await query(`DESCRIBE FROM '${parquet}'`)).map(([name]) => name)).toEqual([
      'x',
      'y',
      'z',
      'note',
      'value',
      'status',
    ]);
    const csv = await convert(join(FIXTURES, 'parquet/empty.parquet'), 'empty-back.csv');
    expect((await readFile(csv, 'utf8')).split('\n')).toHaveLength(2);
  });

  test('joins several files of one format, whose columns must be the same', async () => {
    const rows = (from: number): string =>
      `SELECT * FROM (VALUES (${x}, ${y}, ${z}, ${from}), (1, 2, 3, NULL)) t(x, y, z, n)`;
    await query(`COPY (${rows(1)}) TO '${path('p1.parquet')}'`);
    await query(`COPY (${rows(2)}) TO '${path('p2.parquet')}'`);
    await query(`COPY (SELECT x, y, z, n::BIGINT AS n FROM (${rows(2)})) TO '${path('p3.parquet')}'`);
    const more = (name: string): string[] => ['--points', path(name)];
    const out = await convert('p1.parquet', 'joined.parquet', more('p2.parquet'));
    const expected = [1, null, 2, null].map((n) =>
      n === null ? [1, 2, 3, n, null, 'out_of_bounds'] : [x, y, z, n, value, 'ok'],
    );
    expect(await query(`FROM '${out}'`)).toEqual(expected);
    await convert('p1.parquet', 'a1.arrow');
    await convert('p2.parquet', 'a2.arrows');
    const arrow = await convert('a1.arrow', 'joined.csv', [...more('a2.arrows'), '--replace']);
    expect((await readFile(arrow, 'utf8')).trim().split('\n').slice(1)).toEqual(
      expected.map((row) => row.join(',')),
    );
    const other = ['--points', path('p1.parquet'), ...more('p3.parquet'), '--out', path('no.parquet')];
    expect(await runCli(['lookup', volume, ...other])).toEqual({
      code: 2,
      stdout: '',
      stderr: `error: ${path('p3.parquet')} does not have the columns of ${path('p1.parquet')}: column 4 is "n" (int64), not "n" (int32); files of one table need the same columns, in the same order, with the same types\n`,
    });
  });

  test.each([
    ['a,b\n', 'jsonl', 'no column "x", "y", "z"'],
    ['x,y,z\n1,2,3\n1,2\n', 'parquet', 'row 2 (line 3): 2 fields where the header has 3'],
    ['x,y,z,a,a\n1,2,3,4,5\n', 'parquet', 'column a occurs more than once'],
    ['x,y,z,a\n1,2,3,q\n', 'npy', 'column a holds string, and only numbers are written to .npy'],
    ['x,y,z\n1,2,3\n', 'npz', 'only a .npz input is written as .npz'],
  ])('refuses %j as %s before any look-up', async (text, suffix, message) => {
    await writeFile(path('bad.csv'), text);
    const out = path(`bad.${suffix}`);
    const result = await runCli(['lookup', volume, '--points', path('bad.csv'), '--out', out]);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining(message) as unknown });
    await expect(readFile(out)).rejects.toThrow('ENOENT');
  });
});
