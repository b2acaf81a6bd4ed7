import { describe, expect, test } from '@jest/globals';
import { GraphError } from '../../lib/base/errors.ts';
import type { ByteSink } from '../../lib/tables/files/byte-streams.ts';
import { lookUpIdTable, type IdLookup, type IdTableOptions } from '../../lib/jobs/id-table.ts';
import { createRootLookup, type RootVolume } from '../../lib/jobs/root-lookup.ts';
import { createUpdateLookup } from '../../lib/jobs/update-lookup.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';

const NOW = new Date('2024-06-05T10:10:01.203Z');
/** Greater than 2^53, so that a double would round it. */
const S = 72127962782105601n,
  R = 288230376151712042n;
const FAILED = S + 500n,
  UNKNOWN = S + 600n;
const rootOf = (id: bigint): bigint => R + (id - S) * 2n;

/** A volume in which supervoxel S + n has root R + 2n. From `split` on, S + 1 has root R + 1000. */
function fakeVolume({ split = Infinity }: { split?: number } = {}) {
  const requests: string[] = [];
  const volume: RootVolume & { isLatest: (roots: BigUint64Array, timestamp: Date) => Promise<boolean[]> } = {
    now: () => NOW,
    async roots(ids, { timestamp, stopLayer, validate }) {
      requests.push(
        `roots of ${ids.length} at ${timestamp.toISOString()}${stopLayer ? ` to layer ${stopLayer}` : ''}${validate ? ', validated' : ''}`,
      );
      const rootIds = new BigUint64Array(ids.length),
        status = new Uint8Array(ids.length).fill(PointStatus.ok);
      ids.forEach((id, k) => {
        if (id === 0n) status[k] = PointStatus.background;
        else if (id === FAILED) status[k] = PointStatus.rootFailed;
        else if (id === UNKNOWN) status[k] = PointStatus.noRoot;
        else rootIds[k] = id === S + 1n && timestamp.getTime() >= split ? R + 1000n : rootOf(id);
      });
      return {
        rootIds,
        status,
        timestamp,
        settled: true,
        stats: {
          points: ids.length,
          chunks: 0,
          requests: 0,
          bytes: 0,
          cacheHits: 0,
          absentBy403: 0,
          rootRequests: 1,
          distinctSupervoxels: ids.length,
          ms: { plan: 0, chunks: 0, roots: 1, total: 1 },
        },
        *rows() {
          for (const [index, code] of status.entries())
            yield {
              index,
              supervoxelId: ids[index],
              rootId: rootIds[index],
              status: statusText(code),
              error: code === PointStatus.rootFailed ? new Error('it broke') : undefined,
            };
        },
      };
    },
    async isLatest(roots, timestamp) {
      requests.push(`is ${roots.join(' ')} valid`);
      return Array.from(roots, (root) => (root === R + 2n ? timestamp.getTime() < split : root < R + 1000n));
    },
  };
  return { requests, volume };
}

async function run(lookup: IdLookup, text: string, options: Partial<IdTableOptions> = {}) {
  const written: Uint8Array[] = [],
    warnings: string[] = [];
  const sink: ByteSink = {
    write: async (bytes) => void written.push(bytes),
    finish: async () => {},
    abandon: async () => undefined,
  };
  const bytes = Buffer.from(text);
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  })();
  const counts = await lookUpIdTable(lookup, source, sink, {
    format: 'csv',
    warn: (message) => warnings.push(message),
    ...options,
  });
  return { text: Buffer.concat(written).toString(), counts, warnings };
}

