/** The contract for the sources and sinks of all formats. */
import { describe, expect, test } from '@jest/globals';
import { wordsOf } from '../../lib/base/uint64.ts';
import { PointStatus } from '../../lib/points/status.ts';
import type { TextFormatName } from '../../lib/tables/formats.ts';
import { openTable } from '../../lib/tables/open-table.ts';
import type { ColumnChoice } from '../../lib/tables/table.ts';

const { notLookedUp, invalidPoint, invalidId } = PointStatus;
/** Greater than 2^53. */
const ID = 72127962782105601n;

/** Columns p, q (positions), a, b (IDs), t (text); a cell that is `undefined` is left out. */
type Cells = readonly [p: string, q: string, a: string, b: string, t: string];
const NAMES = ['p', 'q', 'a', 'b', 't'];
const ROWS: readonly Cells[] = [
  ['1 2 3', '4 5 6', String(ID), '0', 'ok '],
  ['', 'x', 'NA', '7.5', 'ok'],
  ['nan', '7 8', '', String(ID + 1n), ''],
  ['[7, 8, 9]', 'None', '18446744073709551615', '-1', 'other'],
];

const FORMS: Record<TextFormatName, (rows: readonly Cells[]) => string> = {
  csv: (rows) =>
    [NAMES, ...rows.map((row) => row.map((cell) => `"${cell}"`))].map((r) => `${r.join(',')}\n`).join(''),
  tsv: (rows) => [NAMES, ...rows].map((row) => `${row.join('\t')}\r\n`).join(''),
  jsonl: (rows) =>
    rows
      .map((row) => `${JSON.stringify(Object.fromEntries(row.map((cell, k) => [NAMES[k], cell])))}\n`)
      .join(''),
};

const choose: ColumnChoice = (found) => {
  expect(found).toEqual(NAMES);
  return {
    points: [['p'], ['q']],
    ids: ['a', 'b'],
    texts: ['t', 'new'],
    outputs: ['new', 't'],
    replace: true,
  };
};

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function read(format: TextFormatName, text = FORMS[format](ROWS)) {
  const table = openTable(bytesOf(text), choose, { format });
  const batches = [];
  for await (const batch of table.batches()) batches.push(batch);
  return { table, batches, text };
}

describe.each(['csv', 'tsv', 'jsonl'] as const)('a table of %s', (format) => {
  test('gives columns, one after the other, and says why cells are empty', async () => {
    const { batches } = await read(format);
    expect(batches).toHaveLength(1);
    const [{ rows, firstRow, points, pointStatus: noPoint, ids, idStatus: noId, texts, readError }] = batches;
    expect([rows, firstRow, readError]).toEqual([4, 1, undefined]);
    const none = [NaN, NaN, NaN];
    expect([...points]).toEqual([1, 2, 3, ...none, ...none, 7, 8, 9, 4, 5, 6, ...none, ...none, ...none]);
    expect([...noPoint]).toEqual([
      ...[0, notLookedUp, notLookedUp, 0],
      ...[0, invalidPoint, invalidPoint, notLookedUp],
    ]);
    expect([...ids]).toEqual([ID, 0n, 0n, 2n ** 64n - 1n, 0n, 0n, ID + 1n, 0n]);
    expect([...noId]).toEqual([...[0, notLookedUp, notLookedUp, 0], ...[0, invalidId, 0, invalidId]]);
    expect(texts.map(({ spellings, indices }) => Array.from(indices, (index) => spellings[index]))).toEqual([
      ['ok', 'ok', '', 'other'],
      ['', '', '', ''],
    ]);
    expect(texts[0].spellings.filter((text) => text === 'ok')).toHaveLength(1);
  });

  test('describes any invalid row, in any order, with its place', async () => {
    const {
      batches: [batch],
    } = await read(format);
    const line = format === 'jsonl' ? 1 : 2;
    for (const row of [3, 1, 2, 1, 3]) {
      const words = [[], ['x', '7.5'], ['7 8'], ['-1']][row];
      expect(batch.describeInvalid(row).match(/"[^"]*"/g)).toEqual(words.map((word) => `"${word}"`));
      expect(batch.nameOf(row)).toBe(`row ${row + 1} (line ${row + line})`);
    }
  });

  test('is written with its answers, every other byte as it was', async () => {
    const { table, batches, text } = await read(format);
    const written: Uint8Array[] = [];
    const sink = table.sinkTo({
      write: async (bytes) => void written.push(bytes),
      finish: async () => {},
      abandon: async () => undefined,
    });
    const values = BigUint64Array.of(ID, 0n, 5n, 0n);
    expect(wordsOf(values)[1]).toBeGreaterThan(0);
    await sink.write(batches[0], {
      columns: [{ values, stride: 1, offset: 0, zeroMeansMissing: true }],
      status: Uint8Array.of(PointStatus.ok, PointStatus.noRoot, PointStatus.ok, PointStatus.background),
    });
    await sink.finish();
    const out = Buffer.concat(written).toString();
    const answers = [`${ID}`, '', '5', '0'],
      statuses = ['ok', 'no_root', 'ok', 'background'];
    const again = [...text.matchAll(/[^\n]*\n/g)].map(([row]) => row);
    const expected = again.map((row, line) => {
      const k = format === 'jsonl' ? line : line - 1;
      const content = row.trimEnd(),
        end = row.slice(content.length === 0 ? -1 : row.endsWith('\r\n') ? -2 : -1);
      if (format === 'jsonl')
        return row
          .replace(/"t":"[^"]*"/, `"t":"${statuses[k]}"`)
          .replace('}', `,"new":${answers[k] ? `"${answers[k]}"` : 'null'}}`);
      const separator = format === 'csv' ? ',' : '\t';
      if (k < 0) return `${row.slice(0, -end.length)}${separator}new${end}`;
      const kept = row.slice(0, row.slice(0, -end.length).lastIndexOf(separator));
      return `${kept}${separator}${statuses[k]}${separator}${answers[k]}${end}`;
    });
    expect(out).toBe(expected.join(''));
  });

  test('ends at a row that the format cannot read, and keeps the rows before it', async () => {
    const text = FORMS[format](ROWS.slice(0, 2)) + (format === 'jsonl' ? '{\n' : 'more\n') + FORMS.jsonl([]);
    const {
      batches: [batch],
    } = await read(format, text);
    if (format === 'jsonl')
      expect(batch.readError).toMatchObject({
        row: 2,
        error: { code: 'BAD_ROW', message: expect.stringMatching(/^row 3 \(line 3\): not JSON/) as unknown },
      });
    // In delimited text this row is kept, but its cells are not read.
    else
      expect([batch.readError, batch.pointStatus[2], batch.idStatus[2]]).toEqual([
        undefined,
        invalidPoint,
        invalidId,
      ]);
    expect(batch.ids[0]).toBe(ID);
  });
});
