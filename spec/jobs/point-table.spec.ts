import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { ByteSink } from '../../lib/tables/files/byte-streams.ts';
import {
  createGraphLookup,
  type GraphVolume,
  type PointLookup,
  createValueLookup,
} from '../../lib/jobs/point-lookup.ts';
import type { TableSummary } from '../../lib/jobs/job-types.ts';
import { lookUpPointTable, type PointTableOptions } from '../../lib/jobs/point-table.ts';
import { AT, fakeGraphVolume, fakeValueVolume, NOW, rootText, supervoxelText } from './fake-volume.ts';

interface Ran {
  text: string;
  summary: TableSummary;
  warnings: string[];
}

async function run(
  text: string | Buffer,
  options: Partial<PointTableOptions> = {},
  lookup: PointLookup = createGraphLookup(fakeGraphVolume(), {}),
): Promise<Ran> {
  const written: Uint8Array[] = [];
  const sink: ByteSink = {
    write: async (bytes) => void written.push(bytes),
    finish: async () => {},
    abandon: async () => undefined,
  };
  const warnings: string[] = [];
  const source = (async function* () {
    yield Buffer.from(text);
  })();
  const summary = await lookUpPointTable(lookup, source, sink, {
    format: 'csv',
    warn: (message) => warnings.push(message),
    ...options,
  });
  return { text: Buffer.concat(written).toString('latin1'), summary, warnings };
}

const answered = (x: number, y: number): string => `${supervoxelText(x, y)},${rootText(x, y)},ok`;
const S = 'supervoxel_id',
  R = 'root_id';

