/** Parquet tables on the command line, read with DuckDB. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadFixture } from '../../testing/fixtures.ts';
import { runCli } from './run-cli.ts';

const { folder: volume, scales } = loadFixture('img_raw_u8'),
  [{ points, values }] = scales,
  known = points.map((point, k) => ({ point, value: values[k] })).filter(({ value }) => value !== null);

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));

async function query(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function writePoints(): Promise<string> {
  const path = join(folder, 'in [1].parquet'),
    rows = known.map(({ point: [x, y, z] }) => `([${x}, ${y}, ${z}], 'note')`);
  await query(`COPY (FROM (VALUES ${rows.join(', ')}) t(position, note)) TO '${path}' (FORMAT parquet)`);
  return path;
}

describe('lookup of a Parquet table', () => {
  test('writes the same rows with their answers, in place, from a file or a stream', async () => {
    const path = await writePoints(),
      out = join(folder, 'out.pq');
    const flags = ['--position', 'position', '--quiet'];
    const inPlace = await runCli(['lookup', volume, '--points', path, '--out', path, ...flags]);
    expect(inPlace).toEqual({ code: 0, stdout: '', stderr: '' });
    const answers = known.map(({ point, value }) => [point.map(String), 'note', Number(value), 'ok']);
    const rows = await query(`FROM '${join(folder, 'in*.parquet')}'`);
    expect(rows.map(([position, ...rest]) => [(position as unknown[]).map(String), ...rest])).toEqual(
      answers,
    );
    const again = await runCli(
      ['lookup', volume, '--points', '-', '--format', 'parquet', '--replace', '--out', out, ...flags],
      { stdin: Readable.from([await readFile(path)]) },
    );
    expect(again).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await query(`FROM read_parquet('${out}')`)).toEqual(rows);
    expect(await readdir(folder)).toEqual(['in [1].parquet', 'out.pq']);
  });

  test.each([
    [
      ['--points', 'in.csv', '--out', 'out.parquet', '--out-format', 'arrow'],
      '--out out.parquet and --out-format arrow name two formats',
    ],
    [['--points', 'in.csv', '--id-type', 'int64'], '--id-type is for parquet, '],
    [
      ['--points', 'in.parquet', '--missing', 'NA'],
      '--missing is for csv and tsv: in parquet a missing answer is null',
    ],
    [['--points', 'in.parquet.gz'], 'the suffix of in.parquet.gz does not tell its format'],
  ])('refuses %p', async (flags, message) => {
    expect(await runCli(['lookup', volume, ...flags])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message) as unknown as string,
    });
  });
});
