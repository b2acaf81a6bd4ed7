import { describe, expect, test } from '@jest/globals';
import { detectIdFormat } from '../../lib/cli/id-format.ts';

async function sniff(pieces: string[], path = '-', given?: 'csv' | 'tsv' | 'jsonl') {
  let ended = false;
  const source = (async function* () {
    try {
      for (const piece of pieces) yield Buffer.from(piece);
    } finally {
      ended = true;
    }
  })();
  const { format, source: again } = await detectIdFormat(source, path, { format: given });
  const parts: Uint8Array[] = [];
  for await (const part of again as AsyncIterable<Uint8Array>) parts.push(part);
  expect([Buffer.concat(parts).toString(), ended]).toEqual([pieces.join(''), true]); // every byte is still there
  return format;
}

describe('the format of a table of IDs', () => {
  test.each([
    ['123\n456\n', '-', 'list'],
    ['123\r\n456\r\n', 'ids.txt', 'list'],
    ['123', 'ids', 'list'],
    ['\n\n  123 \n', '-', 'list'],
    ['\ufeff123\n', 'ids.csv', 'list'],
    ['"123"\n"456"\n', 'ids.csv', 'list'],
    ['7.2e+16\n', '-', 'list'],
    ['-1\n', '-', 'list'],
    ['720575940.0\r\n', 'ids.csv', 'list'],
    ['', '-', 'list'],
    [' \n\r\n', 'ids.txt', 'list'],
    ['', 'ids.csv', 'csv'],
    ['', 'ids.jsonl', 'jsonl'],
    ['root_id\n123\n', '-', 'csv'],
    ['root_id\r\n123\r\n', 'ids.txt', 'csv'],
    ['\ufeffroot_id\n', '-', 'csv'],
    ['123,456\n', '-', 'csv'],
    ['a\tb\n1\t2\n', 'ids.txt', 'tsv'],
    // The first line of a list may be a missing ID.
    ['""\n123\n', 'ids.txt', 'list'],
    ['nan\n123\n', '-', 'list'],
    ['<NA>\r\n123\n', 'ids.csv', 'list'],
    ['"NULL"\n123\n', '-', 'list'],
    ['None\n', 'ids.tsv', 'tab-list'],
    ['123\n', 'ids.tsv', 'tab-list'],
    ['123\n', 'ids.jsonl', 'list'],
    // pandas writes this header for a Series without a name.
    ['0\n123\n', 'ids.csv', 'csv'],
    ['"0"\n123\n', 'ids.tsv', 'tsv'],
    ['0\n123\n', 'ids.txt', 'list'],
    ['0\n123\n', '-', 'list'],
    ['00\n1\n', 'ids.csv', 'list'],
    // Separators in quotes do not count. If the first line has both, the next line decides.
    ['"a\tb",root_id\n', '-', 'csv'],
    ['"a,b"\n123\n', '-', 'csv'],
    ['"a\tb"\n123\n', '-', 'csv'],
    ['"a,b"\troot_id\n', '-', 'tsv'],
    ['id,a\tb,root_id\n1,2,3\n', '-', 'csv'],
    ['pos (x,y)\troot_id\n1 2\t3\n', '-', 'tsv'],
    ['a\tb,c\td\n1\t2\t3\n', '-', 'tsv'],
    ['a,b\tc,d', '-', 'csv'],
    ['a\tb\n', 'ids.csv', 'csv'],
    ['a,b\n', 'ids.tsv', 'tsv'],
    ['{"a":1}\n', '-', 'jsonl'],
    ['\ufeff {"a":"1\\t"}\n', 'ids.txt', 'jsonl'],
    ['{"a":1}\n', 'ids.NDJSON', 'jsonl'],
  ])('%p in %s is %s', async (text, path, format) => {
    expect(await sniff([text], path)).toBe(format);
    expect(await sniff([...text], path)).toBe(format); // one character at a time
  });

  test.each([
    ['123\n456\n', 'csv', 'list'],
    ['nan\n456\n', 'csv', 'list'],
    ['123\n', 'tsv', 'tab-list'],
    ['0\n123\n', 'csv', 'csv'],
    ['root_id\n123\n', 'csv', 'csv'],
    ['{"a":1}\n', 'csv', 'csv'],
    ['', 'csv', 'csv'],
  ] as const)('%j with --format %s is %s', async (text, given, format) =>
    expect(await sniff([text], '-', given)).toBe(format),
  );

  test('is the format that the user names, for JSON Lines', async () =>
    expect(await sniff(['123\n'], 'ids.txt', 'jsonl')).toBe('jsonl'));

  test('is detected from the first line, and never reads without end', async () => {
    let given = 0;
    const endless = (async function* () {
      for (;;) yield (given++, Buffer.alloc(4096, 'a'));
    })();
    expect((await detectIdFormat(endless, '-')).format).toBe('csv');
    expect(given).toBeLessThan(20);
  });
});