describe('roots of a table of IDs', () => {
  const lookUpText = (
    text: string,
    options: Partial<IdTableOptions> = {},
    job: Parameters<typeof createRootLookup>[1] = {},
  ) => run(createRootLookup(fakeVolume().volume, job), text, options);

  test.each([
    [
      'a list',
      'list',
      `${S}\n${S + 3n}\n`,
      `supervoxel_id,root_id,status\n${S},${R},ok\n${S + 3n},${R + 6n},ok\n`,
    ],
    [
      'a list with CR LF',
      'list',
      `${S}\r\n${S + 3n}\r\n`,
      `supervoxel_id,root_id,status\r\n${S},${R},ok\r\n${S + 3n},${R + 6n},ok\r\n`,
    ],
    [
      'a list with a byte order mark',
      'list',
      `\ufeff${S}\n`,
      `\ufeffsupervoxel_id,root_id,status\n${S},${R},ok\n`,
    ],
    [
      'a list of quoted IDs with an invalid one',
      'list',
      `"${S}"\n\nseven\n`,
      `supervoxel_id,root_id,status\n"${S}",${R},ok\n\nseven,,invalid_id\n`,
    ],
    ['a list without a last line end', 'list', `${S}`, `supervoxel_id,root_id,status\n${S},${R},ok`],
    ['an empty list', 'list', '', 'supervoxel_id,root_id,status\n'],
    ['CSV', 'csv', `n,supervoxel_id\n"a,b",${S}\n`, `n,supervoxel_id,root_id,status\n"a,b",${S},${R},ok\n`],
    [
      'CSV with a prefix',
      'csv',
      `pre_supervoxel_id,x\r\n"${S}",1\r\n`,
      `pre_supervoxel_id,x,pre_root_id,pre_status\r\n"${S}",1,${R},ok\r\n`,
    ],
    ['one column of any name', 'csv', `sv\n${S}\n`, `sv,root_id,status\n${S},${R},ok\n`],
    [
      'TSV',
      'tsv',
      `x\tsupervoxel_id\n1\t ${S} \n`,
      `x\tsupervoxel_id\troot_id\tstatus\n1\t ${S} \t${R}\tok\n`,
    ],
    [
      'JSON numbers',
      'jsonl',
      `{"supervoxel_id": ${S}, "n": 1}\n`,
      `{"supervoxel_id": ${S}, "n": 1,"root_id":"${R}","status":"ok"}\n`,
    ],
    [
      'JSON strings',
      'jsonl',
      `{"supervoxel_id":"${S}"}\n`,
      `{"supervoxel_id":"${S}","root_id":"${R}","status":"ok"}\n`,
    ],
  ] as const)('answers %s', async (_, format, text, expected) => {
    expect((await lookUpText(text, { format })).text).toBe(expected);
  });

  test.each([
    ['0', '0,background'],
    ['', ',not_looked_up'],
    ['NA', ',not_looked_up'],
    ['nan', ',not_looked_up'],
    ['<NA>', ',not_looked_up'],
    ['None', ',not_looked_up'],
    ['"n/a"', ',not_looked_up'],
    ['#N/A N/A', ',not_looked_up'],
    ['NULL', ',not_looked_up'],
    ['-1.#IND', ',not_looked_up'],
    ['missing', ',invalid_id'],
    [' ', ',not_looked_up'],
    ['""', ',not_looked_up'],
    [`${UNKNOWN}`, ',no_root'],
    [`${FAILED}`, ',root_failed'],
    ['18446744073709551616', ',invalid_id'],
    ['7.2e16', ',invalid_id'],
    ['72127962782105601.0', ',invalid_id'],
    ['-1', ',invalid_id'],
    ['0x10', ',invalid_id'],
    ['seven', ',invalid_id'],
  ])('gives the status of %p', async (cell, answer) => {
    expect((await lookUpText(`x,supervoxel_id\n1,${cell}\n`)).text).toBe(
      `x,supervoxel_id,root_id,status\n1,${cell},${answer}\n`,
    );
  });

  test.each<[string, string | null, string]>([
    ['null', null, 'not_looked_up'],
    ['NaN', null, 'not_looked_up'],
    ['"<NA>"', null, 'not_looked_up'],
    ['Infinity', null, 'invalid_id'],
    ['" "', null, 'not_looked_up'],
    ['0', '0', 'background'],
    ['"7 "', '14', 'ok'],
    ['7.5', null, 'invalid_id'],
    ['true', null, 'invalid_id'],
    ['[1]', null, 'invalid_id'],
    ['1e3', null, 'invalid_id'],
    ['-0', null, 'invalid_id'],
    ['"\\u0031"', null, 'invalid_id'],
  ])('reads the JSON value %s as an ID, or gives its status', async (value, root, status) => {
    const volume = fakeVolume().volume;
    const { text } = await run(
      createRootLookup(
        {
          ...volume,
          roots: (ids, options) =>
            volume
              .roots(
                ids.map((id) => (id === 0n ? 0n : S + id)),
                options,
              )
              .then((r) => ({ ...r, rootIds: r.rootIds.map((id) => (id === 0n ? 0n : id - R)) })),
        },
        {},
      ),
      `{"supervoxel_id":${value}}\n`,
      { format: 'jsonl' },
    );
    expect(JSON.parse(text.replace(/:(NaN|Infinity)/, ':null'))).toMatchObject({ root_id: root, status });
  });

  test('warns about the first invalid rows, and stops at the first when strict', async () => {
    const table = `supervoxel_id,x\n${S},1\nseven,2\n${S}\n,,\nnine,1\n`;
    const { warnings, counts } = await lookUpText(table);
    expect(warnings).toEqual([
      'row 2 (line 3): column supervoxel_id: "seven" is not a uint64 ID; invalid_id',
      'row 3 (line 4): 1 fields where the header has 2; invalid_id',
      'row 4 (line 5): 3 fields where the header has 2; invalid_id',
      '1 more row without a valid ID',
    ]);
    expect(counts).toMatchObject({ rows: 5, statuses: { ok: 1, invalid_id: 4 } });
    await expect(lookUpText(table, { strict: true })).rejects.toMatchObject({
      code: 'BAD_ROW',
      message: 'row 2 (line 3): column supervoxel_id: "seven" is not a uint64 ID',
    });
  });

  test('sends one request per batch, at one timestamp, to the given layer', async () => {
    const { requests, volume } = fakeVolume();
    const lookup = createRootLookup(volume, { stopLayer: 2, validate: true });
    const { text } = await run(lookup, `supervoxel_id\n${S}\n${S}\n`);
    expect(text).toContain('supervoxel_id,l2_id,status\n');
    expect([requests, lookup.timestamp]).toEqual([
      ['roots of 2 at 2024-06-05T10:10:01.203Z to layer 2, validated'],
      NOW,
    ]);
  });

  test.each([
    ['no such column', 'a,b\n1,2\n', {}, 'no column "supervoxel_id"; columns found: a, b'],
    [
      'several',
      'pre_supervoxel_id,post_supervoxel_id\n1,2\n',
      {},
      '2 columns could be the supervoxel_id: name one or more with --column; columns found: pre_supervoxel_id, post_supervoxel_id',
    ],
    [
      'one named that is not there',
      'supervoxel_id\n1\n',
      { columns: ['sv'] },
      'no column "sv"; columns found: supervoxel_id',
    ],
    [
      'an output that exists',
      'supervoxel_id,root_id\n1,2\n',
      {},
      'column root_id already exists (replace (--replace) overwrites it)',
    ],
  ])('refuses a table with %s', async (_, table, job, message) => {
    await expect(lookUpText(table, {}, job)).rejects.toMatchObject({ name: 'TableError', message });
  });

  test('finds the IDs of JSON Lines whose first row has none, and quotes an invalid ID as the table has it', async () => {
    const { text, warnings } = await lookUpText(
      `{"a":1}\n{"supervoxel_id":"${S}"}\n{"supervoxel_id":7.20e16}\n`,
      { format: 'jsonl' },
    );
    expect(text.split('\n').map((row) => row && (JSON.parse(row) as { status: string }).status)).toEqual([
      'not_looked_up',
      'ok',
      'invalid_id',
      '',
    ]);
    expect(warnings).toEqual(['row 3 (line 3): supervoxel_id: 7.20e16 is not a uint64 ID; invalid_id']);
  });

  test('looks up several columns at once', async () => {
    const { requests, volume } = fakeVolume();
    const lookup = createRootLookup(volume, { columns: ['post_supervoxel_id', 'pre_supervoxel_id'] });
    const { text } = await run(lookup, `pre_supervoxel_id,post_supervoxel_id\n${S},${S + 1n}\nnan,7.5\n`);
    expect(text).toBe(
      `pre_supervoxel_id,post_supervoxel_id,post_root_id,post_status,pre_root_id,pre_status\n${S},${S + 1n},${R + 2n},ok,${R},ok\nnan,7.5,,invalid_id,,not_looked_up\n`,
    );
    expect(requests).toEqual(['roots of 4 at 2024-06-05T10:10:01.203Z']);
    await expect(run(createRootLookup(volume, { columns: ['a', 'b'] }), 'a,b\n1,2\n')).rejects.toMatchObject({
      code: 'COLUMN_EXISTS',
      message: 'column root_id would be written twice: the columns that are looked up need different names',
    });
  });

  test('does not touch the status of an earlier look-up, or a value that it does not replace', async () => {
    expect((await lookUpText(`supervoxel_id,status\n${S},suspect\n`)).text).toBe(
      `supervoxel_id,status,root_id,root_status\n${S},suspect,${R},ok\n`,
    );
    const again = await lookUpText(
      `supervoxel_id,root_id,status\nNA,7,ok\nx,7,ok\n${FAILED},7,ok\n${UNKNOWN},7,ok\n`,
      { replace: true },
    );
    expect(again.text).toBe(
      `supervoxel_id,root_id,status\nNA,7,not_looked_up\nx,7,invalid_id\n${FAILED},7,root_failed\n${UNKNOWN},,no_root\n`,
    );
  });

  test('reads the named column among several', async () => {
    expect(
      (
        await lookUpText(
          `pre_supervoxel_id,post_supervoxel_id\n1,${S}\n`,
          {},
          { columns: ['post_supervoxel_id'] },
        )
      ).text,
    ).toBe(`pre_supervoxel_id,post_supervoxel_id,post_root_id,post_status\n1,${S},${R},ok\n`);
  });
});

