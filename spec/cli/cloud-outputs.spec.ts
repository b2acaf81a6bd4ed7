/** Outputs on cloud paths, on the command line. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  createMockBucket,
  createMockChunkedGraph,
  gsRoutes,
  serveMocks,
  type ServedMocks,
} from '../../mocks/index.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { pcgGraph } from '../../testing/pcg-graph.ts';
import { arrowFixture } from '../tables/arrow/arrow-files.ts';
import { LAST, rootAt, sv } from './pcg-cli.ts';
import { type CliOptions, type CliResult, runCli } from './run-cli.ts';

const fixture = loadFixture('img_raw_u8');
const CSV = `x,y,z\n${Array.from({ length: 400 }, (_, k) => `${10 + (k % 30)},${20 + (k % 20)},${30 + (k % 7)}\n`).join('')}`;
const google = createMockBucket({ files: {}, writable: true }),
  amazon = createMockBucket({ files: {}, style: 's3', writable: true });
const graph = createMockChunkedGraph({ ...pcgGraph, dataDir: '{HOST}/none' });
let served: ServedMocks, folder: string, temporary: string, points: string, same: string;

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/aws': amazon, ...gsRoutes({ goog: google }) });
  folder = await mkdtemp(join(tmpdir(), 'cloud-out-'));
  temporary = await mkdtemp(join(folder, 'temporary-'));
  points = join(folder, 'points.csv');
  await writeFile(points, CSV);
  const result = await runCli(['lookup', fixture.folder, '--quiet', '--points', points]);
  expect(result).toMatchObject({ code: 0, stderr: '' });
  same = result.stdout;
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  for (const { faults, log } of [google, amazon]) faults.length = log.requests.length = 0;
});

const lookup = (flags: string[], options?: CliOptions): Promise<CliResult> =>
  runCli(
    [
      ...['lookup', fixture.folder, '--quiet', '--retries', '0', '--endpoint', served.url],
      ...['--temp-dir', temporary, '--points', points, ...flags],
    ],
    options,
  );
const text = (bucket: typeof google, key: string): string | undefined => {
  const bytes = bucket.get(key)?.bytes;
  return bytes && Buffer.from(bytes).toString();
};
const SUCCESS = { code: 0, stdout: '', stderr: '' };

describe('a table', () => {
  test('is written to gs, s3 and file URLs, with its type, and leaves no temporary file', async () => {
    expect(await lookup(['--out', 'gs://goog/dir/a.csv', '--stats', 'gs://goog/dir/a.json'])).toEqual(
      SUCCESS,
    );
    expect([text(google, 'dir/a.csv'), google.get('dir/a.csv')!.contentType]).toEqual([
      same,
      'text/csv; charset=utf-8',
    ]);
    expect(JSON.parse(text(google, 'dir/a.json')!)).toMatchObject({ rows: 400 });
    expect(google.get('dir/a.json')!.contentType).toBe('application/json');
    expect(await lookup(['--out', 's3://aws/a.csv.gz'])).toEqual(SUCCESS);
    const { bytes, contentType, contentEncoding } = amazon.get('a.csv.gz')!;
    expect([gunzipSync(bytes).toString(), contentType, contentEncoding]).toEqual([
      same,
      'application/gzip',
      undefined,
    ]);
    expect(await lookup(['--out', `file://${join(folder, 'out.csv')}`])).toEqual(SUCCESS);
    expect(await readFile(join(folder, 'out.csv'), 'utf8')).toBe(same);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('may name its server, and be of a format that seeks', async () => {
    const arrow = join(folder, 'a.arrow');
    await writeFile(arrow, arrowFixture('pyarrow-lz4.arrow'));
    const flags = ['lookup', fixture.folder, '--quiet', '--points', arrow, '--position', 'fixed'];
    expect(await runCli([...flags, '--out', join(folder, 'local.arrow')])).toEqual(SUCCESS);
    expect(await runCli([...flags, '--out', `s3+${served.url}/aws/x.arrow`])).toEqual(SUCCESS);
    expect((await readFile(join(folder, 'local.arrow'))).equals(amazon.get('x.arrow')!.bytes)).toBe(true);
    expect(amazon.get('x.arrow')!.contentType).toBe('application/vnd.apache.arrow.file');
  });

  test('is converted to the format of its name', async () => {
    expect(await lookup(['--out', 'gs://goog/o.parquet'])).toEqual(SUCCESS);
    const { bytes, contentType } = google.get('o.parquet')!;
    expect([Buffer.from(bytes.subarray(0, 4)).toString(), contentType]).toEqual([
      'PAR1',
      'application/vnd.apache.parquet',
    ]);
    expect(await readdir(temporary)).toEqual([]);
  });

  test('of IDs replaces its input', async () => {
    google.put('ids.csv', `supervoxel_id\n${sv(0)}\n`);
    const path = `graphene://${served.url}/segmentation/table/${pcgGraph.table}`;
    const flags = ['--ids', 'gs://goog/ids.csv', '--endpoint', served.url, '--quiet'];
    expect(await runCli(['roots', path, ...flags, '--out', 'gs://goog/ids.csv'])).toEqual(SUCCESS);
    expect(text(google, 'ids.csv')).toMatch(new RegExp(`^supervoxel_id,root_id,status\n${sv(0)},\\d+,ok\n$`));
  });
});

describe('the answers of a graph call', () => {
  test('come for IDs of a table in a bucket or of typed columns, and go to a bucket', async () => {
    const path = `graphene://${served.url}/segmentation/table/${pcgGraph.table}`,
      flags = ['--endpoint', served.url, '--temp-dir', temporary];
    const root = rootAt(0, LAST);
    google.put('g.csv', `root_id\n${root}\n`);
    google.put('s.csv', `supervoxel_id\n${sv(0)}\n`);
    const direct = await runCli(['graph', 'is-latest', path, root]);
    expect(direct).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\{"id":.*\n$/) });
    const stored = ['graph', 'is-latest', path, '--ids', 'gs://goog/g.csv', ...flags];
    expect(await runCli([...stored, '--out', 'gs://goog/g.jsonl'])).toEqual(SUCCESS);
    expect(text(google, 'g.jsonl')).toBe(direct.stdout);
    const argv = ['roots', path, '--ids', 'gs://goog/s.csv', ...flags, '--quiet'];
    expect(await runCli([...argv, '--out', join(folder, 'g.parquet')])).toEqual(SUCCESS);
    const typed = ['graph', 'is-latest', path, '--ids', join(folder, 'g.parquet')];
    expect(await runCli(typed)).toEqual(direct);
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('a job', () => {
  const jobFlags = (name: string, out: string): string[] => [
    ...[points, '--volume', fixture.folder, '--task-points', '100', '--quiet', '--retries', '0'],
    ...['--endpoint', served.url, '--job', join(folder, name), '--out', out],
  ];
  const job = (...argv: string[]): Promise<CliResult> => runCli(['job', ...argv], { env: {} });

  test.each([
    ['gs://goog/job.csv', () => text(google, 'job.csv')],
    ['s3://aws/job.csv', () => text(amazon, 'job.csv')],
  ])('writes %s when all tasks are done', async (out, written) => {
    const name = `${out.slice(0, 2)}.job`;
    expect(await job('run', ...jobFlags(name, out))).toEqual(SUCCESS);
    expect(written()).toBe(same);
    const again = await job('resume', join(folder, name));
    expect(again).toEqual({ ...SUCCESS, stderr: `the job is done: ${out}\n` });
  });

  test('writes a file:// URL, and shards of a plan are merged into a bucket', async () => {
    const local = join(folder, 'url.csv');
    expect(await job('run', ...jobFlags('url.job', `file://${local}`))).toEqual(SUCCESS);
    expect(await readFile(local, 'utf8')).toBe(same);
    const name = join(folder, 'plan.job');
    expect(await job('plan', ...jobFlags('plan.job', 'gs://goog/plan.csv'))).toEqual(SUCCESS);
    expect([google.get('plan.csv'), google.unfinishedUploads]).toEqual([undefined, []]);
    for (const shard of ['0/2', '1/2'])
      expect((await job('run', '--job', name, '--shard', shard)).code).toBe(0);
    expect(await job('merge', name, '--quiet')).toEqual(SUCCESS);
    expect(text(google, 'plan.csv')).toBe(same);
  });

  test('whose upload fails keeps its tasks, and resume writes the object', async () => {
    google.faults.push({ match: ({ method }) => method === 'PUT', status: 500 });
    const failed = await job('run', ...jobFlags('again.job', 'gs://goog/again.csv'));
    expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be written') });
    expect([google.get('again.csv'), google.unfinishedUploads]).toEqual([undefined, []]);
    google.faults.length = 0;
    const tasks = join(folder, 'again.job/tasks'),
      before = await Promise.all((await readdir(tasks)).map((task) => readFile(join(tasks, task), 'hex')));
    expect(await job('resume', join(folder, 'again.job'), '--quiet')).toEqual(SUCCESS);
    expect(text(google, 'again.csv')).toBe(same);
    const after = await Promise.all((await readdir(tasks)).map((task) => readFile(join(tasks, task), 'hex')));
    expect(after).toEqual(before);
    const files = ['failures.csv', 'finished.json', 'manifest.json', 'plan.json', 'points', 'tasks'];
    expect((await readdir(join(folder, 'again.job'))).toSorted()).toEqual(files);
  });
});

describe('nothing is written', () => {
  const refused = async (flags: string[], message: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await lookup(flags);
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(message)]);
    expect(await readdir(temporary)).toEqual([]);
  };

  test('where two files are one, or a path cannot be written', async () => {
    await refused(
      ['--out', 's3://aws/o.csv', '--stats', 's3://aws/o.csv'],
      /--stats .*aws\/o\.csv would overwrite --out/,
    );
    await refused(
      ['--out', `${served.url}/goog/o.csv`],
      /--out .*goog\/o\.csv is a URL that is not written to: name a file/,
    );
    await refused(['--out', 'mem://goog/o.csv'], /is a URL that is not written to/);
    await refused(['--out', 'gs://goog/*.csv'], /is a pattern: name one object/);
    await refused(['--out', 'gs://goog'], /does not name a file in a folder or bucket/);
    await refused(['--out', 'ftp://host/o.csv'], /ftp:\/\/ is not supported/);
    expect([...google.log.requests, ...amazon.log.requests]).toEqual([]);
  });

  test('without the permission, and no voxel is read', async () => {
    amazon.faults.push({ match: /uploads=/, status: 403, body: '<Error><Code>AccessDenied</Code></Error>' });
    await refused(
      ['--out', 's3://aws/o.csv'],
      /^error: --out s3:\/\/aws\/o\.csv cannot be written: .*aws\/o\.csv answered 403 AccessDenied to an upload; writing needs s3:PutObject/,
    );
  });

  test('after a failure, or over the rows of another program', async () => {
    google.faults.push({ match: ({ method }) => method === 'PUT', status: 500 });
    await refused(
      ['--out', 'gs://goog/o.csv'],
      /--out gs:\/\/goog\/o\.csv cannot be written: .* answered 500/,
    );
    expect([google.get('o.csv'), google.unfinishedUploads]).toEqual([undefined, []]);
    google.faults[0] = {
      match: ({ method }) =>
        method === 'DELETE' && google.get('o.csv') === undefined && (google.put('o.csv', 'x'), false),
    };
    await refused(
      ['--out', 'gs://goog/o.csv'],
      /--out gs:\/\/goog\/o\.csv was written by another program meanwhile/,
    );
    expect(text(google, 'o.csv')).toBe('x');
  });

  test('after an interrupt', async () => {
    const interrupt = new AbortController();
    google.faults.push({
      match: ({ method }) => method === 'PUT' && (interrupt.abort(new Error('interrupted')), true),
      stall: true,
    });
    expect(await lookup(['--out', 'gs://goog/i.csv'], { signal: interrupt.signal })).toEqual({
      code: 130,
      stdout: '',
      stderr: 'interrupted\n',
    });
    expect([google.get('i.csv'), google.unfinishedUploads]).toEqual([undefined, []]);
    expect(await readdir(temporary)).toEqual([]);
  });
});
