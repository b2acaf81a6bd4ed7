/** Jobs on the command line: plan, run, shards, merge, resume, status and cancel. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFixture } from '../../testing/fixtures.ts';
import { arrowFixture } from '../tables/arrow/arrow-files.ts';
import { type CliResult, runCli } from './run-cli.ts';

const fixture = loadFixture('img_raw_u8');
const folder = mkdtempSync(join(tmpdir(), 'job-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);
const textOf = (name: string): string => readFileSync(file(name), 'latin1');

const job = (
  step: string,
  argv: readonly string[],
  options: Parameters<typeof runCli>[1] = {},
): Promise<CliResult> => runCli(['job', step, ...argv], options);
const JOB = ['--volume', fixture.folder, '--task-points', '40', '--quiet'];
const tasksIn = (name: string): string[] => readdirSync(join(file(name), 'tasks')).toSorted();

beforeAll(async () => {
  const rows = Array.from({ length: 200 }, (_, k) =>
    k % 9 === 0 ? `${k},,,\n` : `${k},${10 + ((k * 37) % 72)},${20 + (k % 64)},${30 + (k % 26)}\n`,
  );
  writeFileSync(file('points.csv'), `id,x,y,z\n${rows.join('')}`);
  const result = await runCli([
    'lookup',
    fixture.folder,
    '--points',
    file('points.csv'),
    '--out',
    file('one.csv'),
    '--quiet',
  ]);
  expect(result).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('job', () => {
  test('run writes what lookup writes, and resume does nothing when it is done', async () => {
    const argv = [file('points.csv'), ...JOB, '--out', file('run.csv'), '--job', file('run.job')];
    expect(await job('run', argv)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(textOf('run.csv')).toBe(textOf('one.csv'));
    expect(tasksIn('run.job').length).toBeGreaterThan(2);
    const again = await job('resume', [file('run.job')]);
    expect(again).toEqual({ code: 0, stdout: '', stderr: `the job is done: ${file('run.csv')}\n` });
    const second = await job('run', argv);
    expect(second).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('already holds a job: graphene-points job resume'),
    });
  });

  test.each(['run', 'plan'])(
    '%s leaves no folder if a table cannot be read, so that it can be run again',
    async (step) => {
      const input = file(`bad-${step}.csv`),
        argv = [input, ...JOB, '--out', file(`bad-${step}-out.csv`), '--job', file(`bad-${step}.job`)];
      writeFileSync(input, `${textOf('points.csv')}"unclosed,1,2\n`);
      expect(await job(step, argv)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('never closed'),
      });
      expect(existsSync(file(`bad-${step}.job`))).toBe(false);
      writeFileSync(input, textOf('points.csv'));
      expect(await job(step, argv)).toMatchObject({ code: 0 });
    },
  );

  test('plan leaves no folder if the table changes meanwhile', async () => {
    const input = file('meanwhile.csv');
    writeFileSync(input, textOf('points.csv'));
    // The volume is opened after the job has noted what the table is.
    const server = createServer((request, response) => {
      appendFileSync(input, '200,1,1,1\n');
      response.end(readFileSync(join(fixture.folder, request.url!)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const argv = ['--volume', `http://127.0.0.1:${port}`, '--quiet', '--out', file('meanwhile-out.csv')];
      expect(await job('plan', [input, ...argv, '--job', file('meanwhile.job')])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('has changed since the job was made'),
      });
      expect(existsSync(file('meanwhile.job'))).toBe(false);
    } finally {
      server.close();
    }
  });

  test('run keeps the folder if it has a copy of standard input', async () => {
    const argv = ['-', ...JOB, '--out', file('bad-copy-out.csv'), '--job', file('bad-copy.job')];
    expect(await job('run', argv, { stdin: 'id,x,y,z\n"1,2' })).toMatchObject({ code: 2 });
    expect(readdirSync(file('bad-copy.job'))).toContain('input');
  });

  test('plan, shards and merge write what lookup writes', async () => {
    const name = file('shards.job');
    const plan = await job('plan', [
      file('points.csv'),
      ...JOB.slice(0, -1),
      '--out',
      file('shards.csv'),
      '--job',
      name,
    ]);
    expect(plan).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^200 rows are planned in \d+ tasks: /),
    });
    expect(existsSync(file('shards.csv'))).toBe(false);
    const early = await job('merge', [name]);
    expect(early).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/\d+ of \d+ tasks are not done: 0, 1/),
    });
    const shards = [1, 0].map((shard) => job('run', ['--job', name, '--shard', `${shard}/2`]));
    expect((await Promise.all(shards)).map(({ code }) => code)).toEqual([0, 0]);
    const again = await job('run', ['--job', name, '--shard', '0/2']);
    expect(again.stderr).toMatch(/^shard 0\/2: 0 tasks are done now, \d+ were done before\n$/);
    const merged = await job('merge', [name]);
    expect(merged).toMatchObject({ code: 0, stderr: expect.stringContaining('200 rows: ') });
    expect(textOf('shards.csv')).toBe(textOf('one.csv'));
    const { stdout } = await job('status', [name, '--json']);
    const status = JSON.parse(stdout) as { statuses: Record<string, Record<string, number>> };
    expect(status).toMatchObject({
      state: 'done',
      rows: 200,
      output: file('shards.csv'),
      inputs: [file('points.csv')],
    });
    expect(Object.values(status.statuses['']).reduce((a, b) => a + b)).toBe(200);
    expect((await job('status', [name])).stdout).toMatch(/^state +done$/m);
  });

  test('resume does only the tasks that are not done', async () => {
    const name = file('resume.job');
    await job('run', [file('points.csv'), ...JOB, '--out', file('resume.csv'), '--job', name]);
    const [first, second, ...rest] = tasksIn('resume.job').map((task) => join(name, 'tasks', task));
    const kept = rest.map((path) => readFileSync(path).toString('hex'));
    rmSync(first);
    writeFileSync(second, readFileSync(second).subarray(0, -1));
    rmSync(file('resume.csv'));
    const { stdout } = await job('status', [name]);
    expect(stdout).toMatch(/^tasks +\d+ of \d+ done, 1 damaged$/m);
    const resumed = await job('resume', [name, '--quiet']);
    expect(resumed).toMatchObject({
      code: 0,
      stderr: `warning: ${second} is damaged: its task is done again\n`,
    });
    expect(textOf('resume.csv')).toBe(textOf('one.csv'));
    expect(rest.map((path) => readFileSync(path).toString('hex'))).toEqual(kept);
  });

  test('keeps a stream, and the format of an Arrow table', async () => {
    const { stdin } = { stdin: textOf('points.csv') };
    const piped = await job('run', ['-', ...JOB, '--out', file('piped.csv'), '--job', file('piped.job')], {
      stdin,
    });
    expect(piped).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(textOf('piped.csv')).toBe(textOf('one.csv'));
    writeFileSync(file('t.arrow'), arrowFixture('pyarrow-lz4.arrow'));
    const flags = [file('t.arrow'), ...JOB, '--position', 'fixed'];
    const arrow = await job('run', [...flags, '--out', file('job.arrow'), '--job', file('arrow.job')]);
    expect(arrow).toEqual({ code: 0, stdout: '', stderr: '' });
    const table = ['--points', file('t.arrow'), '--position', 'fixed', '--out', file('one.arrow'), '--quiet'];
    await runCli(['lookup', fixture.folder, ...table]);
    expect(readFileSync(file('job.arrow')).equals(readFileSync(file('one.arrow')))).toBe(true);
  });

  test('refuses an input that has changed, and says what it was', async () => {
    writeFileSync(file('edited.csv'), textOf('points.csv'));
    const name = file('edited.job');
    await job('plan', [file('edited.csv'), ...JOB, '--out', file('edited-out.csv'), '--job', name]);
    utimesSync(file('edited.csv'), 1e9, 1e9);
    const touched = await job('resume', [name]);
    expect(touched).toMatchObject({ code: 2, stderr: expect.stringContaining('and is 2,') });
    expect(touched.stderr).toContain('of 2001-09-09T01:46:40.000Z');
    appendFileSync(file('edited.csv'), '1,2,3,4\n');
    const grown = await job('resume', [name]);
    expect(grown.stderr).toMatch(
      /edited\.csv has changed since the job was made: it was 2,\d+ bytes .*, and is 2,\d+ bytes/,
    );
    expect(existsSync(file('edited-out.csv'))).toBe(false);
  });

  test('cancel deletes the answers, and the job does not go on', async () => {
    const name = file('cancel.job');
    await job('plan', [file('points.csv'), ...JOB, '--out', file('cancel.csv'), '--job', name]);
    expect(await job('cancel', [name])).toMatchObject({ code: 0 });
    expect(readdirSync(name).toSorted()).toEqual(['cancelled', 'manifest.json', 'plan.json']);
    expect(await job('resume', [name])).toMatchObject({
      code: 2,
      stderr: `error: the job ${name} was cancelled\n`,
    });
    expect((await job('status', [name])).stdout).toMatch(/^state +cancelled$/m);
  });

  test('says how it is resumed after an interrupt', async () => {
    const abort = new AbortController(),
      name = file('interrupted.job');
    await job('plan', [file('points.csv'), ...JOB, '--out', file('interrupted.csv'), '--job', name]);
    abort.abort();
    const stopped = await job('resume', [name], { signal: abort.signal });
    expect(stopped).toEqual({ code: 130, stdout: '', stderr: expect.stringMatching(/^interrupted/) });
    expect(await job('resume', [name, '--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(textOf('interrupted.csv')).toBe(textOf('one.csv'));
  });

  test.each([
    [[], 'name the tables of points'],
    [['points.csv', '--out', 'x.csv'], '--volume names the volume'],
    [['points.csv', '--volume', 'gs://b/v'], 'a job writes a file: name it with --out'],
    [['points.csv', '--volume', 'https://h/v?token=abc', '--out', 'x.csv'], 'which may be a secret'],
    [['--shard', '0/2', '--mip', '1'], 'leave out mip'],
    [['--shard', '2/2'], 'expected I/N with I from 0 to N - 1'],
  ])('run %j is refused: %s', async (argv, message) => {
    const { code, stderr } = await job('run', [...argv, '--job', file('refused.job')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain('abc');
    expect(existsSync(file('refused.job'))).toBe(false);
  });
});
