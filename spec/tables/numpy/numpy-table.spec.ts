import { describe, expect, test } from '@jest/globals';
import { TableError } from '../../../lib/base/errors.ts';
import type { AnswerField } from '../../../lib/tables/columnar/column.ts';
import { parsePython, spellPython } from '../../../lib/tables/numpy/python-literal.ts';
import { rounds } from '../../support/rounds.ts';
import { NUMPY_FIXTURES, numpyFixture, readNumpy, writeNumpy } from './numpy-files.ts';

const FILES = Object.entries(NUMPY_FIXTURES);
const withCode = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'BAD_FORMAT', message: expect.stringMatching(message) as unknown });

const ANSWERS: AnswerField[] = [
  { name: 'new_id', type: 'uint64' },
  { name: 'status', type: 'string' },
  { name: 'nm', type: 'float32' },
];
const ROOT = 2n ** 63n + 1n;
const answersOf = (rows: number) => {
  const valid = Uint8Array.from({ length: rows }, (_, k) => k % 2);
  return [
    { values: new BigUint64Array(rows).fill(ROOT), valid },
    { values: valid, spellings: ['not_looked_up', 'ok'] },
    { values: new Float32Array(rows).fill(1.5), valid },
  ];
};
const answered = (rows: number): Record<string, string[]> => {
  const row = (present: string, absent: string): string[] =>
    Array.from({ length: rows }, (_, k) => (k % 2 === 1 ? present : absent));
  return { new_id: row(String(ROOT), '0'), status: row('ok', 'not_looked_up'), nm: row('1.5', 'NaN') };
};

