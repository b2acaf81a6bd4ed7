/** `lookupTable`: files, streams and buckets in and out, with volumes that are open or are opened. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { isLookupError } from '../../lib/base/is-lookup-error.ts';
import { openGraphene, openPrecomputed } from '../../lib/graphene/open-and-resolve.ts';
import type { TableProgress } from '../../lib/jobs/job-types.ts';
import { lookupTable } from '../../lib/lookup-table/lookup-table.ts';
import { runLookupTable } from '../../lib/lookup-table/run-lookup-table.ts';
import type { LookupTableOptions } from '../../lib/lookup-table/table-types.ts';
import { createMockBucket } from '../../mocks/bucket.ts';
import { createMockChunkedGraph } from '../../mocks/chunkedgraph.ts';
import { gsRoutes } from '../../mocks/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/loopback.ts';
import { loadFixture } from '../../testing/fixtures.ts';
import { runCli } from '../cli/run-cli.ts';
import { arrowFixture } from '../tables/arrow/arrow-files.ts';
import { numpyFixture } from '../tables/numpy/numpy-files.ts';

const fixture = loadFixture('graphene_cseg_u64'),
  [scale] = fixture.scales,
  image = loadFixture('img_raw_u8').folder;
const graph = createMockChunkedGraph({
    ...(fixture.graph as unknown as Parameters<typeof createMockChunkedGraph>[0]),
    dataDir: '{HOST}/bucket',
  }),
  bucket = createMockBucket({ folder: fixture.folder }),
  google = createMockBucket({ files: {}, writable: true });
const TIMESTAMP = '2024-01-01';

let served: ServedMocks, path: string, folder: string;
beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket, ...gsRoutes({ goog: google }) });
  path = `graphene://${served.url}/segmentation/table/mock`;
});
afterAll(() => served.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookup-table-'));
  for (const { faults, log } of [graph, bucket, google]) faults.length = log.requests.length = 0;
});
afterEach(() => rm(folder, { recursive: true }));

const file = (name: string): string => join(folder, name);
const silent = { warn: () => undefined };

/** The expected line of each point of the fixture. */
const LINES = scale.points.map((point, k) => {
  const supervoxel = scale.values[k] as string | null;
  const answers =
    supervoxel === null
      ? ',,out_of_bounds'
      : supervoxel === '0'
        ? '0,0,background'
        : `${supervoxel},${scale.roots![k]},ok`;
  return [`${point.join(',')}`, answers] as const;
});
const NOTE = 'n'.repeat(20_000);
/** A table of the fixture's points, as often as is needed, and what it becomes. */
function tableOf(rows: number, note = ''): { table: string; expected: string } {
  const lines = Array.from({ length: rows }, (_, k) => LINES[(k * 7) % LINES.length]);
  return {
    table: `x,y,z,note\n${lines.map(([point]) => `${point},${note}\n`).join('')}`,
    expected: `x,y,z,note,supervoxel_id,root_id,status\n${lines
      .map(([point, answers]) => `${point},${note},${answers}\n`)
      .join('')}`,
  };
}

/** A stream of a table, in pieces. */
const streamOf = (table: string): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(table.length / 2 ** 18) }, (_, k) =>
      Buffer.from(table.slice(k * 2 ** 18, (k + 1) * 2 ** 18)),
    ),
  );

/** A stream that keeps the parts that it is given, and copies none. */
function keeping(): { sink: Writable; text: () => string } {
  const parts: Uint8Array[] = [];
  const sink = new Writable({ write: (part: Uint8Array, _encoding, done) => (parts.push(part), done()) });
  return { sink, text: () => Buffer.concat(parts).toString() };
}

