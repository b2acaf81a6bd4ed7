import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse';
import fc from 'fast-check';
import { lineOf, readRows, type RowRules } from '../../../lib/tables/text/rows.ts';

const CSV = { delimiter: 44, firstRowNumber: 0, blockBytes: 3 };
const LINES = { firstRowNumber: 1, blockBytes: 3 };

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(
  text: string | Buffer,
  rules: RowRules,
  size = 5,
): Promise<{ rows: string[]; lines: number[]; all: string }> {
  const rows: string[] = [],
    lines: number[] = [],
    all: string[] = [];
  for await (const block of readRows(pieces(Buffer.from(text), size), rules)) {
    let from = block.start;
    block.ends.forEach((end, k) => {
      rows.push(block.bytes.toString('latin1', from, end));
      lines.push(lineOf(block, k));
      from = end;
    });
    all.push(block.bytes.toString('latin1'));
  }
  return { rows, lines, all: all.join('') };
}

describe('readRows', () => {
  const cases = [
    { name: 'LF', text: 'a,b\n1,2\n', rules: CSV, rows: ['a,b\n', '1,2\n'], lines: [1, 2] },
    { name: 'CR LF', text: 'a,b\r\n1,2\r\n', rules: CSV, rows: ['a,b\r\n', '1,2\r\n'], lines: [1, 2] },
    {
      name: 'a single CR',
      text: 'a,b\r1,2\r\r"x\r",3\r',
      rules: CSV,
      rows: ['a,b\r', '1,2\r', '\r"x\r",3\r'],
      lines: [1, 2, 4],
    },
    {
      name: 'line ends of all kinds',
      text: 'a\r\nb\nc\rd\r\r\ne\r',
      rules: CSV,
      rows: ['a\r\n', 'b\n', 'c\r', 'd\r', '\r\ne\r'],
      lines: [1, 2, 3, 4, 6],
    },
    {
      name: 'lines that end with CR',
      text: '{}\r{"a":1}\r',
      rules: LINES,
      rows: ['{}\r', '{"a":1}\r'],
      lines: [1, 2],
    },
    { name: 'no final line end', text: 'a\n1', rules: CSV, rows: ['a\n', '1'], lines: [1, 2] },
    {
      name: 'a line end in quotes',
      text: 'a,"x\ny"\n1,2\n',
      rules: CSV,
      rows: ['a,"x\ny"\n', '1,2\n'],
      lines: [1, 3],
    },
    {
      name: 'doubled quotes',
      text: 'a,"x""\n"",y"\n1,2\n',
      rules: CSV,
      rows: ['a,"x""\n"",y"\n', '1,2\n'],
      lines: [1, 3],
    },
    {
      name: 'quotes inside a field as text',
      text: 'a,5" x\n"b"c,1\n',
      rules: CSV,
      rows: ['a,5" x\n', '"b"c,1\n'],
      lines: [1, 2],
    },
    {
      name: 'blank lines with the row after them',
      text: '\na\n\r\n\n1\n',
      rules: CSV,
      rows: ['\na\n', '\r\n\n1\n'],
      lines: [2, 5],
    },
    { name: 'blank lines at the end without a row', text: 'a\n\n\n', rules: CSV, rows: ['a\n'], lines: [1] },
    { name: 'one byte', text: 'a', rules: CSV, rows: ['a'], lines: [1] },
    { name: 'nothing', text: '', rules: CSV, rows: [], lines: [] },
    { name: 'a byte order mark', text: '\ufeff"a\n",b\n', rules: CSV, rows: ['"a\n",b\n'], lines: [1] },
    {
      name: 'quotes in lines as text',
      text: '{"a":"\n"}\n',
      rules: LINES,
      rows: ['{"a":"\n', '"}\n'],
      lines: [1, 2],
    },
    {
      name: 'lines of blanks without rows',
      text: '{}\n \t\n{}\n  \n',
      rules: LINES,
      rows: ['{}\n', ' \t\n{}\n'],
      lines: [1, 2],
    },
  ];
  test.each(cases)('cuts $name', async ({ text, rules, rows, lines }) => {
    for (const size of [1, 2, 3, 100])
      expect(await read(text, rules, size)).toEqual({
        rows,
        lines,
        all: Buffer.from(text).toString('latin1'),
      });
  });

  test('cuts where csv-parse does, and keeps every byte', async () => {
    const field = fc.oneof(
      fc.constantFrom('', '1', 'x y', '"a,b"', '"q ""w"" "', '"l\nm"', 'é'),
      fc.integer().map(String),
    );
    const table = fc.array(
      fc.array(field, { minLength: 2, maxLength: 4 }).map((fields) => fields.join(',')),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        async (lines, lineEnd, final, size) => {
          const bytes = Buffer.from(lines.join(lineEnd) + (final ? lineEnd : ''));
          const theirs: string[] = [];
          for await (const { raw } of parse(bytes, {
            raw: true,
            encoding: 'latin1',
            relax_column_count: true,
          }) as AsyncIterable<{ raw: string }>)
            theirs.push(raw.trimEnd());
          const { rows, all } = await read(bytes, CSV, size);
          expect(all).toBe(bytes.toString('latin1'));
          expect(rows.map((row) => row.trimEnd())).toEqual(theirs);
        },
      ),
      { seed: 7 },
    );
  });

  test.each([
    {
      name: 'a quote that is never closed',
      text: 'a,b\n1,2\n\n3,"x\n5,6\n',
      rules: CSV,
      code: 'BAD_ROW',
      message: 'row 2 (line 4): a quote is opened and never closed',
    },
    {
      name: 'a row without an end',
      text: 'a,b\n1,"2\n2,3\n',
      rules: { ...CSV, maxRowBytes: 6 },
      code: 'BAD_ROW',
      message: 'row 1 (line 2): longer than 6 bytes: is a quote not closed?',
    },
    {
      name: 'UTF-16',
      text: Buffer.from('\ufeffa', 'utf16le'),
      rules: CSV,
      code: 'BAD_FORMAT',
      message: 'the table is UTF-16: save it as UTF-8',
    },
  ])('refuses $name', async ({ text, rules, code, message }) => {
    await expect(read(text, rules)).rejects.toMatchObject({ name: 'TableError', code, message });
  });
});