describe('a NumPy table', () => {
  test.each(FILES)('is read as NumPy reads it: %s', async (name, columns) => {
    expect((await readNumpy(numpyFixture(name), Object.keys(columns))).columns).toEqual(columns);
  });

  test.each(FILES)('is written with its answers, all columns as they were: %s', async (name, columns) => {
    const input = numpyFixture(name),
      output = await writeNumpy(input, () => ANSWERS, answersOf);
    const rows = Object.values(columns)[0].length,
      names = Object.keys(columns).filter((column) => name !== 'only.npz' || column === 'arr_0'),
      kept = Object.fromEntries(names.map((column) => [column, columns[column]]));
    // With the answers, records are not the only array of their archive, so that their fields are not columns.
    const expected = { ...(name === 'records.npz' ? {} : kept), ...answered(rows) };
    expect((await readNumpy(output, Object.keys(expected))).columns).toEqual(expected);
  });

  test('is written with answers in the place of old columns', async () => {
    const replaced = ['id', 'name'];
    for (const name of ['records.npy', 'stored.npz']) {
      const output = await writeNumpy(
        numpyFixture(name),
        (found) =>
          replaced.map((column) => ({
            name: column,
            type: 'string',
            replaces: found.findIndex((one) => one.name === column),
          })),
        (rows) => replaced.map(() => ({ values: new Uint8Array(rows), spellings: ['new'] })),
      );
      const expected = Object.entries(NUMPY_FIXTURES[name]).map(([column, values]) => [
        column,
        replaced.includes(column) ? values.map(() => 'new') : values,
      ]);
      const { columns, fields } = await readNumpy(output, Object.keys(NUMPY_FIXTURES[name]));
      expect(columns).toEqual(Object.fromEntries(expected));
      expect(fields.find((field) => field.name === 'id')?.typeName).toBe('<U20');
    }
  });

  test('keeps the titles and the padding of records', async () => {
    const output = await writeNumpy(numpyFixture('records.npy'), () => ANSWERS, answersOf);
    const header = output.toString('latin1', 10, output.indexOf('\n'));
    for (const part of [
      "(('the root', 'id'), '>u8')",
      "('', '|V2')",
      "('more', '<c16')",
      "('status', '<U20')",
      "'shape': (7,)",
    ])
      expect(header).toContain(part);
    expect(output.indexOf('\n') % 64).toBe(63);
  });

  test.each([
    ['objects.npy', /Python objects: pickles are not read/],
    ['a text', /is not a NumPy array/],
    ['int64.npy and more', /more bytes follow/],
    ['int64.npy, cut', /is cut/],
    ['stored.npz, cut', /its end is missing/],
  ])('is refused with the reason: %s', async (what, message) => {
    const name = /^[\w.]+\.np[yz]/.exec(what)?.[0],
      bytes = name === undefined ? Buffer.from(what.padEnd(20)) : numpyFixture(name);
    const changed = what.endsWith('cut')
      ? bytes.subarray(0, -9)
      : what.endsWith('more')
        ? Buffer.concat([bytes, Buffer.of(0)])
        : bytes;
    await expect(readNumpy(changed)).rejects.toEqual(withCode(message));
  });

  test('refuses columns of arrays with different lengths, and keeps arrays that it does not read', async () => {
    const input = numpyFixture('stored.npz');
    await expect(readNumpy(input, ['id', 'other'])).rejects.toEqual(
      withCode(/different lengths: id 7, other 3/),
    );
    await expect(readNumpy(input, [])).rejects.toEqual(withCode(/different lengths: points 7.* other 3/));
    const { fields } = await readNumpy(input, ['id']);
    expect(
      fields.filter(({ type }) => type.kind === 'other').map(({ name, typeName }) => [name, typeName]),
    ).toEqual([
      ['one', 'a single value'],
      ['object', expect.stringContaining('Python objects')],
    ]);
    const output = await writeNumpy(input, () => ANSWERS, answersOf);
    expect((await readNumpy(output, ['other'])).columns).toEqual({ other: ['0', '1', '2'] });
    const start = input.indexOf('\x93NUMPY', input.indexOf('object.npy'), 'latin1');
    expect(output.includes(input.subarray(start, input.indexOf('PK', start)))).toBe(true);
  });

  test.each(['stored.npz', 'deflated.npz'])('notices changed bytes by the checksum: %s', async (name) => {
    const bytes = Buffer.from(numpyFixture(name)),
      at = bytes.indexOf('PK\x03\x04', bytes.indexOf('id.npy')) - 12;
    bytes[at] ^= 1;
    await expect(readNumpy(bytes, ['id', 'points'])).rejects.toEqual(withCode(/damaged|broken/));
  });
});

describe('damaged NumPy files', () => {
  test.each(['records.npy', 'fortran.npy', 'stored.npz', 'deflated.npz', 'only.npz'])(
    'give BAD_FORMAT or a table: %s',
    async (name) => {
      const whole = numpyFixture(name);
      let state = 3;
      const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
      for (let k = 0; k < rounds(25); k++) {
        let bytes = Buffer.from(whole);
        if (k % 4 === 0) bytes = bytes.subarray(0, Math.floor(random() * bytes.length));
        else bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
        const outcome = await readNumpy(bytes).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(TableError);
      }
    },
  );
});

describe('Python literals', () => {
  test.each([
    "{'descr': [('a', '<f8'), (('title', 'b'), '<i4', (3,))], 'fortran_order': False, 'shape': (2, 3)}",
    "[('it\\'s \"x\"', '<f8'), (), (1,), None, True, -5]",
  ])('are spelled as they were: %s', (text) => {
    expect(spellPython(parsePython(text))).toBe(text);
  });

  test.each([
    '{',
    "'a",
    '(1',
    '1 2',
    '__import__("os")',
    '[1,,2]',
    '{1: 2}',
    `${'['.repeat(99)}`,
    '1e5',
    '99999999999999999999',
  ])('are refused when broken: %s', (text) => expect(() => parsePython(text)).toThrow(TableError));

  test('of Python 2 are read', () => {
    expect(spellPython(parsePython("{'shape': (3L, 4), }"))).toBe("{'shape': (3, 4)}");
  });
});