describe('lookupTable', () => {
  test('gives every expected supervoxel and root, and says what it did', async () => {
    const { table, expected } = tableOf(100);
    await writeFile(file('in.csv'), table);
    const summary = await lookupTable(file('in.csv'), file('out.csv'), {
      volume: path,
      timestamp: TIMESTAMP,
      ...silent,
    });
    expect(await readFile(file('out.csv'), 'utf8')).toBe(expected);
    expect(summary).toMatchObject({
      rows: 100,
      timestamp: new Date(TIMESTAMP),
      statuses: { ok: expected.match(/,ok\n/g)!.length },
      stats: { points: 100, rootRequests: 1 },
    });
    expect(await readdir(folder)).toEqual(['in.csv', 'out.csv']);
  });

  test.each<[name: string, out: string, options: Omit<LookupTableOptions, 'volume'>, flags: string[]]>([
    ['a.csv', 'o.csv', { delimiter: ';' }, ['--delimiter', ';']],
    ['a.csv', 'o.tsv.gz', { delimiter: ';', missing: 'NA' }, ['--delimiter', ';', '--missing', 'NA']],
    ['b.jsonl', 'o.jsonl', { position: 'p' }, ['--position', 'p']],
    [
      'b.jsonl',
      'o.parquet',
      { position: ['p'], idType: 'string' },
      ['--position', 'p', '--id-type', 'string'],
    ],
    ['pyarrow-lz4.arrow', 'o.arrow', { position: 'fixed' }, ['--position', 'fixed']],
    ['pandas.feather', 'o.parquet', {}, []],
    ['int64.npy', 'o.npy', {}, []],
    ['b.jsonl', 'o.csv', { columns: ['a', 'b', 'c'] }, ['--columns', 'a,b,c']],
  ])('writes the bytes that the command line writes: %s to %s', async (name, out, options, flags) => {
    const texts: Record<string, string> = {
      'a.csv': 'X;Y;Z\n10;20;30\n;;\n99;0;0\n',
      'b.jsonl': '{"p":[10,20,30],"a":1,"b":2,"c":3}\n{"p":null,"a":4,"b":5,"c":6}\n',
    };
    const bytes =
      name in texts
        ? Buffer.from(texts[name])
        : name.endsWith('.npy')
          ? numpyFixture(name)
          : arrowFixture(name);
    await writeFile(file(name), bytes);
    const ours = file(`ours-${out}`),
      theirs = file(`theirs-${out}`);
    const argv = ['lookup', image, '--points', file(name), '--out', theirs, '--quiet', ...flags];
    const { stderr } = await runCli(argv);
    const warnings: string[] = [];
    await lookupTable(file(name), ours, {
      volume: image,
      ...options,
      warn: (message) => warnings.push(message),
    });
    expect(warnings.map((warning) => `warning: ${warning}\n`).join('')).toBe(stderr);
    expect((await readFile(ours)).equals(await readFile(theirs))).toBe(true);
  });

  test('writes the bytes that the command line writes from Parquet, with all options of reading', async () => {
    const rows = scale.points.map(([x, y, z], k) => ({
      t: k % 2 === 0 ? null : '2023-01-01',
      p: [2 * x, 2 * y, z],
    }));
    await writeFile(file('in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const options = { position: 'p', resolution: [4, 4, 40], timestamp: TIMESTAMP, ...silent } as const;
    await lookupTable(file('in.jsonl'), file('in.parquet'), { volume: path, ...options });
    const flags = [
      '--position',
      'p',
      '--resolution',
      '4,4,40',
      '--timestamp',
      TIMESTAMP,
      '--replace',
      '--quiet',
    ];
    const more = ['--snap-nm', '80', '--stop-layer', '2', '--timestamp-column', 't', '--also', `em=${image}`];
    for (const [out, own, ownFlags] of [
      ['a.parquet', {}, []],
      [
        'b.parquet',
        { snap: { radiusNm: 80 }, stopLayer: 2, timestampColumn: 't', also: [{ name: 'em', volume: image }] },
        more,
      ],
      ['c.arrow', { agglomerate: false, timestamp: undefined }, ['--supervoxels-only']],
    ] as const) {
      const given =
        ownFlags[0] === '--supervoxels-only' ? flags.filter((flag) => !/timestamp|2024/.test(flag)) : flags;
      const argv = [
        'lookup',
        path,
        '--points',
        file('in.parquet'),
        '--out',
        file(`their-${out}`),
        ...given,
        ...ownFlags,
      ];
      expect(await runCli(argv)).toMatchObject({ stdout: '', stderr: expect.not.stringContaining('error') });
      const all = { volume: path, ...options, replace: true, ...own };
      await lookupTable(file('in.parquet'), file(`our-${out}`), all);
      expect((await readFile(file(`our-${out}`))).equals(await readFile(file(`their-${out}`)))).toBe(true);
    }
  });

  test('reads several files and patterns as one table, and may replace its source', async () => {
    await writeFile(file('2.csv'), 'x,y,z\n11,20,30\n');
    await writeFile(file('1.csv'), 'x,y,z\n10,20,30\n');
    const options = { volume: image, ...silent };
    await lookupTable([file('[1-2].csv')], file('all.csv'), options);
    expect((await readFile(file('all.csv'), 'utf8')).match(/^1\d/gm)).toEqual(['10', '11']);
    await lookupTable(file('1.csv'), file('1.csv'), options);
    expect(await readFile(file('1.csv'), 'utf8')).toMatch(/^x,y,z,value,status\n10,20,30,\d+,ok\n$/);
  });

  test('reads and writes buckets', async () => {
    const { table, expected } = tableOf(3);
    await writeFile(file('in.csv'), table);
    const options = {
      volume: path,
      open: { timestamp: TIMESTAMP },
      storage: { endpoint: served.url },
      tempDir: folder,
      ...silent,
    };
    await lookupTable(file('in.csv'), 'gs://goog/a/b.csv', options);
    expect(Buffer.from(google.get('a/b.csv')!.bytes).toString()).toBe(expected);
    const { sink, text } = keeping();
    await lookupTable('gs://goog/a/b.csv', sink, { ...options, replace: true });
    expect(text()).toBe(expected);
    expect(await readdir(folder)).toEqual(['in.csv']);
  });
});

describe('streams', () => {
  test('of Node and of the web come in and go out', async () => {
    const { table, expected } = tableOf(500),
      options = { volume: path, timestamp: TIMESTAMP, format: 'csv', ...silent } as const;
    const node = keeping();
    await lookupTable(Readable.from([Buffer.from(table)]), node.sink, options);
    expect([node.text(), node.sink.writableFinished]).toEqual([expected, true]);
    const parts: Uint8Array[] = [];
    let closed = false;
    const web = new WritableStream<Uint8Array>({
      write: (part) => void parts.push(part),
      close: () => void (closed = true),
    });
    await lookupTable(new Blob([table]).stream(), web, options);
    expect([Buffer.concat(parts).toString(), closed]).toEqual([expected, true]);
    const through = new PassThrough(),
      written = pipeline(through, createWriteStream(file('out.csv')));
    const lines = {
      async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
        for (const line of table.match(/.*\n/g)!) yield Buffer.from(line);
      },
    };
    await lookupTable(lines, through, options);
    await written;
    expect(await readFile(file('out.csv'), 'utf8')).toBe(expected);
  });

  test('that seek are copied first, and the copy is deleted', async () => {
    const source = Readable.from([arrowFixture('pyarrow-lz4.arrow')]),
      options = { volume: image, position: 'fixed', tempDir: folder, ...silent } as const;
    await lookupTable(source, file('a.arrow'), { ...options, format: 'arrow' });
    await writeFile(file('in.arrow'), arrowFixture('pyarrow-lz4.arrow'));
    await lookupTable(file('in.arrow'), file('b.arrow'), options);
    expect((await readFile(file('a.arrow'))).equals(await readFile(file('b.arrow')))).toBe(true);
    expect(await readdir(folder)).toEqual(['a.arrow', 'b.arrow', 'in.arrow']);
  });

  test('that fail end the look-up, and both ends learn it', async () => {
    const options = { volume: image, format: 'csv', ...silent } as const;
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x,y,z\n10,20,30\n');
      throw new Error('the line is cut');
    }
    const { sink } = keeping();
    await expect(lookupTable(failing(), sink, options)).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: 'the source cannot be read: the line is cut',
    });
    expect([sink.destroyed, sink.errored?.message]).toEqual([
      true,
      'the source cannot be read: the line is cut',
    ]);
    const source = Readable.from([Buffer.from('x,y,z\n10,20,30\n'), Buffer.from('1,2,3\n')]),
      full = new Writable({ write: (_part, _encoding, done) => done(new Error('no space')) });
    const error: unknown = await lookupTable(source, full, options).catch((thrown: unknown) => thrown);
    expect(isLookupError(error, 'UNREADABLE') && error.message).toMatch(
      /^the sink cannot be written: no space/,
    );
    expect(source.destroyed).toBe(true);
    const closed = keeping().sink.destroy();
    await expect(
      lookupTable(Readable.from([Buffer.from('x,y,z\n1,2,3\n')]), closed, options),
    ).rejects.toThrow('the sink was closed before the table was complete');
    const web = new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error('gone')) });
    await expect(lookupTable(Readable.from([Buffer.from('x,y,z\n1,2,3\n')]), web, options)).rejects.toThrow(
      'the sink cannot be written: gone',
    );
  });

  test('of other things than bytes are refused', async () => {
    const { sink } = keeping();
    await expect(
      lookupTable(Readable.from([[1, 2, 3]]), sink, { volume: image, format: 'csv', ...silent }),
    ).rejects.toThrow('the source yields a object, not bytes');
  });
});

