/** The command as a process: pipes and signals. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFixture } from '../../testing/fixtures.ts';
import { program } from '../support/program.ts';
import { firstChange } from './first-change.ts';

const main = program('lib/cli/main.ts');
const volume = loadFixture('img_raw_u8').folder;

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));

function start(
  argv: readonly string[],
  stdio: StdioOptions = 'pipe',
): ChildProcess & { messages: () => string } {
  const child = spawn(process.execPath, [main, ...argv], { stdio });
  let stderr = '';
  child.stderr?.on('data', (part) => (stderr += String(part)));
  child.stdin?.on('error', () => undefined); // it may end before it has read everything
  return Object.assign(child, { messages: () => stderr });
}

test('it ends quietly when the reader closes the output', async () => {
  const child = start(['lookup', volume, '--points', '-']);
  child.stdout!.once('data', () => child.stdout!.destroy());
  child.stdin!.end(`x,y,z\n${'10,20,30\n'.repeat(500_000)}`);
  const [code] = (await once(child, 'close')) as [number];
  expect([code, child.messages()]).toEqual([0, '']);
});

test('it ends with 130 on Ctrl-C, keeps FILE.partial and shows no stack', async () => {
  const created = firstChange(folder);
  const child = start(['lookup', volume, '--points', '-', '--out', join(folder, 'out.csv')]);
  child.stdin!.write('x,y,z\n1,2,3\n'); // the input does not end
  await created;
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  expect([code, child.messages(), await readdir(folder)]).toEqual([
    130,
    `interrupted; the rows so far are in ${join(folder, 'out.csv.partial')}\n`,
    ['out.csv.partial'],
  ]);
});

const closed = async (child: ChildProcess): Promise<unknown> =>
  ((await once(child, 'close')) as unknown[])[0];

describe('a FIFO', () => {
  const fifo = (): string => join(folder, 'fifo');
  beforeEach(() => void execFileSync('mkfifo', [fifo()]));

  test('without a writer ends with SIGINT, and leaves no lock', async () => {
    const created = firstChange(folder);
    const child = start([
      'lookup',
      volume,
      '--points',
      fifo(),
      '--format',
      'csv',
      '--out',
      join(folder, 'out.csv'),
    ]);
    await created;
    child.kill('SIGINT');
    expect([await closed(child), (await readdir(folder)).sort()]).toEqual([130, ['fifo', 'out.csv.partial']]);
  });

  test('without a reader ends with SIGTERM', async () => {
    const child = start([
      'lookup',
      volume,
      '--points',
      '-',
      '--out',
      fifo(),
      '--stats',
      join(folder, 'stats.json'),
    ]);
    const created = firstChange(folder); // the file for the counts is opened first
    await created;
    child.kill('SIGTERM');
    expect([await closed(child), child.messages(), await readdir(folder)]).toEqual([
      130,
      'interrupted\n',
      ['fifo'],
    ]);
  });

  test('is read to its end, and written to its end', async () => {
    const out = join(folder, 'out-fifo');
    execFileSync('mkfifo', [out]);
    const child = start(['lookup', volume, '--points', fifo(), '--format', 'csv', '--out', out, '--quiet']);
    const writer = open(fifo(), 'w').then(async (handle) => {
      await handle.writeFile(`x,y,z\n${'0,0,0\n'.repeat(50_000)}`);
      await handle.close();
    });
    const text = await readFile(out, 'utf8');
    await writer;
    expect([await closed(child), text.split('\n').length]).toEqual([0, 50_002]);
  });
});

describe('standard output and standard error', () => {
  test('that are full are reported, if possible', async () => {
    await writeFile(join(folder, 'in.csv'), 'x,y,z\n0,0,0\n,0,0\n');
    const full = await open('/dev/full', 'w');
    try {
      for (const argv of [['--help'], ['lookup', volume, '--points', join(folder, 'in.csv'), '--quiet']]) {
        const child = start(argv, ['ignore', full.fd, 'pipe']);
        expect([await closed(child), child.messages()]).toEqual([
          2,
          expect.stringMatching(
            /(^|\n)error: standard output cannot be written: no space left on device \(ENOSPC\)\n$/,
          ),
        ]);
      }
      expect(
        await closed(
          start(['lookup', volume, '--points', join(folder, 'in.csv')], ['ignore', 'ignore', full.fd]),
        ),
      ).toBe(1);
    } finally {
      await full.close();
    }
  });

  test('without a reader do not change the exit code', async () => {
    for (const [argv, code] of [
      [['--help'], 0],
      [['nope'], 2],
    ] as const) {
      const child = start(argv);
      child.stdout!.destroy();
      child.stderr!.destroy();
      expect(await closed(child)).toBe(code);
    }
  });

  test('with a stuck reader end with SIGTERM', async () => {
    const child = start(['lookup', volume, '--points', '-']);
    const read = once(child.stdout!, 'readable'); // the reader stops here
    child.stdin!.end(`x,y,z\n${'0,0,0\n'.repeat(500_000)}`);
    await read;
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    child.stdout!.destroy();
    expect(code).toBe(130);
  });
});
