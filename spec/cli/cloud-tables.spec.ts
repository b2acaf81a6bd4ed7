/** Tables on cloud paths, on the command line. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { createMockBucket, createMockChunkedGraph, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { pcgGraph } from '../../testing/pcg-graph.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { arrowFixture } from '../tables/arrow/arrow-files.ts';
import { LAST, rootAt, sv } from './pcg-cli.ts';
import { type CliResult, runCli } from './run-cli.ts';

const fixture = loadFixture('img_raw_u8');
const CSV = `x,y,z\n${Array.from({ length: 400 }, (_, k) => `${10 + (k % 30)},${20 + (k % 20)},${30 + (k % 7)}\n`).join('')}`;
const bucket = createMockBucket({ files: {} }),
  secret = createMockBucket({ files: {}, token: 'T0KEN', style: 's3' });
const graph = createMockChunkedGraph({ ...pcgGraph, dataDir: '{HOST}/none' });
let served: ServedMocks, folder: string;

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/tables': bucket, '/private': secret });
  folder = await mkdtemp(join(tmpdir(), 'cloud-'));
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  bucket.faults.length = bucket.log.requests.length = 0;
});

const lookup = (points: string, ...flags: string[]): Promise<CliResult> =>
  runCli(['lookup', fixture.folder, '--quiet', '--retries', '1', '--points', points, ...flags]);
const url = (name: string): string => `${served.url}/tables/${name}`;
const expected = async (): Promise<CliResult> => {
  await writeFile(join(folder, 'local.csv'), CSV);
  const result = await lookup(join(folder, 'local.csv'));
  expect(result).toMatchObject({ code: 0, stderr: '' });
  expect(result.stdout.split('\n')).toHaveLength(402);
  return result;
};

describe('text tables', () => {
  test('are read from https, gs, s3 and file URLs, with a query, compressed and encoded', async () => {
    bucket.put('a.csv', CSV);
    bucket.put('a.csv.gz', gzipSync(CSV));
    bucket.put('once.csv.gz', gzipSync(CSV), 'gzip');
    bucket.put('encoded.csv', gzipSync(CSV), 'gzip');
    bucket.put('brotli.csv', brotliCompressSync(CSV), 'br');
    bucket.put('noname', CSV);
    const same = await expected();
    for (const name of ['a.csv', 'a.csv.gz', 'once.csv.gz', 'encoded.csv', 'brotli.csv', 'a.csv?sig=x.jsonl'])
      expect([name, await lookup(url(name))]).toEqual([name, same]);
    for (const path of ['gs://tables/a.csv', 's3://tables/a.csv'])
      expect(await lookup(path, '--endpoint', served.url)).toEqual(same);
    expect(await lookup(`file://${join(folder, 'local.csv')}`)).toEqual(same);
    expect(await lookup(url('noname'), '--format', 'csv')).toEqual(same);
  });

  test('may be empty only where a file may be', async () => {
    bucket.put('empty.csv', '');
    bucket.put('empty.jsonl', '');
    expect(await lookup(url('empty.csv'))).toMatchObject({ code: 2 });
    expect(await lookup(url('empty.jsonl'), '--out', join(folder, 'e.jsonl'))).toMatchObject({ code: 0 });
  });

  test('that cannot be read whole are errors, and leave no output', async () => {
    bucket.put('a.csv', CSV);
    const out = join(folder, 'none.csv');
    const refused = async (path: string, message: RegExp, ...flags: string[]): Promise<void> => {
      const { code, stderr } = await lookup(path, '--out', out, ...flags);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
      expect((await readdir(folder)).filter((name) => name.startsWith('none'))).toEqual([]);
    };
    await refused(url('missing.csv'), /tables\/missing\.csv cannot be read: there is no such object/);
    bucket.faults.push({ truncate: 1000 });
    await refused(url('a.csv'), /tables\/a\.csv cannot be read: .*(closed|ended|reset|hang up|cut)/);
    bucket.faults[0] = { cut: 1000 };
    await refused(url('a.csv'), /tables\/a\.csv cannot be read: .*requested bytes/);
    bucket.faults[0] = { status: 503 };
    await refused(url('a.csv?sig=SECRET'), /^(?!.*SECRET).*tables\/a\.csv answered 503/);
    bucket.faults[0] = { status: 503, times: 1 };
    expect(await lookup(url('a.csv'))).toEqual(await expected());
    bucket.faults.length = 0;
    bucket.put('xz.csv', 'x', 'xz');
    await refused(url('xz.csv'), /xz\.csv has the content encoding xz, which a table may not have/);
    await refused(
      'gs://tables/*.csv',
      /gs:\/\/tables\/\*\.csv is a pattern, which finds files of this machine/,
    );
    await refused('gs://tables', /gs:\/\/tables does not name a file/);
    await refused('ftp://host/a.csv', /ftp:\/\/ is not supported/);
  });
});

test('tables of formats that seek are copied to a file that does not stay', async () => {
  const before = arrowFixture('pyarrow-lz4.arrow');
  bucket.put('a.arrow', before);
  bucket.put('e.arrow', gzipSync(before), 'gzip');
  await writeFile(join(folder, 'local.arrow'), before);
  const temporary = await mkdtemp(join(folder, 'temporary-'));
  const out = async (path: string): Promise<Buffer> => {
    const flags = ['--position', 'fixed', '--out', join(folder, 'out.arrow'), '--temp-dir', temporary];
    expect(await lookup(path, ...flags)).toEqual({ code: 0, stdout: '', stderr: '' });
    return readFile(join(folder, 'out.arrow'));
  };
  const same = await out(join(folder, 'local.arrow'));
  for (const name of ['a.arrow', 'e.arrow']) expect((await out(url(name))).equals(same)).toBe(true);
  expect(await readdir(temporary)).toEqual([]);
});

test('tables of IDs are read from private buckets, whose secrets go to no other host', async () => {
  secret.put('ids.csv', `supervoxel_id\n${sv(0)}\n${sv(1)}\n`);
  process.env.AWS_ACCESS_KEY_ID = 'T0KEN';
  process.env.AWS_SECRET_ACCESS_KEY = 'k3y';
  try {
    const path = `graphene://${served.url}/segmentation/table/${pcgGraph.table}`;
    const flags = ['--ids', 's3://private/ids.csv', '--endpoint', served.url, '--quiet'];
    const { stdout, ...rest } = await runCli(['roots', path, ...flags]);
    expect(rest).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').slice(1, 3)).toEqual([0, 1].map((n) => `${sv(n)},${rootAt(n, LAST)},ok`));
    expect(secret.log.requests.some(({ headers }) => /T0KEN/.test(headers.authorization ?? ''))).toBe(true);
    for (const { headers } of graph.log.requests) expect(headers.authorization ?? '').not.toMatch(/T0KEN/);
  } finally {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
  }
});