describe('an open volume', () => {
  test('is used with its root cache, warns as before, and stays open', async () => {
    const warnings: string[] = [],
      own: string[] = [];
    await using volume = await openGraphene(path, {
      rootCache: true,
      timestamp: TIMESTAMP,
      logger: { warn: (message) => warnings.push(message) },
    });
    const { table, expected } = tableOf(100),
      options = { volume, format: 'csv', warn: (message: string) => own.push(message) } as const;
    for (const rootRequests of [1, 0]) {
      const { sink, text } = keeping();
      const { stats, timestamp } = await lookupTable(Readable.from([Buffer.from(table)]), sink, options);
      expect([text(), stats.rootRequests, timestamp]).toEqual([expected, rootRequests, new Date(TIMESTAMP)]);
    }
    const background = scale.points[scale.values.indexOf('0')];
    const misses = `x,y,z\n${`${background.join(',')}\n`.repeat(1000)}`;
    expect(warnings).toEqual([]);
    await lookupTable(Readable.from([Buffer.from(misses)]), keeping().sink, options);
    expect([own.filter((message) => message.includes('background')).length, warnings]).toEqual([1, []]);
    await volume.scatteredPoints(Array.from({ length: 1000 }, () => background));
    expect(warnings).toEqual([expect.stringContaining('background')]);
  });

  test('beside others, each with columns of its own', async () => {
    await using em = await openPrecomputed(image);
    await writeFile(file('in.csv'), 'x,y,z\n10,20,30\n');
    const summary = await lookupTable(file('in.csv'), file('out.csv'), {
      volume: em,
      also: [
        { name: 'again', volume: em },
        { name: 'seg', volume: path },
      ],
      timestamp: TIMESTAMP,
      ...silent,
    });
    const [header, line] = (await readFile(file('out.csv'), 'utf8')).split('\n');
    expect(header).toBe(
      'x,y,z,value,status,again_value,again_status,seg_supervoxel_id,seg_root_id,seg_status',
    );
    const [value, , again] = line.split(',').slice(3);
    expect(again).toBe(value);
    expect(Object.keys(summary.also!)).toEqual(['again', 'seg']);
  });
});

