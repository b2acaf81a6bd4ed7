/** The files of a job: no file overwrites another, and no two jobs write the same file. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { link, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { loadFixture } from '../../testing/fixtures.ts';
import { firstChange } from './first-change.ts';
import { runCli } from './run-cli.ts';

const volume = loadFixture('img_raw_u8').folder;
const TABLE = 'x,y,z\n10,20,30\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'points-'));
  await writeFile(join(folder, 'in.csv'), TABLE);
  await writeFile(join(folder, 'in.csv.partial'), TABLE);
  await symlink('in.csv', join(folder, 'symlink.csv'));
  await symlink('in.csv.partial', join(folder, 'partial.csv'));
  await link(join(folder, 'in.csv'), join(folder, 'hardlink.json'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const lookup = (flags: readonly string[], signal?: AbortSignal) =>
  runCli(
    [
      'lookup',
      volume,
      '--format',
      'csv',
      '--quiet',
      ...flags.map((flag) => (flag.startsWith('-') ? flag : at(flag))),
    ],
    { signal },
  );

test.each([
  [['--points', 'in.csv', '--out', 'out.csv', '--stats', 'in.csv'], 'they are the same file'],
  [['--points', 'in.csv', '--out', 'out.csv', '--stats', 'symlink.csv'], 'they are the same file'],
  [['--points', 'symlink.csv', '--out', 'out.csv', '--stats', 'in.csv'], 'they are the same file'],
  [['--points', 'in.csv', '--out', 'out.csv', '--stats', 'hardlink.json'], 'they are the same file'],
  [['--points', 'in.csv', '--out', 'in.csv', '--stats', 'in.csv'], 'they are the same file'],
  [['--points', 'in.csv', '--out', 'out.csv', '--stats', 'out.csv'], 'they are the same file'],
  [['--points', 'in.csv.partial', '--out', 'in.csv'], 'rename it first'],
  [['--points', 'partial.csv', '--out', 'symlink.csv'], 'rename it first'],
  [['--points', 'in.csv.partial', '--out', 'out.csv', '--stats', 'in.csv'], 'rename it first'],
  [['--points', 'in.csv', '--out', 'out.csv.partial'], 'choose another name'],
  [['--points', 'in.csv', '--out', 'out.csv', '--stats', 'out.csv.lock'], 'choose another name'],
])('%j is refused, and no file is written', async (flags, message) => {
  const before = await readdir(folder);
  const { code, stderr } = await lookup(flags);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect([
    await readFile(at('in.csv'), 'utf8'),
    await readFile(at('in.csv.partial'), 'utf8'),
    await readdir(folder),
  ]).toEqual([TABLE, TABLE, before]);
});

test.each(['in.csv', 'symlink.csv'])('the output may be the input, here %s', async (out) => {
  expect(await lookup(['--points', 'in.csv', '--out', out])).toMatchObject({ code: 0, stderr: '' });
  expect(await readFile(at('symlink.csv'), 'utf8')).toMatch(/^x,y,z,value,status\n10,20,30,\d+,ok\n$/);
});

test.each([
  ['--out', ['--points', 'in.csv', '--out', 'in.csv']],
  ['--out', ['--points', 'in.csv', '--out', 'out.csv', '--stats', 'other.json']],
  ['--stats', ['--points', 'in.csv', '--out', 'other.csv', '--stats', 'stats.json']],
])('a second run with the same %s is refused before it reads anything', async (option, flags) => {
  const controller = new AbortController(),
    created = firstChange(folder);
  const first = lookup(
    [
      '--points',
      '-',
      '--out',
      option === '--out' ? flags[flags.indexOf('--out') + 1] : 'out.csv',
      '--stats',
      'stats.json',
    ],
    controller.signal,
  );
  await created;
  const second = await lookup(flags);
  expect([second.code, second.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^error: .* is being written by another run \(process \d+\): wait until it ends, or write to another file\n$/,
    ),
  ]);
  controller.abort(new Error('interrupted'));
  expect((await first).code).toBe(130);
  expect((await readdir(folder)).filter((name) => name.endsWith('.lock'))).toEqual([]);
  expect(await readFile(at('in.csv'), 'utf8')).toBe(TABLE);
});

test('a job that fails closes standard input, even if more input may come', async () => {
  const stdin = new PassThrough();
  stdin.write(`x,y,z\nten,20,30\n${'1,2,3\n'.repeat(1_000_000)}`); // one batch; the job waits for the next
  expect(await runCli(['lookup', volume, '--points', '-', '--strict'], { stdin })).toMatchObject({
    code: 2,
    stdout: '',
  });
  expect(stdin.destroyed).toBe(true);
});