describe('roots of an earlier table at another timestamp', () => {
  const SPLIT = NOW.getTime();

  test('looks up only the supervoxels whose root was replaced or is missing', async () => {
    const { requests, volume } = fakeVolume({ split: SPLIT });
    const lookup = createUpdateLookup(volume, {});
    const rows = [
      `${S},${R},ok,keep me`,
      `${S + 1n},${R + 2n},ok,`,
      `${S + 1n},${R + 2n},suspect,again`,
      `${S + 2n},${R + 4n},ok,`,
      `0,0,background,`,
      `,,out_of_bounds,`,
      `${S + 3n},,root_failed,`,
    ];
    const { text, counts } = await run(lookup, `supervoxel_id,root_id,status,note\n${rows.join('\n')}\n`);
    const expected = [...rows];
    expected[1] = `${S + 1n},${R + 1000n},ok,`;
    expected[2] = `${S + 1n},${R + 1000n},suspect,again`;
    expected[6] = `${S + 3n},${R + 6n},ok,`;
    expect(text).toBe(`supervoxel_id,root_id,status,note\n${expected.join('\n')}\n`);
    expect(requests).toEqual([`is ${R} ${R + 2n} ${R + 4n} valid`, 'roots of 3 at 2024-06-05T10:10:01.203Z']);
    expect([lookup.changed, lookup.timestamp, counts.rows]).toEqual([3, NOW, 7]);
    expect(counts.statuses).toEqual({ ok: 4, suspect: 1, background: 1, not_looked_up: 1 });
  });

  test('does the same in JSON Lines, where every other byte stays', async () => {
    const rows = [
      `{ "pt_supervoxel_id": "${S}", "pt_root_id": "${R}", "pt_status":"ok" }`,
      `{"pt_root_id":${R + 2n},"pt_supervoxel_id":${S + 1n}}`,
    ];
    const { text } = await run(
      createUpdateLookup(fakeVolume({ split: SPLIT }).volume, {}),
      `${rows.join('\n')}\n`,
      { format: 'jsonl' },
    );
    expect(text).toBe(
      `${rows[0]}\n{"pt_root_id":"${R + 1000n}","pt_supervoxel_id":${S + 1n},"pt_status":"ok"}\n`,
    );
  });

  test('adds a status column if there is none', async () => {
    const { text } = await run(
      createUpdateLookup(fakeVolume({ split: SPLIT }).volume, {}),
      `supervoxel_id,root_id\n${S},${R}\n${S + 1n},${R + 2n}\n0,0\n`,
    );
    expect(text).toBe(
      `supervoxel_id,root_id,status\n${S},${R},ok\n${S + 1n},${R + 1000n},ok\n0,0,background\n`,
    );
  });

  test('looks up at the given timestamp, and empties the root of a row without one', async () => {
    const { requests, volume } = fakeVolume({ split: SPLIT });
    const earlier = new Date(SPLIT - 1);
    const { text, warnings } = await run(
      createUpdateLookup(volume, { timestamp: earlier }),
      `supervoxel_id,root_id,status\n${S + 1n},${R + 2n},ok\n${UNKNOWN},5000000000000000000,ok\nx,${R},ok\n`,
    );
    expect(text).toBe(
      `supervoxel_id,root_id,status\n${S + 1n},${R + 2n},ok\n${UNKNOWN},,no_root\nx,${R},invalid_id\n`,
    );
    expect(requests[1]).toBe(`roots of 1 at ${earlier.toISOString()}`);
    expect(warnings).toEqual(['row 3 (line 4): column supervoxel_id: "x" is not a uint64 ID; invalid_id']);
  });

  test('looks up all rows if the check of the roots fails', async () => {
    const { requests, volume } = fakeVolume({ split: SPLIT });
    const isLatest = async (): Promise<boolean[]> => {
      throw new GraphError('HTTP_STATUS', 'too much', 'http://graph', 503);
    };
    const { text } = await run(
      createUpdateLookup({ ...volume, isLatest }, {}),
      `supervoxel_id,root_id,status\n${S},${R},ok\n${S + 1n},${R + 2n},ok\n`,
    );
    expect(text).toBe(`supervoxel_id,root_id,status\n${S},${R},ok\n${S + 1n},${R + 1000n},ok\n`);
    expect(requests).toEqual(['roots of 2 at 2024-06-05T10:10:01.203Z']);
  });

  test('counts rows whose root could not be looked up as failed, not as changed, and keeps their root', async () => {
    const lookup = createUpdateLookup(fakeVolume().volume, {});
    const { text, warnings } = await run(lookup, `supervoxel_id,root_id,status\n${FAILED},${R + 2000n},ok\n`);
    expect([text, lookup.changed, warnings]).toEqual([
      `supervoxel_id,root_id,status\n${FAILED},${R + 2000n},root_failed\n`,
      0,
      ['row 1: root_failed: it broke'],
    ]);
  });

  test('keeps a suspect status when the look-up fails, and counts the row as failed', async () => {
    const volume = fakeVolume({ split: SPLIT }).volume,
      suspect = `supervoxel_id,root_id,status\n${S + 1n},${R + 2n},suspect\n`;
    const failing: typeof volume.roots = async (ids, options) => {
      const answer = await volume.roots(
        ids.map(() => FAILED),
        options,
      );
      return { ...answer, rootIds: new BigUint64Array(ids.length) };
    };
    const { text, counts, warnings } = await run(
      createUpdateLookup({ ...volume, roots: failing }, {}),
      suspect,
    );
    expect([text, counts.statuses, warnings]).toEqual([
      suspect,
      { root_failed: 1 },
      ['row 1: root_failed: it broke'],
    ]);
    expect((await run(createUpdateLookup(volume, {}), text)).text).toBe(
      `supervoxel_id,root_id,status\n${S + 1n},${R + 1000n},suspect\n`,
    );
  });

  test.each([
    ['a missing supervoxel', `NA,${R},ok`, undefined],
    ['an empty supervoxel', `,${R + 2n},`, undefined],
    ['an invalid supervoxel', `7.2e+16,${R},ok`, `7.2e+16,${R},invalid_id`],
    ['a missing root', `${S},NA,no_root`, `${S},${R},ok`],
    ['an invalid root', `${S},2.88230376151711e+17,`, `${S},${R},ok`],
    [
      'an invalid root that cannot be looked up',
      `${FAILED},2.88230376151711e+17,ok`,
      `${FAILED},2.88230376151711e+17,root_failed`,
    ],
    ['both missing', 'nan,<NA>,failed', undefined],
    ['both invalid', 'a,b,ok', 'a,b,invalid_id'],
    ['a root that an earlier run could not look up, and is current', `${S},${R},root_failed`, `${S},${R},ok`],
    ['a suspect row whose root is current', `${S},${R},suspect`, undefined],
    ['a suspect row without a root', `${UNKNOWN},${R + 2000n},suspect`, `${UNKNOWN},,suspect`],
    ['no status, and a root that is current', `${S},${R},`, undefined],
  ])('keeps values that it does not replace: %s', async (_, row, expected = row) => {
    const { text } = await run(
      createUpdateLookup(fakeVolume({ split: SPLIT }).volume, {}),
      `supervoxel_id,root_id,status\n${row}\n`,
    );
    expect(text).toBe(`supervoxel_id,root_id,status\n${expected}\n`);
  });

  test('does not lose values of JSON Lines when a key is missing or cannot be read', async () => {
    const rows = [
      `{"supervoxel_id":null,"root_id":"${R}","status":"ok"}`,
      `{"root_id":"${R}","status":"ok"}`,
      `{"supervoxel_id":7.2e16,"root_id":"${R}","status":"ok"}`,
      `{"supervoxel_id":"${S}"}`,
      `{"supervoxel_id":"${S}","root_id":NaN}`,
    ];
    const { text } = await run(
      createUpdateLookup(fakeVolume({ split: SPLIT }).volume, {}),
      `${rows.join('\n')}\n`,
      { format: 'jsonl' },
    );
    expect(text.split('\n')).toEqual([
      rows[0],
      rows[1],
      rows[2].replace('"ok"', '"invalid_id"'),
      `{"supervoxel_id":"${S}","root_id":"${R}","status":"ok"}`,
      `{"supervoxel_id":"${S}","root_id":"${R}","status":"ok"}`,
      '',
    ]);
  });

  test.each([
    [
      'csv',
      `supervoxel_id,root_id,status\n${S},${R},ok\n${S + 1n},${R + 2n},traced\n`,
      `supervoxel_id,root_id,status,root_status\n${S},${R},ok,ok\n${S + 1n},${R + 1000n},traced,ok\n`,
    ],
    [
      'jsonl',
      `{"supervoxel_id":"${S + 1n}","root_id":"${R + 2n}"}\n{"supervoxel_id":"${S + 1n}","root_id":"${R + 2n}","status":7}\n`,
      `{"supervoxel_id":"${S + 1n}","root_id":"${R + 1000n}","root_status":"ok"}\n{"supervoxel_id":"${S + 1n}","root_id":"${R + 1000n}","status":7,"root_status":"ok"}\n`,
    ],
  ] as const)(
    'does not overwrite a status column with another meaning (%s), and finds its own column again',
    async (format, table, expected) => {
      const once = await run(createUpdateLookup(fakeVolume({ split: SPLIT }).volume, {}), table, { format });
      expect(once.text).toBe(expected);
      expect(
        (await run(createUpdateLookup(fakeVolume({ split: SPLIT }).volume, {}), once.text, { format })).text,
      ).toBe(expected);
    },
  );

  test('stops at a cell that is not a status, in a column that began with statuses', async () => {
    const rows = Array.from({ length: 3000 }, () => `${S},${R},ok,${'n'.repeat(60)}\n`).join('');
    await expect(
      run(
        createUpdateLookup(fakeVolume().volume, {}),
        `supervoxel_id,root_id,status,n\n${rows}${S},${R},traced,\n`,
        { batchRows: 10 },
      ),
    ).rejects.toMatchObject({
      code: 'BAD_ROW',
      message:
        'row 3001 (line 3002): column status holds "traced", which is not a status: rename the column, and the statuses will get a column of their own',
    });
  });

  test('updates both sides of a table, and requests each supervoxel and root once', async () => {
    const { requests, volume } = fakeVolume({ split: SPLIT });
    const lookup = createUpdateLookup(volume, { columns: ['pre_supervoxel_id', 'post_supervoxel_id'] });
    const { text, counts } = await run(
      lookup,
      `pre_supervoxel_id,pre_root_id,post_root_id,post_supervoxel_id\n${S},${R},${R + 2n},${S + 1n}\n${S + 1n},${R + 2n},NA,x\n`,
    );
    expect(text).toBe(
      `pre_supervoxel_id,pre_root_id,post_root_id,post_supervoxel_id,pre_status,post_status\n${S},${R},${R + 1000n},${S + 1n},ok,ok\n${S + 1n},${R + 1000n},NA,x,ok,invalid_id\n`,
    );
    expect(requests).toEqual([`is ${R} ${R + 2n} valid`, 'roots of 2 at 2024-06-05T10:10:01.203Z']);
    expect(counts).toMatchObject({
      rows: 2,
      sides: ['pre_supervoxel_id', 'post_supervoxel_id'],
      statuses: { ok: 3, invalid_id: 1 },
      stats: { points: 4 },
    });
    expect(lookup.changed).toBe(2);
  });

  test('says how to update layer-2 IDs', async () => {
    await expect(
      run(createUpdateLookup(fakeVolume().volume, {}), 'pt_supervoxel_id,pt_l2_id,pt_status\n1,2,ok\n'),
    ).rejects.toMatchObject({
      code: 'MISSING_COLUMN',
      message:
        'no column "pt_root_id", only pt_l2_id: update is for roots; `roots --stop-layer 2 --replace` looks up pt_l2_id again',
    });
  });

  test('needs the roots of the column’s own prefix', async () => {
    await expect(
      run(createUpdateLookup(fakeVolume().volume, {}), 'pt_supervoxel_id,root_id\n1,2\n'),
    ).rejects.toMatchObject({
      message:
        'no column "pt_root_id" with earlier roots to update: `roots` looks them up; columns found: pt_supervoxel_id, root_id',
    });
  });
});
