import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteSink } from '../../../lib/tables/files/byte-streams.ts';
import { claimOutput } from '../../../lib/tables/files/output-file.ts';
import { getOwnIdentity, type RunIdentity } from '../../../lib/tables/files/run-identity.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'points-'));
  path = join(folder, 'a.csv');
});
afterEach(() => rm(folder, { recursive: true }));

const openSink = async (file: string, option?: string): Promise<ByteSink> =>
  (await claimOutput(file, { option })).open();
const write = async (file: string, text: string): Promise<void> => {
  const sink = await openSink(file);
  await sink.write(Buffer.from(text));
  await sink.finish();
};

describe('a file that a job writes', () => {
  test('is written next to the old file and replaces it at the end', async () => {
    await writeFile(path, 'before');
    const sink = await openSink(path);
    await sink.write(Buffer.from('one '));
    await sink.write(Buffer.from('two'));
    expect([await readFile(path, 'utf8'), await readFile(`${path}.partial`, 'utf8')]).toEqual([
      'before',
      'one two',
    ]);
    await sink.finish();
    expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual(['one two', ['a.csv']]);
  });

  test.each([
    [true, ['a.csv.partial']],
    [false, []],
  ])('abandoned with keep %p leaves %j', async (keep, left) => {
    const sink = await openSink(path);
    await sink.write(Buffer.from('one'));
    expect(await sink.abandon(keep)).toBe(keep ? `${path}.partial` : undefined);
    expect(await readdir(folder)).toEqual(left);
  });

  test('stays when it is abandoned after it was finished', async () => {
    const sink = await openSink(path);
    await sink.finish();
    await sink.abandon(false);
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  test('keeps its permission bits, whatever the umask', async () => {
    for (const mode of [0o600, 0o666, 0o640, 0o755]) {
      await writeFile(path, 'before');
      await chmod(path, mode);
      await write(path, 'after');
      expect((await stat(path)).mode & 0o7777).toBe(mode);
    }
  });

  test('is the target of a link, which stays, even if the target does not exist yet', async () => {
    await mkdir(join(folder, 'far'));
    await symlink(join('far', 'b.csv'), join(folder, 'middle'));
    await symlink('middle', path);
    for (const text of ['one', 'two']) {
      await write(path, text);
      expect([
        (await lstat(path)).isSymbolicLink(),
        (await lstat(join(folder, 'middle'))).isSymbolicLink(),
        await readFile(join(folder, 'far', 'b.csv'), 'utf8'),
      ]).toEqual([true, true, text]);
    }
    expect([await readdir(folder), await readdir(join(folder, 'far'))]).toEqual([
      ['a.csv', 'far', 'middle'],
      ['b.csv'],
    ]);
  });

  test.each(['symbolic', 'hard'])(
    'is not written through a %s link with the name of the partial file',
    async (kind) => {
      const precious = join(folder, 'precious');
      await writeFile(precious, 'precious');
      await (kind === 'hard' ? link(precious, `${path}.partial`) : symlink(precious, `${path}.partial`));
      await write(path, 'one');
      expect([
        await readFile(precious, 'utf8'),
        (await lstat(path)).isFile(),
        await readFile(path, 'utf8'),
      ]).toEqual(['precious', true, 'one']);
    },
  );

  test('is never renamed over a device', async () => {
    await symlink('/dev/null', path);
    await write(path, 'one');
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  test('is left unchanged when the disk is full', async () => {
    await writeFile(path, 'before');
    // A limit on file sizes simulates a full disk.
    const limited = spawnSync(
      'bash',
      [
        '-c',
        `ulimit -f 100; trap '' XFSZ; exec "$0" "$@"`,
        process.execPath,
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `
      import { claimOutput } from './lib/tables/files/output-file.ts';
      const sink = await (await claimOutput(${JSON.stringify(path)})).open();
      await sink.write(Buffer.alloc(1 << 20)).catch(async (error) => { console.log(error.code, error.message); await sink.abandon(false); });
    `,
      ],
      { encoding: 'utf8' },
    );
    expect([limited.stdout, limited.stderr]).toEqual([
      `UNREADABLE ${path}.partial cannot be written: file too large (EFBIG)\n`,
      '',
    ]);
    expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual(['before', ['a.csv']]);
  });

  test('names the file that cannot be written', async () => {
    const none = join(folder, 'none', 'a.csv');
    await expect(claimOutput(none)).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: `${none}.partial cannot be written: no such file or directory (ENOENT)`,
    });
    await expect(claimOutput(none, { option: '--stats' })).rejects.toMatchObject({
      message: `--stats ${none}.partial cannot be written: no such file or directory (ENOENT)`,
    });
    await mkdir(path);
    await expect(claimOutput(path)).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: `${path} is a directory`,
    });
    await mkdir(join(folder, 'b.csv.partial'));
    await expect(openSink(join(folder, 'b.csv'))).rejects.toMatchObject({ code: 'UNREADABLE' });
    await symlink('loop', join(folder, 'loop'));
    await expect(claimOutput(join(folder, 'loop'))).rejects.toMatchObject({ code: 'UNREADABLE' });
    expect(await readdir(folder)).toEqual(['a.csv', 'b.csv.partial', 'loop']);
  });
});