describe('lookUpPointTable: CSV', () => {
  test('writes the same rows with their answers', async () => {
    const { text, summary, warnings } = await run('id,x,y,z,note\n1,10,20,30,"a ""b"", c"\n2,11,21,30,\n');
    expect(text).toBe(
      `id,x,y,z,note,${S},${R},status\n1,10,20,30,"a ""b"", c",${answered(10, 20)}\n2,11,21,30,,${answered(11, 21)}\n`,
    );
    expect(summary).toMatchObject({
      rows: 2,
      statuses: { ok: 2 },
      timestamp: NOW,
      stats: { points: 2, chunks: 2, ms: { plan: 1, chunks: 1 } },
    });
    expect(warnings).toEqual([]);
  });

  const sv = (x: number): string => supervoxelText(x, 1);
  test.each([
    ['background', AT.background, '0,0,background'],
    ['out_of_bounds', AT.outOfBounds, ',,out_of_bounds'],
    ['missing_chunk', AT.missingChunk, ',,missing_chunk'],
    ['failed', AT.failed, ',,failed'],
    ['suspect', AT.suspect, `${sv(AT.suspect)},${rootText(AT.suspect, 1)},suspect`],
    ['suspect', AT.suspectNoRoot, `${sv(AT.suspectNoRoot)},,suspect`],
    ['no_root', AT.noRoot, `${sv(AT.noRoot)},,no_root`],
    ['root_failed', AT.rootFailed, `${sv(AT.rootFailed)},,root_failed`],
  ])('shows %s (x = %d) as %s', async (status, x, cells) => {
    const apart = await run(`t,x,y,z\n,${x},1,1\n`, { timestampColumn: 't' });
    // With a timestamp column, supervoxels and roots are looked up separately.
    expect(apart.text).toBe(`t,x,y,z,${S},${R},status\n,${x},1,1,${cells}\n`);
    const { text, summary } = await run(`x,y,z\n${x},1,1\n`);
    expect(text).toBe(`x,y,z,${S},${R},status\n${x},1,1,${cells}\n`);
    expect(summary.statuses).toEqual({ [status]: 1 });
  });

  test.each([
    ['empty', '1,,3', 'column y is empty'],
    ['blank', '1," ",3', 'column y is empty'],
    ['NaN', '1,2,NaN', 'column z: "NaN" is not a number'],
    ['text', '"a ""b""",2,3', 'column x: "a \\"b\\"" is not a number'],
    ['too few fields', '1,2', '2 fields where the header has 3'],
    ['too many fields', '1,2,3,4', '4 fields where the header has 3'],
  ])('keeps a row that is %s, as invalid_point', async (_, row, reason) => {
    const table = `x,y,z\n1,2,3\n\n${row}\n4,5,6\n`;
    const { text, summary, warnings } = await run(table);
    expect(text).toBe(
      `x,y,z,${S},${R},status\n1,2,3,${answered(1, 2)}\n\n${row},,,invalid_point\n4,5,6,${answered(4, 5)}\n`,
    );
    expect(summary.statuses).toEqual({ ok: 2, invalid_point: 1 });
    expect(warnings).toEqual([`row 2 (line 4): ${reason}; invalid_point`]);
    await expect(run(table, { strict: true })).rejects.toMatchObject({
      code: 'BAD_ROW',
      message: `row 2 (line 4): ${reason}`,
    });
  });

  test('describes three invalid rows and counts the others', async () => {
    const { warnings } = await run(`x,y,z\n${'a,b,c\n'.repeat(10)}`);
    expect(warnings.map((warning) => warning.slice(0, 20))).toEqual([
      'row 1 (line 2): colu',
      'row 2 (line 3): colu',
      'row 3 (line 4): colu',
      '7 more rows without ',
    ]);
  });

  test('says why rows failed, and gives each reason once', async () => {
    const { warnings } = await run(`x,y,z\n1,1,1\n${`${AT.failed},1,1\n`.repeat(3)}${AT.rootFailed},1,1\n`);
    expect(warnings).toEqual(['row 2: failed: it broke: the disk is gone']);
  });

  test('gives a coordinate beyond 2^53 the status out_of_bounds', async () =>
    expect((await run('x,y,z\n99999999999999999999,1,1\n')).text).toBe(
      `x,y,z,${S},${R},status\n99999999999999999999,1,1,,,out_of_bounds\n`,
    ));

  test('keeps a byte order mark, CR LF, a missing final line end, blank lines at the end', async () => {
    expect((await run('\ufeffx,y,z\r\n1,2,3')).text).toBe(
      Buffer.from(`\ufeffx,y,z,${S},${R},status\r\n1,2,3,${answered(1, 2)}`).toString('latin1'),
    );
    expect((await run('x,y,z\n1,2,3\n\n\r\n')).text).toBe(
      `x,y,z,${S},${R},status\n1,2,3,${answered(1, 2)}\n\n\r\n`,
    );
  });

  test('reads quoted names and other columns, tabs, and columns named in UTF-8', async () => {
    expect(
      (
        await run('"x"\t"ü ""1"""\tz\n"1"\t2\t3\n', { format: 'tsv', columns: ['x', 'ü "1"', 'z'] })
      ).text.split('\n')[1],
    ).toBe(`"1"\t2\t3\t${answered(1, 2).replaceAll(',', '\t')}`);
  });

  test('reads positions from one column and names outputs after it', async () => {
    const { text } = await run('id,pt_position\n1,"[7, 8, 9]"\n2,(7 8 9)\n3,\n', {
      positions: ['pt_position'],
    });
    expect(text).toBe(
      `id,pt_position,pt_${S},pt_${R},pt_status\n1,"[7, 8, 9]",${answered(7, 8)}\n2,(7 8 9),${answered(7, 8)}\n3,,,,not_looked_up\n`,
    );
    const numpy = await run('p\n"[np.int64(7), np.int64(8), np.int64(9)]"\n"array([7, 8, 9])"\n', {
      positions: ['p'],
    });
    expect(
      numpy.text
        .split('\n')
        .slice(1)
        .map((row) => row.slice(row.lastIndexOf('"') + 1)),
    ).toEqual([`,${answered(7, 8)}`, `,${answered(7, 8)}`, '']);
  });

  test.each([
    ['" "', 'not_looked_up'],
    ['NA', 'not_looked_up'],
    ['<NA>', 'not_looked_up'],
    ['none', 'not_looked_up'],
    ['"#N/A N/A"', 'not_looked_up'],
    ['-1.#QNAN', 'not_looked_up'],
    ['[nan nan nan]', 'not_looked_up'],
    ['"[NaN, NaN, NaN]"', 'not_looked_up'],
    ['"(None, None, None)"', 'not_looked_up'],
    ['"array([nan, nan, nan])"', 'not_looked_up'],
    ['nan nan nan', 'not_looked_up'],
    ['"[1, nan, 3]"', 'invalid_point'],
    ['[nan nan]', 'invalid_point'],
    ['[]', 'invalid_point'],
    ['missing', 'invalid_point'],
    ['NaT', 'invalid_point'],
  ])('distinguishes missing and invalid positions: %j is %s', async (cell, status) => {
    const { text, summary, warnings } = await run(`p\n${cell}\n`, { positions: ['p'] });
    expect([text, summary.statuses]).toEqual([
      `p,p_${S},p_${R},p_status\n${cell},,,${status}\n`,
      { [status]: 1 },
    ]);
    expect(warnings.length).toBe(status === 'invalid_point' ? 1 : 0);
    await expect(run(`p\n${cell}\n`, { positions: ['p'], strict: true })).rejects.toMatchObject({
      code: 'BAD_ROW',
      message: expect.stringMatching(/^row 1 \(line 2\): /) as unknown,
    });
  });

  test.each([
    [',,', 'not_looked_up'],
    ['NA,NA,NA', 'not_looked_up'],
    ['nan,,<NA>', 'not_looked_up'],
    ['1,NA,3', 'invalid_point'],
    ['nan,nan,x', 'invalid_point'],
  ])('three coordinates %j are %s', async (row, status) =>
    expect((await run(`x,y,z\n${row}\n`)).text).toBe(`x,y,z,${S},${R},status\n${row},,,${status}\n`),
  );

  test('reads both sides of a row in one pass, from whole positions or three columns', async () => {
    const volume = fakeGraphVolume();
    const table = `id,pre_pt_position,post.x,post.y,post.z\n1,[1 2 3],4,5,6\n2,"[7, 8, 9]",${AT.background},1,1\n3,,10,11,12\n4,x,13,NA,15\n`;
    const { text, summary, warnings } = await run(
      table,
      { positions: ['pre_pt_position', 'post'] },
      createGraphLookup(volume, {}),
    );
    const rows = [
      `${answered(1, 2)},${answered(4, 5)}`,
      `${answered(7, 8)},0,0,background`,
      `,,not_looked_up,${answered(10, 11)}`,
      ',,invalid_point,,,invalid_point',
    ];
    const lines = table.trimEnd().split('\n');
    expect(text).toBe(
      `${lines[0]},pre_pt_${S},pre_pt_${R},pre_pt_status,post_${S},post_${R},post_status\n${rows.map((row, k) => `${lines[k + 1]},${row}\n`).join('')}`,
    );
    expect(volume.calls).toEqual(['now', 'points 8 at 2024-06-05']);
    expect(summary).toMatchObject({
      rows: 4,
      sides: ['pre_pt_position', 'post'],
      statuses: { ok: 4, background: 1, not_looked_up: 1, invalid_point: 2 },
      stats: { points: 8 },
    });
    expect(warnings).toEqual([
      'row 4 (line 5): column pre_pt_position: "x" is not [x, y, z]; column post.y: "NA" is not a number; invalid_point',
    ]);
  });

  test('does the same in JSON Lines, at the timestamp of each row', async () => {
    const volume = fakeGraphVolume();
    const row = '{"pre_x":1,"pre_y":2,"pre_z":3,"t":"2024-01-02","post":[4,5,6]}',
      bad = '{"pre_x":1,"pre_y":2,"pre_z":3,"t":"soon","post":null}';
    const { text } = await run(
      `${row}\n${bad}\n`,
      { format: 'jsonl', positions: ['pre', 'post'], timestampColumn: 't' },
      createGraphLookup(volume, {}),
    );
    const shown = (side: string, x: number, y: number): string =>
      `"${side}_${S}":"${supervoxelText(x, y)}","${side}_${R}":"${rootText(x, y, 2)}","${side}_status":"ok"`;
    const none = (side: string, status: string): string =>
      `"${side}_${S}":null,"${side}_${R}":null,"${side}_status":"${status}"`;
    expect(text).toBe(
      `${row.slice(0, -1)},${shown('pre', 1, 2)},${shown('post', 4, 5)}}\n${bad.slice(0, -1)},${none('pre', 'invalid_timestamp')},${none('post', 'not_looked_up')}}\n`,
    );
    expect(volume.calls).toEqual(['now', 'points 4', 'roots 2 at 2024-01-02']);
  });

  test('says which side of which row failed', async () => {
    const { warnings } = await run(`a,b\n1 1 1,2 1 1\n3 1 1,${AT.failed} 1 1\n`, { positions: ['a', 'b'] });
    expect(warnings).toEqual(['row 2 (b): failed: it broke: the disk is gone']);
  });

  test.each(['NaT', 'nan', 'None', '', 'now'])(
    'uses the timestamp of the job if that of a row is %j',
    async (cell) => {
      expect((await run(`t,x,y,z\n${cell},1,2,3\n`, { timestampColumn: 't' })).text).toBe(
        `t,x,y,z,${S},${R},status\n${cell},1,2,3,${answered(1, 2)}\n`,
      );
    },
  );

  test('keeps old values of rows that fail or are not looked up', async () => {
    const rows = [
      `x,2,3,7,8,ok`,
      `NA,NA,NA,7,8,ok`,
      `${AT.failed},1,1,7,8,ok`,
      `${AT.rootFailed},1,1,7,8,ok`,
      `${AT.outOfBounds},1,1,7,8,ok`,
      `${AT.noRoot},1,1,7,8,ok`,
    ];
    const { text } = await run(`x,y,z,${S},${R},status\n${rows.join('\n')}\n`, { replace: true });
    expect(
      text
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',').slice(3).join(',')),
    ).toEqual([
      '7,8,invalid_point',
      '7,8,not_looked_up',
      '7,8,failed',
      `${supervoxelText(AT.rootFailed, 1)},8,root_failed`,
      ',,out_of_bounds',
      `${supervoxelText(AT.noRoot, 1)},,no_root`,
    ]);
  });

  test('replaces output columns in place, and adds the missing ones', async () => {
    const table = `status,x,${R},y,z,note\nold,1,"5",2,3,é\nold,1\n`;
    await expect(run(table)).rejects.toMatchObject({ code: 'COLUMN_EXISTS' });
    expect((await run(table, { replace: true })).text).toBe(
      Buffer.from(
        `status,x,${R},y,z,note,${S}\nok,1,${rootText(1, 2)},2,3,é,${supervoxelText(1, 2)}\nold,1,,,invalid_point\n`,
      ).toString('latin1'),
    );
  });

  test.each([
    ['MISSING_COLUMN', 'a,x,z\n1,2,3\n', {}, 'no column "y"; columns found: a, x, z'],
    [
      'BAD_FORMAT',
      'x;y;z\n1;2;3\n',
      {},
      "the header has 2 semicolons and 0 commas: add the delimiter (--delimiter ';', or --delimiter , if that is right)",
    ],
    [
      'BAD_FORMAT',
      'a,b;x;y;z\n',
      {},
      "the header has 3 semicolons and 1 comma: add the delimiter (--delimiter ';', or --delimiter , if that is right)",
    ],
    [
      'BAD_FORMAT',
      'x\ty\tz\n1\t2\t3\n',
      {},
      'the header has 2 tabs and 0 commas: add the delimiter (--delimiter tab, or --delimiter , if that is right)',
    ],
    [
      'BAD_FORMAT',
      'x,y,z\n',
      { format: 'tsv' },
      'the header has 2 commas and 0 tabs: add the delimiter (--delimiter ,, or --delimiter tab if that is right)',
    ],
    ['BAD_FORMAT', '', {}, 'the table is empty: it has no header'],
    ['BAD_FORMAT', '\ufeff\r\n\n', {}, 'the table is empty: it has no header'],
    [
      'COLUMN_EXISTS',
      'x,y,z,status\n',
      {},
      'column status already exists (replace (--replace) overwrites it)',
    ],
    [
      'COLUMN_EXISTS',
      `x,y,z,status,${R}\n`,
      {},
      `columns ${R}, status already exist (replace (--replace) overwrites them)`,
    ],
    ['MISSING_COLUMN', 'x,y,z\n', { timestampColumn: 't' }, 'no column "t"; columns found: x, y, z'],
    ['BAD_FORMAT', 'x,y,z,x\n1,2,3,4\n', {}, 'column x occurs more than once'],
    [
      'MISSING_COLUMN',
      'p_x,p_y\n',
      { positions: ['p'] },
      'no column "p", and no columns p_x, p_y and p_z; columns found: p_x, p_y',
    ],
    [
      'COLUMN_EXISTS',
      'pt,pt_position\n',
      { positions: ['pt', 'pt_position'] },
      `column pt_${S} would be written twice: the columns that are looked up need different names`,
    ],
    [
      'COLUMN_EXISTS',
      'a_x,a_y,a_z,status\n',
      { columns: ['a_x', 'a_y', 'a_z'] },
      'column status already exists (position (--position a) names outputs after it; replace (--replace) overwrites it)',
    ],
    [
      'COLUMN_EXISTS',
      'a_x,a_y,b_z,status\n',
      { columns: ['a_x', 'a_y', 'b_z'] },
      'column status already exists (replace (--replace) overwrites it)',
    ],
    [
      'COLUMN_EXISTS',
      'x,y,status\n',
      { columns: ['x', 'y', 'status'], replace: true },
      'column status is an input and would be overwritten',
    ],
    ['BAD_ROW', 'x,y,z\n1,2,"3\n', {}, 'row 1 (line 2): a quote is opened and never closed'],
  ] as const)('refuses with %s: %j', async (code, text, options, message) => {
    await expect(run(text, options)).rejects.toMatchObject({ name: 'TableError', code, message });
  });

  test('gives a header for a header alone', async () =>
    expect((await run('x,y,z\n')).text).toBe(`x,y,z,${S},${R},status\n`));

  test('leaves every other byte as it was', async () => {
    const bytes = fc
      .uint8Array({ maxLength: 6 })
      .map((raw) => `"${Buffer.from(raw).toString('latin1').replaceAll('"', '""')}"`);
    const rows = fc.array(fc.tuple(bytes, fc.nat(800), fc.nat(99), bytes), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom('\n', '\r\n'), async (table, end) => {
        const lines = ['a,x,y,z,b', ...table.map(([a, x, y, b]) => `${a},${x},${y},0,${b}`)];
        const { text } = await run(Buffer.from(lines.map((line) => line + end).join(''), 'latin1'));
        const cells = [`${S},${R},status`, ...table.map(([, x, y]) => answered(x, y))];
        expect(text).toBe(lines.map((line, k) => `${line},${cells[k]}${end}`).join(''));
        const again = await run(Buffer.from(text, 'latin1'), { replace: true });
        expect(again.text).toBe(text);
      }),
      { seed: 7 },
    );
  });
});

