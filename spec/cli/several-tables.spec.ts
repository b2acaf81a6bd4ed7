/** A table in several files, on the command line. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createMockBucket, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { LAST, rootAt, servePcg, sv } from './pcg-cli.ts';
import { type CliResult, runCli } from './run-cli.ts';

const fixture = loadFixture('img_raw_u8');
const bucket = createMockBucket({ files: {} });
let served: ServedMocks, folder: string;
beforeAll(async () => {
  served = await serveMocks({ '/tables': bucket });
  folder = await mkdtemp(join(tmpdir(), 'several-'));
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});

const file = (name: string): string => join(folder, name);
const lookup = (points: readonly string[], ...flags: string[]): Promise<CliResult> =>
  runCli([
    'lookup',
    fixture.folder,
    '--quiet',
    ...points.flatMap((name) => ['--points', name.includes('://') ? name : file(name)]),
    ...flags,
  ]);
const write = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<void> => {
  for (const [name, content] of Object.entries(files)) await writeFile(file(name), content);
};
const refused = async (points: readonly string[], message: RegExp, ...flags: string[]): Promise<void> => {
  const out = file('refused.csv');
  const { code, stderr } = await lookup(points, '--out', out, ...flags);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  expect((await readdir(folder)).filter((name) => name.startsWith('refused'))).toEqual([]);
};

test('files and patterns are one table, in the order given, with one header', async () => {
  bucket.put('d.csv', '\ufeffx,y,z,n\n14,24,34,d\n');
  await write({
    'a_2.csv': 'x,y,z,n\r\n11,21,31,"a\n2"\r\n\r\n12,22,32,b',
    'a_10.csv': '\ufeffx,y,z,n\n10,20,30,a10\n',
    'a_B.csv.gz': gzipSync('x,y,z,n\n13,23,33,B'),
    'a_empty.csv': 'x,y,z,n\n',
    'whole.csv':
      '\ufeffx,y,z,n\n10,20,30,a10\n11,21,31,"a\n2"\r\n\r\n12,22,32,b\r\n13,23,33,B\n14,24,34,d\n10,20,30,a10\n',
  });
  await write({ 'last.csv': 'x,y,z,n\n10,20,30,a10\n' });
  const pattern = 'a_{10,2,empty}.csv';
  // Sorted by bytes: a_10 < a_2 < a_empty.
  const several = await lookup([pattern, 'a_B.csv.gz', `${served.url}/tables/d.csv`, 'last.csv']);
  const whole = await lookup(['whole.csv']);
  expect(whole).toMatchObject({ code: 0, stderr: '' });
  expect(several).toEqual(whole);
});

test('rows in messages are those of their file', async () => {
  await write({
    'r1.csv': 'x,y,z\n10,20,30\nbad,20,30\n',
    'r2.csv': 'x,y,z\n10,20,30\n10,20,30\n10,bad,30\n',
  });
  const { code, stderr } = await lookup(['r1.csv', 'r2.csv']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/r1\.csv: row 2 \(line 3\): .*\n.*r2\.csv: row 3 \(line 4\): /);
  await write({ 'r3.csv': 'x,y,z\n10,20,30\n"10,20,30\n' });
  await refused(['r1.csv', 'r3.csv'], /r3\.csv: row 2 \(line 3\): a quote is opened and never closed/);
});

test('JSON Lines have no header to drop', async () => {
  await write({ '1.jsonl': '{"x":10,"y":20,"z":30}', '2.jsonl': '{"z":31,"y":21,"x":11}\n' });
  const { stdout, code } = await lookup(['1.jsonl', '2.jsonl']);
  expect([code, stdout.split('\n').length]).toEqual([0, 3]);
  await write({ '3.jsonl': '{"x":10,"y":20}\n' });
  await refused(['1.jsonl', '3.jsonl'], /3\.jsonl does not have the columns of .*1\.jsonl: "z" is missing/);
});

test('files that cannot be one table are refused, by their names', async () => {
  await write({
    'p.csv': 'x,y,z\n10,20,30\n',
    'q.csv': 'x,z,y\n10,20,30\n',
    's.csv': 'x,y,z,w\n10,20,30,1\n',
    't.tsv': 'x\ty\tz\n',
    'none.csv': '',
    'u.npy': 'x',
    'v.npy': 'x',
  });
  await refused(['p.csv', 'q.csv'], /q\.csv does not have the columns of .*p\.csv: column 2 is "z", not "y"/);
  await refused(['p.csv', 's.csv'], /s\.csv does not have the columns of .*p\.csv: "w" is not in that file/);
  await refused(['p.csv', 't.tsv'], /t\.tsv does not have the format of .*p\.csv/);
  await refused(['p.csv', 'none.csv'], /none\.csv: the table is empty/);
  await refused(['p.csv', 'missing.csv'], /missing\.csv cannot be read/);
  await refused(['nothing_*.csv'], /--points .*nothing_\*\.csv finds no file/);
  await refused(['p.csv', '[p].csv'], /--points names .*p\.csv twice/);
  await refused(['?.npy'], /u\.npy: the table is not a NumPy array/);
  await refused(['p.csv', '.'], /is not a regular file/, '--format', 'csv');
  const onto = await lookup(['p.csv', 's.csv'], '--out', file('s.csv'));
  expect(onto.stderr).toMatch(/--out .*s\.csv would overwrite --points .*s\.csv/);
});

test('tables of IDs may be several files of one format', async () => {
  await using pcg = await servePcg();
  await write({
    '1.ids.txt': `${sv(0)}\n${sv(1)}`,
    '2.ids.txt': `${sv(2)}\n`,
    '3.ids.txt': `supervoxel_id\n${sv(2)}\n`,
  });
  const roots = (pattern: string): Promise<CliResult> =>
    runCli(['roots', pcg.path, '--quiet', '--ids', file(pattern)]);
  const { stdout, stderr } = await roots('[12].ids.txt');
  expect([stderr, stdout]).toEqual([
    '',
    `supervoxel_id,root_id,status\n${[0, 1, 2].map((n) => `${sv(n)},${rootAt(n, LAST)},ok\n`).join('')}`,
  ]);
  expect((await roots('[13].ids.txt')).stderr).toMatch(
    /3\.ids\.txt is read as csv, and .*1\.ids\.txt as list: files of one table need the same format/,
  );
});
