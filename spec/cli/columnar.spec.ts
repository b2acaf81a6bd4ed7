/** Tables of typed columns on the command line. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFixture } from '../../testing/fixtures.ts';
import { arrowFixture, readArrow } from '../tables/arrow/arrow-files.ts';
import { NUMPY_FIXTURES, numpyFixture, readNumpy } from '../tables/numpy/numpy-files.ts';
import { type CliResult, runCli } from './run-cli.ts';

const fixture = loadFixture('img_raw_u8');

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'points-'))));
afterEach(() => rm(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

const lookup = (flags: readonly string[], options: Parameters<typeof runCli>[1] = {}): Promise<CliResult> =>
  runCli(['lookup', fixture.folder, '--quiet', ...flags], options);

/** Looks up the same points as a table of text. */
async function expectedAnswers(points: readonly (string | null)[]): Promise<string[][]> {
  const csv = `p\n${points.map((point) => (point === null ? 'NA' : `"${point}"`)).join('\n')}\n`;
  const { stdout } = await lookup(['--points', '-', '--position', 'p'], { stdin: csv });
  return stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(-2));
}

describe('Arrow tables', () => {
  test.each([
    ['pyarrow-lz4.arrow', 'fixed'],
    ['pyarrow-zstd.arrow', 'struct'],
    ['pyarrow.arrows', 'large_text'],
    ['polars-lz4.arrow', 'list'],
  ])('are looked up like tables of text: %s, column %s', async (name, column) => {
    await writeFile(file(name), arrowFixture(name));
    const out = file('out.arrow');
    const result = await lookup(['--points', file(name), '--position', column, '--out', out]);
    expect(result).toEqual({ code: 0, stdout: '', stderr: '' });
    const before = await readArrow(arrowFixture(name)),
      { columns } = await readArrow(await readFile(out));
    const answers = await expectedAnswers(
      before.columns[column].map((text) => text?.replace(/[{}xyz:]/g, ' ') ?? null),
    );
    expect(columns).toEqual({
      ...before.columns,
      [`${column}_value`]: answers.map(([value]) => (value === '' ? null : value)),
      [`${column}_status`]: answers.map(([, status]) => status),
    });
    expect(answers.some(([, status]) => status === 'ok')).toBe(true);
  });

  test('come through pipes, as files and as streams', async () => {
    for (const name of ['pandas.feather', 'pyarrow.arrows']) {
      const flags = ['--format', 'arrow', ...(name === 'pandas.feather' ? [] : ['--position', 'list'])];
      await writeFile(file(name), arrowFixture(name));
      const piped = await lookup(['--points', '-', ...flags, '--out', file('a.arrow')], {
        stdin: createReadStream(file(name), { highWaterMark: 100 }),
      });
      const direct = await lookup(['--points', file(name), ...flags, '--out', file('b.arrow')]);
      expect([piped, direct.code]).toEqual([{ code: 0, stdout: '', stderr: '' }, 0]);
      expect((await readFile(file('a.arrow'))).equals(await readFile(file('b.arrow')))).toBe(true);
    }
  });

  test('that are damaged leave no output', async () => {
    await writeFile(file('cut.arrow'), arrowFixture('pyarrow-lz4.arrow').subarray(0, 5000));
    expect(await lookup(['--points', file('cut.arrow'), '--out', file('out.arrow')])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the Arrow file is cut: its end is missing/) as unknown as string,
    });
    await expect(readFile(file('out.arrow'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('under the name of a table of text are refused with advice', async () => {
    await writeFile(file('in.csv'), arrowFixture('pyarrow-lz4.arrow'));
    expect(await lookup(['--points', file('in.csv')])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /in\.csv holds an Arrow file, not text: the format arrow \(--format arrow\) reads it/,
      ) as unknown as string,
    });
  });
});

describe('NumPy tables', () => {
  test.each([
    ['int64.npy', []],
    ['fortran.npy', []],
    ['records.npy', []],
    ['sub-arrays.npy', ['--position', 'position']],
    ['deflated.npz', ['--position', 'points']],
    ['only.npz', []],
  ])('are looked up like tables of text: %s', async (name, flags) => {
    await writeFile(file(name), numpyFixture(name));
    const out = file(`out${name.slice(-4)}`);
    expect(await lookup(['--points', file(name), ...flags, '--out', out])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const before = NUMPY_FIXTURES[name],
      column = flags[1];
    const points =
      column === undefined
        ? before.x.map((x, row) => `${x} ${before.y[row]} ${before.z[row]}`)
        : before[column];
    const answers = await expectedAnswers(points),
      prefix = column === undefined ? '' : `${column}_`;
    const { columns } = await readNumpy(await readFile(out), [`${prefix}value`, `${prefix}status`]);
    expect(Object.values(columns)).toEqual([
      answers.map(([value]) => value),
      answers.map(([, status]) => status),
    ]);
  });
});