describe('a large table', () => {
  const sizes = { batchRows: 1, windowPoints: 50, windowChunks: 8, samplePoints: 16 };
  const { table, expected } = tableOf(200, NOTE); // 4 MB: a file is read by the MiB

  test('is sorted by chunk, with each chunk read once, from a file or a stream', async () => {
    await using volume = await openGraphene(path, { rootCache: true, workers: 0 });
    await writeFile(file('in.csv'), table);
    bucket.log.requests.length = 0;
    const options = { volume, timestamp: TIMESTAMP, tempDir: folder, format: 'csv', ...silent } as const;
    const passes = new Set<string>();
    const onProgress = ({ pass, passes: all }: TableProgress): unknown => passes.add(`${pass} of ${all}`);
    const summary = await runLookupTable(file('in.csv'), file('out.csv'), { ...options, onProgress }, sizes);
    expect(await readFile(file('out.csv'), 'utf8')).toBe(expected);
    expect([...passes]).toEqual(['sorting of 3', 'looking up of 3', 'writing of 3']);
    const chunks = bucket.log.requests.map(({ path: key }) => key);
    expect(new Set(chunks).size).toBe(chunks.length);
    expect(summary.passMs).toMatchObject({ sorting: expect.any(Number) });
    const { sink, text } = keeping();
    await runLookupTable(streamOf(table), sink, options, sizes);
    expect(text()).toBe(expected);
    expect(await readdir(folder)).toEqual(['in.csv', 'out.csv']);
    expect(
      await volume.rootOf(BigInt(String(scale.values.find((id) => id !== null && id !== '0')))),
    ).not.toBe(0n);
  });

  test.each(['sorting', 'looking up', 'writing'])(
    'leaves nothing when it is aborted while %s',
    async (when) => {
      await using volume = await openGraphene(path, { workers: 0, logger: silent });
      await writeFile(file('in.csv'), table);
      await writeFile(file('out.csv'), 'old');
      const abort = new AbortController(),
        reason = new Error('enough');
      const options = {
        volume,
        timestamp: TIMESTAMP,
        tempDir: folder,
        signal: abort.signal,
        format: 'csv',
        onProgress: ({ pass }: TableProgress) => void (pass === when && abort.abort(reason)),
        ...silent,
      } as const;
      const source = streamOf(table),
        { sink } = keeping();
      await expect(runLookupTable(file('in.csv'), file('out.csv'), options, sizes)).rejects.toBe(reason);
      expect(await readdir(folder)).toEqual(['in.csv', 'out.csv']);
      expect(await readFile(file('out.csv'), 'utf8')).toBe('old');
      await expect(runLookupTable(source, sink, options, sizes)).rejects.toBe(reason);
      expect([source.destroyed, sink.destroyed, await readdir(folder)]).toEqual([
        true,
        true,
        ['in.csv', 'out.csv'],
      ]);
      expect(await volume.roots([0n])).toMatchObject({ rootIds: BigUint64Array.of(0n) });
    },
  );

  test('ends a wait for a source that gives no more', async () => {
    const abort = new AbortController(),
      source = new PassThrough();
    source.write('x,y,z\n1,2,3\n');
    const options = { volume: image, format: 'csv', signal: abort.signal, ...silent } as const;
    const looking = lookupTable(source, file('out.csv'), options);
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(looking).rejects.toThrow('enough');
    expect([source.destroyed, await readdir(folder)]).toEqual([true, []]);
  });

  test('stops at maxFailures', async () => {
    await writeFile(file('in.csv'), 'x,y,z\n1,2,3\nq,2,3\n');
    const options = { volume: image, ...silent };
    await expect(
      lookupTable(file('in.csv'), file('out.csv'), { ...options, maxFailures: '10%' }),
    ).rejects.toMatchObject({ code: 'TOO_MANY_FAILURES' });
    expect(await readdir(folder)).toEqual(['in.csv']);
    await lookupTable(file('in.csv'), file('out.csv'), { ...options, maxFailures: 1 });
    await expect(
      lookupTable(file('in.csv'), file('strict.csv'), { ...options, strict: true }),
    ).rejects.toMatchObject({ code: 'BAD_ROW' });
  });
});