describe('lookUpPointTable: JSON Lines', () => {
  const lines = (
    text: string,
    options: Partial<PointTableOptions> = {},
    lookup?: PointLookup,
  ): Promise<Ran> => run(text, { format: 'jsonl', ...options }, lookup);
  const keys = (x: number, y: number): string =>
    `"${S}":"${supervoxelText(x, y)}","${R}":"${rootText(x, y)}","status":"ok"`;

  test('keeps the text of a row and adds its answers before the brace', async () => {
    const { text } = await lines(
      '\ufeff{"id": 123456789012345678901, "x": 1.0, "y": "2", "z": 3 }\r\n\n {"n":{"x":0},"x":4,"y":5,"z":6}',
    );
    expect(text).toBe(
      Buffer.from(
        `\ufeff{"id": 123456789012345678901, "x": 1.0, "y": "2", "z": 3 ,${keys(1, 2)}}\r\n\n {"n":{"x":0},"x":4,"y":5,"z":6,${keys(4, 5)}}`,
      ).toString('latin1'),
    );
  });

  test('gives null if there is no answer', async () => {
    const { text, warnings } = await lines(
      `{"x":1,"y":1,"z":1}\n{}\n{"x":${AT.background},"y":1,"z":1}\n{"x":1,"y":null,"z":1}\n`,
    );
    expect(text.split('\n').slice(1)).toEqual([
      `{"${S}":null,"${R}":null,"status":"not_looked_up"}`,
      `{"x":900,"y":1,"z":1,"${S}":"0","${R}":"0","status":"background"}`,
      `{"x":1,"y":null,"z":1,"${S}":null,"${R}":null,"status":"invalid_point"}`,
      '',
    ]);
    expect(warnings).toEqual(['row 4 (line 4): y is null; invalid_point']);
  });

  test.each(['null', '[null,null,null]', '[NaN, NaN, NaN]', 'NaN', '"nan"', '"[nan nan nan]"', '""'])(
    'reads the position %s as missing',
    async (position) => {
      expect((await lines(`{"p":${position}}\n`, { positions: ['p'] })).summary.statuses).toEqual({
        not_looked_up: 1,
      });
    },
  );

  test('writes numeric values as numbers', async () => {
    const { text } = await lines(
      '{"x":1,"y":1,"z":1}\n{"x":901,"y":1,"z":1}\n',
      {},
      createValueLookup(fakeValueVolume(), {}),
    );
    expect(text).toBe(
      '{"x":1,"y":1,"z":1,"value":-0.5,"status":"ok"}\n{"x":901,"y":1,"z":1,"value":null,"status":"out_of_bounds"}\n',
    );
    const odd = {
      ...fakeValueVolume(),
      scatteredPoints: async (
        ...args: Parameters<ReturnType<typeof fakeValueVolume>['scatteredPoints']>
      ) => ({
        ...(await fakeValueVolume().scatteredPoints(...args)),
        values: Float32Array.of(NaN, Infinity),
      }),
    };
    expect(
      (await lines('{"x":1,"y":1,"z":1}\n{"x":1,"y":1,"z":1}\n', {}, createValueLookup(odd, {}))).text.match(
        /"value":[^,]+/g,
      ),
    ).toEqual(['"value":"NaN"', '"value":"Infinity"']);
  });

  test('finds a column that the first row lacks', async () => {
    const { text, summary } = await lines('{"id":1}\n{"p":[1,2,3]}\n', { positions: ['p'] });
    expect(text).toBe(
      `{"id":1,"p_${S}":null,"p_${R}":null,"p_status":"not_looked_up"}\n{"p":[1,2,3],"p_${S}":"${supervoxelText(1, 2)}","p_${R}":"${rootText(1, 2)}","p_status":"ok"}\n`,
    );
    expect(summary.statuses).toEqual({ not_looked_up: 1, ok: 1 });
  });

  test('quotes a value as the table has it', async () => {
    const { warnings } = await lines(
      '{"x":1,"y":"\\u0061","z":1}\n{"x":1,"y":{"a" : 1.0},"z":1}\n{"x":1,"y":1e999,"z":1}\n',
    );
    expect(warnings).toEqual([
      'row 1 (line 1): y: "\\u0061" is not a number; invalid_point',
      'row 2 (line 2): y: {"a" : 1.0} is not a number; invalid_point',
      'row 3 (line 3): y: 1e999 is not a number; invalid_point',
    ]);
  });

  test.each(['[1,2,3]', '"[1, 2, 3]"', '"(1 2 3)"', '["1", 2, 3]'])(
    'reads the position %s',
    async (position) => {
      const row = await lines(`{"pt_position":${position}}\n`, { positions: ['pt_position'] });
      expect(row.text).toBe(
        `{"pt_position":${position},"pt_${S}":"${supervoxelText(1, 2)}","pt_${R}":"${rootText(1, 2)}","pt_status":"ok"}\n`,
      );
    },
  );

  test.each(['[1,2]', '[1,2,3,4]', '[1,2,null]', '{"x":1}', '"1"', '7', '[1,[2],3]', '[]', '[null,null]'])(
    'reads the position %s as an invalid point',
    async (position) => {
      expect((await lines(`{"p":${position}}\n`, { positions: ['p'] })).summary.statuses).toEqual({
        invalid_point: 1,
      });
    },
  );

  test('replaces values in place, whatever surrounds them', async () => {
    const row = `{"a":{"status":[1,"]}",{}]} , "st\\u0061tus" : {"b":[1,2]} ,"x":1,"y":2,"z":3,"${R}":5 }\n`;
    await expect(lines(row)).rejects.toMatchObject({ code: 'COLUMN_EXISTS' });
    expect((await lines(row, { replace: true })).text).toBe(
      `{"a":{"status":[1,"]}",{}]} , "st\\u0061tus" : "ok" ,"x":1,"y":2,"z":3,"${R}":"${rootText(1, 2)}" ,"${S}":"${supervoxelText(1, 2)}"}\n`,
    );
  });

  test.each([
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\n{"x":1,\n', /^row 2 \(line 2\): not JSON: (?!.*\(line)/],
    ['BAD_ROW', '\n{"x":NaN,"y":1,"z":1\n', /^row 1 \(line 2\): not JSON: (?!.*\(line)/],
    ['BAD_ROW', 'x,y,z\n1,2,3\n', /^row 1 \(line 1\): not JSON: /],
    ['BAD_ROW', '7\n', /^row 1 \(line 1\): 7 is not a JSON object$/],
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\nNaN\n', /^row 2 \(line 2\): "NaN" is not a JSON object$/],
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\n{NaN : 1}\n', /^row 2 \(line 2\): not JSON: /],
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\n{"a":nan}\n', /^row 2 \(line 2\): not JSON: /],
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\n{"a":+Infinity}\n', /^row 2 \(line 2\): not JSON: /],
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\n{"a":NaN,"b\n', /^row 2 \(line 2\): not JSON: /],
    ['BAD_ROW', '{"x":1,"y":1,"z":1}\n\n[1]\n', /^row 2 \(line 3\): \[1\] is not a JSON object$/],
    [
      'COLUMN_EXISTS',
      '{"x":1,"y":1,"z":1}\n{"x":1,"y":1,"z":1,"status":0}\n',
      /^row 2 \(line 2\): column status already exists \(replace \(--replace\) overwrites it\)$/,
    ],
    ['MISSING_COLUMN', '{"x":1,"y":1}\n', /^no column "z"; columns found: x, y$/],
  ])('refuses with %s: %j', async (code, text, message) => {
    await expect(lines(text)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  test.each(['', '\n', '\ufeff'])('reads %j as a table without rows, and says so', async (text) => {
    expect(await lines(text)).toMatchObject({
      text: Buffer.from(text).toString('latin1'),
      summary: { rows: 0, statuses: {} },
      warnings: ['the table is empty'],
    });
  });

  test('reads the values that Python writes, and keeps their text', async () => {
    const row =
      '{"s": "NaN \\" -Infinity", "a":[NaN, -Infinity], "x":1,"y":2,"b" : {"c":Infinity}, "z":3 ,"status":NaN}';
    const { text, warnings } = await lines(`${row}\n`, { replace: true });
    expect(text).toBe(
      `${row.replace('NaN}', '"ok"')},"${S}":"${supervoxelText(1, 2)}","${R}":"${rootText(1, 2)}"}\n`,
    );
    expect(warnings).toEqual([]);
  });

  test('reads a coordinate that is NaN as an invalid point', async () => {
    const { text, warnings } = await lines('{"x":1,"y":NaN,"z":3}\n');
    expect(text).toBe(`{"x":1,"y":NaN,"z":3,"${S}":null,"${R}":null,"status":"invalid_point"}\n`);
    expect(warnings).toEqual(['row 1 (line 1): y: NaN is not a number; invalid_point']);
    expect((await lines('{"p":[1,-Infinity,3]}\n', { positions: ['p'] })).summary.statuses).toEqual({
      invalid_point: 1,
    });
  });

  test('reads a long row with Python values in one pass', async () => {
    const row = `{"x":1,"y":2,"z":NaN,"s":"${'n'.repeat(4e6)}","t":"${'\\"'.repeat(1e6)}"`;
    expect((await lines(`${row}}\n`)).summary.statuses).toEqual({ invalid_point: 1 });
    await expect(lines(`${row}"\n`)).rejects.toMatchObject({ code: 'BAD_ROW' });
  });

  test('writes any row as it was, with the answers added', async () => {
    const other = fc.dictionary(
      fc
        .string({ minLength: 1 })
        .filter((key) => !['x', 'y', 'z', S, R, 'status', '__proto__'].includes(key)),
      fc.jsonValue(),
      { maxKeys: 4 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(other, fc.nat(800)), { maxLength: 6 }),
        fc.constantFrom(undefined, 1),
        async (rows, space) => {
          const texts = rows.map(([row, x]) =>
            JSON.stringify({ ...row, x, y: 1, z: 2 }, null, space).replaceAll('\n', ' '),
          );
          const { text } = await lines(texts.map((row) => `${row}\n`).join(''));
          expect(text).toBe(
            Buffer.from(
              texts.map((row, k) => `${row.slice(0, -1)},${keys(rows[k][1], 1)}}\n`).join(''),
            ).toString('latin1'),
          );
          const again = await run(Buffer.from(text, 'latin1'), { format: 'jsonl', replace: true });
          expect(again.text).toBe(text);
        },
      ),
      { seed: 7 },
    );
  });
});

describe('lookUpPointTable: requests', () => {
  /** The rows are so long that a block of 64 KiB holds about ten. */
  const longTable = `x,y,z,note\n${Array.from({ length: 50 }, (_, k) => `${k},1,1,${'n'.repeat(6500)}\n`).join('')}`;

  test('looks up in batches, all at one timestamp', async () => {
    const volume = fakeGraphVolume();
    const bytes = Buffer.from(longTable);
    const source = (async function* () {
      for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
    })();
    const written: Uint8Array[] = [];
    const sink: ByteSink = {
      write: async (part) => void written.push(part),
      finish: async () => {},
      abandon: async () => undefined,
    };
    const summary = await lookUpPointTable(createGraphLookup(volume, {}), source, sink, {
      format: 'csv',
      batchRows: 20,
    });
    expect(volume.calls).toEqual([
      'now',
      'points 20 at 2024-06-05',
      'points 20 at 2024-06-05',
      'points 10 at 2024-06-05',
    ]);
    expect(summary).toMatchObject({ rows: 50, stats: { points: 50, chunks: 6, ms: { plan: 3, chunks: 3 } } });
    const rows = Buffer.concat(written).toString().trimEnd().split('\n');
    expect(rows.slice(1).map((row) => row.split(',').slice(4).join(','))).toEqual(
      Array.from({ length: 50 }, (_, k) => answered(k, 1)),
    );
  });

  test('uses no timestamp for a volume without a graph, and shows its values', async () => {
    const { text, summary } = await run(
      'x,y,z\n1,1,1\n901,1,1\n900,1,1\n',
      {},
      createValueLookup(fakeValueVolume(2), {}),
    );
    expect(text).toBe(
      'x,y,z,value_0,value_1,status\n1,1,1,-0.5,0.5,ok\n901,1,1,,,out_of_bounds\n900,1,1,3.5,4.5,background\n',
    );
    expect(summary.timestamp).toBeUndefined();
  });

  test('looks up only supervoxels', async () => {
    const volume = fakeGraphVolume();
    const { text, summary } = await run(
      'x,y,z\n1,2,1\n',
      {},
      createGraphLookup(volume, { supervoxelsOnly: true }),
    );
    expect([text, volume.calls, summary.timestamp]).toEqual([
      `x,y,z,${S},status\n1,2,1,${supervoxelText(1, 2)},ok\n`,
      ['points 1'],
      undefined,
    ]);
  });

  test('names another layer', async () => {
    const { text } = await run('x,y,z\n', {}, createGraphLookup(fakeGraphVolume(), { stopLayer: 2 }));
    expect(text).toBe(`x,y,z,${S},l2_id,status\n`);
  });

  test('reads supervoxels once and looks up roots at the timestamp of the row', async () => {
    const volume = fakeGraphVolume();
    const { text, summary, warnings } = await run(
      't,x,y,z\n2024-01-02,1,1,1\n,2,1,1\n2024-01-02T00:00:00Z,3,1,1\nsoon,4,1,1\nnow,5,1,1\n1704240000,6,1,1\n2024-01-09,900,1,1\n',
      { timestampColumn: 't' },
      createGraphLookup(volume, { stopLayer: 3 }),
    );
    expect(volume.calls).toEqual([
      'now',
      'points 7',
      'roots 2 at 2024-06-05 to layer 3',
      'roots 2 at 2024-01-02 to layer 3',
      'roots 1 at 2024-01-03 to layer 3',
    ]);
    const days = [2, NOW.getUTCDate(), 2, undefined, NOW.getUTCDate(), 3, undefined];
    expect(
      text
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',').slice(5).join(',')),
    ).toEqual(
      days.map((day, k) =>
        day ? `${rootText(k + 1, 1, day)},ok` : k === 3 ? ',invalid_timestamp' : '0,background',
      ),
    );
    expect(summary.timestamp).toBeUndefined();
    expect(warnings).toEqual([
      `row 4 (line 5): column t: "soon" is not a timestamp: expected 2024-06-05T10:10:01.203Z, unix seconds or 'now'; invalid_timestamp`,
    ]);
    expect(summary).toMatchObject({
      timestamps: { first: new Date('2024-01-02'), last: NOW, count: 3 },
      statuses: { ok: 5, invalid_timestamp: 1, background: 1 },
      stats: { requests: 2, bytes: 100, rootRequests: 3, distinctSupervoxels: 5 },
    });
  });

  test('counts a supervoxel once for all timestamps, and counts no timestamp without an ID', async () => {
    const table = 't,x,y,z\n2024-01-02,1,1,1\n2024-01-03,1,1,1\n2024-01-04,2,1,1\n2024-01-05,900,1,1\n';
    const { summary } = await run(table, { timestampColumn: 't' });
    expect(summary).toMatchObject({
      stats: { rootRequests: 3, distinctSupervoxels: 2 },
      timestamps: { first: new Date('2024-01-02'), last: new Date('2024-01-04'), count: 3 },
    });
    expect((await run('t,x,y,z\n', { timestampColumn: 't' })).summary).toMatchObject({
      timestamps: { first: null, last: null, count: 0 },
    });
  });

  test('measures the time of look-ups that overlap once', async () => {
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
    const fake = fakeGraphVolume();
    const waiting: (() => void)[] = [];
    const volume: GraphVolume = {
      now: () => fake.now(),
      scatteredPoints: (points, options) => ((now += 2), fake.scatteredPoints(points, options)),
      at: (instant) => ({
        async roots(ids, options) {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return fake.at(instant).roots(ids, options);
        },
      }),
    };
    try {
      const running = run(
        't,x,y,z\n2024-01-02,1,1,1\n2024-01-03,1,1,1\n2024-01-04,1,1,1\n',
        { timestampColumn: 't' },
        createGraphLookup(volume, {}),
      );
      while (waiting.length < 3) await new Promise(setImmediate);
      now += 10;
      for (const answer of waiting.splice(0)) answer();
      expect((await running).summary.stats.ms).toEqual({ plan: 1, chunks: 1, roots: 10, total: 12 });
    } finally {
      clock.mockRestore();
    }
  });

  test('explains a timestamp in milliseconds like any other timestamp', async () => {
    const { warnings } = await run('t,x,y,z\n1717582201203,1,1,1\n', { timestampColumn: 't' });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^row 1 \(line 2\): column t: "1717582201203" looks like milliseconds; .*; invalid_timestamp$/,
      ),
    ]);
  });

  test('writes the rows of a batch before the next batch is looked up', async () => {
    const written: string[] = [];
    const sink: ByteSink = {
      write: async (bytes) => void written.push(Buffer.from(bytes).toString()),
      finish: async () => {},
      abandon: async () => undefined,
    };
    const source = (async function* () {
      yield Buffer.from(longTable.slice(0, 70_000));
      yield Buffer.from(longTable.slice(70_000, 140_000));
      throw new Error('interrupted');
    })();
    await expect(
      lookUpPointTable(createGraphLookup(fakeGraphVolume(), {}), source, sink, {
        format: 'csv',
        batchRows: 5,
      }),
    ).rejects.toThrow('interrupted');
    expect(written.join('').match(/,ok\n/g)).toHaveLength(Math.floor(140_000 / 6_500)); // all rows that were read
  });

  test('stops when aborted', async () => {
    const reason = new Error('enough');
    await expect(run('x,y,z\n1,2,3\n', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
