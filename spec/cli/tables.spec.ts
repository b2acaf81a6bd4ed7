/** Tables as users have them: with other separators and line ends, compressed, or not tables at all. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { decompress as fzstd } from 'fzstd';
import { encodeZstd } from '../../lib/compression/zstd.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { runCli, type CliResult } from './run-cli.ts';

const fixture = loadFixture('img_raw_u8');
const [scale] = fixture.scales;
const at = scale.points.findIndex((_, k) => scale.values[k] !== null);
const [x, y, z] = scale.points[at],
  value = String(scale.values[at]);
const CSV = `x,y,z\n${x},${y},${z}\n`,
  ANSWERED = `x,y,z,value,status\n${x},${y},${z},${value},ok\n`;

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));

const lookup = (flags: readonly string[], stdin?: string): Promise<CliResult> =>
  runCli(['lookup', fixture.folder, '--quiet', ...flags], { stdin });
const read = (flags: readonly string[], stdin: string): Promise<CliResult> =>
  lookup(['--points', '-', ...flags], stdin);

describe('other kinds of text', () => {
  test.each([
    [
      'lines that end with CR',
      [],
      `x,y,z\r${x},${y},${z}\r`,
      `x,y,z,value,status\r${x},${y},${z},${value},ok\r`,
    ],
    [
      'a last line that ends with half a CR LF',
      [],
      `x,y,z\r\n${x},${y},${z}\r`,
      `x,y,z,value,status\r\n${x},${y},${z},${value},ok\r`,
    ],
    [
      'line ends of all kinds',
      [],
      `x,y,z\r\n${x},${y},${z}\n${x},${y},${z}\r`,
      `x,y,z,value,status\r\n${x},${y},${z},${value},ok\n${x},${y},${z},${value},ok\r`,
    ],
    [
      'semicolons',
      ['--delimiter', ';'],
      `x;y;z\n${x};${y};${z}\n`,
      `x;y;z;value;status\n${x};${y};${z};${value};ok\n`,
    ],
    [
      'tabs in CSV',
      ['--delimiter', 'tab'],
      `x\ty\tz\n${x}\t${y}\t${z}\n`,
      `x\ty\tz\tvalue\tstatus\n${x}\t${y}\t${z}\t${value}\tok\n`,
    ],
    [
      'decimal commas',
      ['--delimiter', ';', '--decimal', ','],
      `x;y;z\n${x},25;${y},0;${z}\n`,
      `x;y;z;value;status\n${x},25;${y},0;${z};${value};ok\n`,
    ],
    [
      'blanks in the header',
      [],
      `x, y ,"z "\n${x},${y},${z}\n`,
      `x, y ,"z ",value,status\n${x},${y},${z},${value},ok\n`,
    ],
    ['capitals', [], `X,Y,Z\n${x},${y},${z}\n`, `X,Y,Z,value,status\n${x},${y},${z},${value},ok\n`],
    [
      'capitals next to small letters',
      [],
      `X,Y,Z,x,y,z\na,b,c,${x},${y},${z}\n`,
      `X,Y,Z,x,y,z,value,status\na,b,c,${x},${y},${z},${value},ok\n`,
    ],
  ])('%s are read', async (_, flags, table, expected) => {
    expect(await read(flags, table)).toEqual({ code: 0, stdout: expected, stderr: '' });
  });

  test.each([
    [
      'semicolons',
      `x;y;z\n${x};${y};${z}\n`,
      /^error: the header has 2 semicolons and 0 commas: add the delimiter \(--delimiter ';',/,
    ],
    [
      'semicolons around commas',
      'id;x,y,z;a;b\n',
      /^error: the header has 3 semicolons and 2 commas: add the delimiter \(--delimiter ';',/,
    ],
    ['tabs', 'x\ty\tz\n', /^error: the header has 2 tabs and 0 commas: add the delimiter \(--delimiter tab,/],
    ['UTF-16', '\xff\xfex\0', /^error: .*UTF-16/],
  ])('%s are refused, naming the cause and the option', async (_, table, message) => {
    await writeFile(join(folder, 'in.csv'), Buffer.from(table, 'latin1'));
    expect(await lookup(['--points', join(folder, 'in.csv')])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(message) as unknown as string,
    });
  });

  test.each([
    ['', '1,5', 'decimal (--decimal ,) reads decimal commas'],
    [',', '1.5', 'which decimal (--decimal ,) expects'],
  ])('with --decimal %p, %p is not a number, and the warning says why', async (mark, cell, why) => {
    const { code, stdout, stderr } = await read(
      ['--delimiter', ';', ...(mark ? ['--decimal', mark] : [])],
      `x;y;z\n${cell};2;3\n`,
    );
    expect([code, stdout.split('\n')[1]]).toEqual([1, `${cell};2;3;;invalid_point`]);
    expect(stderr).toContain(why);
  });

  test('a row with too few or too many fields stays the same after every later run', async () => {
    const rows = ['1', '1,2', '1,2,3,4', '1,2,3,4,5,6', '1,2,3,4,5,6,7', '1,2,3,4,5,6,7,8'];
    for (const header of [
      'x,y,z,value,status',
      'status,x,y,value,z',
      'x,y,value,status,z',
      'value,status,x,y,z',
    ]) {
      const file = join(folder, 'in.csv'),
        seen: string[] = [];
      await writeFile(file, `${header}\n${rows.join('\n')}\n`);
      for (let run = 0; run < 4; run++) {
        expect((await lookup(['--points', file, '--out', file, '--replace'])).code).toBe(1);
        seen.push(await readFile(file, 'utf8'));
      }
      expect(new Set(seen).size).toBe(1);
      expect(
        seen[0]
          .split('\n')
          .slice(1, -1)
          .map((row, k) => row.startsWith(`${rows[k]},`) && row.endsWith(',invalid_point')),
      ).toEqual(rows.map(() => true));
    }
  });
});

describe('compressed tables', () => {
  const file = (name: string): string => join(folder, name);
  const unpack = { gz: gunzipSync, zst: (bytes: Buffer) => Buffer.from(fzstd(bytes)) };

  test.each(['gz', 'zst'] as const)('.%s is read and written, in place too', async (suffix) => {
    await writeFile(
      file(`in.csv.${suffix}`),
      suffix === 'gz' ? gzipSync(CSV) : await encodeZstd(Buffer.from(CSV)),
    );
    for (const out of ['out.csv', 'in.csv'].map((name) => file(`${name}.${suffix}`))) {
      expect(await lookup(['--points', file(`in.csv.${suffix}`), '--out', out])).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
      expect(unpack[suffix](await readFile(out)).toString()).toBe(ANSWERED);
    }
  });

  test('many megabytes and several gzip members are read completely', async () => {
    const row = `${x},${y},${z}\n`,
      count = 200_000;
    await writeFile(
      file('in.csv.gz'),
      Buffer.concat([gzipSync('x,y,z\n'), gzipSync(row.repeat(count)), gzipSync(row), Buffer.alloc(512)]),
    );
    const { code } = await lookup(['--points', file('in.csv.gz'), '--out', file('out.csv')]);
    expect([code, (await readFile(file('out.csv'), 'utf8')).split('\n').length]).toEqual([0, count + 3]);
  });

  test.each([
    ['is cut', gzipSync(CSV).subarray(0, -9), 'it ends too early'],
    [
      'has a flipped bit',
      Buffer.from(gzipSync(CSV).map((byte, k, all) => (k === all.length - 6 ? byte ^ 1 : byte))),
      'incorrect data check',
    ],
    [
      'is followed by something else',
      Buffer.concat([gzipSync(CSV), Buffer.from('4,5,6\n')]),
      'cannot be decompressed',
    ],
    [
      'is followed by zeros and something else',
      Buffer.concat([gzipSync(CSV), Buffer.alloc(9), Buffer.from('4,5,6\n')]),
      'the data after its end is not gzip',
    ],
    ['is text', Buffer.from(CSV), 'is not gzip, although its name says so'],
    ['is empty', Buffer.alloc(0), 'it is empty'],
  ])('a .gz that %s is refused', async (_, bytes, why) => {
    await writeFile(file('in.csv.gz'), bytes);
    const { code, stderr } = await lookup(['--points', file('in.csv.gz'), '--out', file('out.csv')]);
    expect([code, stderr, await readdir(folder)]).toEqual([2, expect.stringContaining(why), ['in.csv.gz']]);
  });
});

describe('files that are not tables of text', () => {
  test.each([
    ['points.xlsx', /a spreadsheet, which is not read .*CSV UTF-8/],
    ['points.json', /jq -c '\.\[\]' points\.json > points\.jsonl/],
    ['points.csv.bz2', /bzip2 -dc points\.csv\.bz2 > points\.csv/],
  ])('%s is refused with advice, for points and for IDs', async (name, message) => {
    for (const argv of [
      ['lookup', fixture.folder, '--points', name],
      ['roots', 'graphene://http://127.0.0.1:1/segmentation/table/t', '--ids', name],
    ]) {
      expect(await runCli(argv)).toEqual({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(message) as unknown as string,
      });
    }
  });

  test('a file that begins like another file type is refused, whatever its name', async () => {
    await writeFile(join(folder, 'in.csv'), 'PAR1\x15\x04\x15');
    expect(await lookup(['--points', join(folder, 'in.csv')])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /in\.csv holds Parquet, not text: the format parquet \(--format parquet\) reads it/,
      ) as unknown as string,
    });
  });

  test('an output with the suffix of another file type is refused', async () => {
    const { code, stderr } = await read(['--out', join(folder, 'out.orc')], CSV);
    expect([code, stderr, await readdir(folder)]).toEqual([
      2,
      expect.stringMatching(/would be ORC, which is not written/),
      [],
    ]);
  });
});