describe('what cannot be used', () => {
  test.each<[options: object, message: string]>([
    [{}, 'volume is an open volume of openGraphene or openPrecomputed, or its path, not undefined'],
    [{ volume: 'v', Position: 'p' }, 'there is no option "Position"; did you mean position?'],
    [{ volume: 'v', open: { lruBytes: -1 } }, 'open.lruBytes must be a whole number from 0, not -1'],
    [{ volume: 'v', columns: ['a', 'b'] }, 'columns is the names of three different columns'],
    [{ volume: 'v', position: [] }, 'position is the name of a column, or a list of different names'],
    [{ volume: 'v', maxFailures: '101%' }, 'maxFailures must be a whole number from 0, or a percentage'],
    [{ volume: 'v', maxFailures: -1 }, 'maxFailures must be a whole number from 0, or a percentage'],
    [{ volume: 'v', also: [{ name: 'a b', volume: 'w' }] }, 'also[0]: "a b" cannot be the name of a volume'],
    [{ volume: 'v', also: [{ name: 'a' }] }, 'also[0].volume is an open volume'],
    [{ volume: 'v', timestamp: TIMESTAMP }, 'timestamp is for graphene:// and cave:// paths'],
    [{ volume: 'v', open: { token: 't' } }, 'token is for graphene:// and cave:// paths'],
    [{ volume: 'v', idType: 'int64' }, 'idType is for parquet, arrow, npy and npz'],
    [{ volume: 'v', outFormat: 'tsv' }, 'out.csv and outFormat tsv name two formats'],
    [{ volume: 'v', columns: ['a', 'b', 'c'], position: 'p' }, 'columns and position name the points twice'],
    [
      { volume: 'graphene://https://h/segmentation/table/t', agglomerate: false, stopLayer: 2 },
      'stopLayer is for roots, and agglomerate false looks up none',
    ],
  ])('is refused, and nothing is written: %j', async (options, message) => {
    await writeFile(file('in.csv'), 'x,y,z\n1,2,3\n');
    const looking = lookupTable(file('in.csv'), file('out.csv'), options as LookupTableOptions);
    const error = await looking.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(/must be/.test(message) ? RangeError : TypeError);
    expect((error as Error).message).toContain(message);
    expect(await readdir(folder)).toEqual(['in.csv']);
  });

  test.each<[source: unknown, sink: unknown, message: string]>([
    [undefined, 'o.csv', 'the source is a path, a list of paths, or a stream of bytes, not a undefined'],
    [[], 'o.csv', 'no path may be empty'],
    ['-', 'o.csv', 'pass process.stdin for standard input'],
    [Buffer.from('x'), 'o.csv', 'pass Readable.from([bytes]) for bytes'],
    ['i.csv', '-', 'pass process.stdout'],
    ['i.csv', {}, 'the sink is a path or a stream that bytes are written to'],
    [Readable.from([]), 'o.csv', 'the source has no suffix that tells its format: add format'],
  ])('as a source or a sink is refused: %p, %p', async (source, sink, message) => {
    await expect(
      lookupTable(source as string, sink as string, { volume: image, ...silent }),
    ).rejects.toMatchObject({ name: 'TypeError', message: expect.stringContaining(message) });
  });

  test('has a typed error', async () => {
    await writeFile(file('in.csv'), 'x,y,z\n1,2,3\n');
    await writeFile(file('union.arrows'), arrowFixture('pyarrow.arrows'));
    const options = { volume: image, ...silent };
    const cases: [source: string, sink: string, more: object, code: string, message: string][] = [
      ['none-*.csv', 'out.csv', {}, 'BAD_TABLE_PATH', 'finds no file'],
      ['in.csv', 'in.csv.partial', {}, 'BAD_TABLE_PATH', 'suffix that is reserved'],
      ['in.txt', 'out.csv', {}, 'BAD_FORMAT', 'does not tell its format: add format csv'],
      ['in.csv', 'none/out.csv', {}, 'UNREADABLE', 'cannot be written'],
      [
        'union.arrows',
        'out.parquet',
        { position: 'list' },
        'BAD_FORMAT',
        'which Parquet does not have: write a .arrow file',
      ],
      ['none.csv', 'out.csv', {}, 'UNREADABLE', 'cannot be read'],
      ['in.csv', 'out.csv', { position: 'p' }, 'MISSING_COLUMN', 'no column "p"'],
      ['in.csv', 'out.csv', { volume: file('none') }, 'NOT_FOUND', 'none'],
      [
        'in.csv',
        'out.csv',
        { also: [{ name: 'b', volume: file('none') }] },
        'NOT_OPENED',
        'also b cannot be opened',
      ],
    ];
    for (const [source, sink, more, code, message] of cases)
      await expect(lookupTable(file(source), file(sink), { ...options, ...more })).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      });
    expect(await readdir(folder)).toEqual(['in.csv', 'union.arrows']);
  });
});