describe('two runs that write one file', () => {
  test('the second run is refused, under any name of the file, until the first has ended', async () => {
    await symlink('a.csv', join(folder, 'b.csv'));
    await symlink('.', join(folder, 'here'));
    const names = ['a.csv', 'b.csv', join('here', 'a.csv'), join('here', 'here', 'b.csv')].map((name) =>
      join(folder, name),
    );
    for (const end of ['finish', 'abandon', 'release'] as const) {
      const first = await claimOutput(path);
      const sink = end === 'release' ? undefined : await first.open();
      for (const name of names)
        await expect(claimOutput(name)).rejects.toMatchObject({
          code: 'IN_USE',
          message: expect.stringContaining(`another run (process ${process.pid})`) as unknown as string,
        });
      await (end === 'release' ? first.release() : end === 'finish' ? sink!.finish() : sink!.abandon(true));
      for (const name of names) (await claimOutput(name)).release();
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const lockOf = (run: Partial<RunIdentity>): string =>
    `${JSON.stringify({ program: 'graphene-points', ...getOwnIdentity(), ...run })}\n`;

  test.each([
    ['whose process has ended', lockOf({ pid: gone })],
    ['whose process ID now belongs to another process', lockOf({ started: '1' })],
    ['from before the machine was restarted', lockOf({ boot: 'earlier' })],
    ['that is still empty', ''],
  ])('a lock %s is taken over, with a warning', async (_, lock) => {
    await writeFile(`${path}.lock`, lock);
    const warnings: string[] = [];
    const output = await claimOutput(path, { warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([
      expect.stringMatching(/a\.csv was left locked by a run that has ended.*; its lock is taken over$/),
    ]);
    await expect(claimOutput(path)).rejects.toMatchObject({ code: 'IN_USE' });
    output.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    [
      'of another machine',
      lockOf({ host: 'far', pid: gone }),
      `process ${gone} on far); if that run has ended, delete`,
    ],
    ['of another container', lockOf({ namespace: 'pid:[1]', pid: gone }), 'if that run has ended, delete'],
    ['that is a file of the user', 'precious', 'is not a lock of this program'],
    ['of another program', '{"pid":1}', 'is not a lock of this program'],
  ])('a lock %s stays', async (_, lock, message) => {
    await writeFile(`${path}.lock`, lock);
    await expect(claimOutput(path)).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringContaining(message) as unknown as string,
    });
    expect(await readFile(`${path}.lock`, 'utf8')).toBe(lock);
  });

  test('only one of many runs takes over an old lock', async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(`${path}.lock`, lockOf({ pid: gone }));
      const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claimOutput(path)));
      const taken = claims.filter((claim) => claim.status === 'fulfilled');
      expect(taken.length).toBe(1);
      taken[0].value.release();
    }
  });
});
