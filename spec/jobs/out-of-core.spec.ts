import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TableProgress } from '../../lib/jobs/job-types.ts';
import { createGraphLookup, type PointLookup, toLookupAnswers } from '../../lib/jobs/point-lookup.ts';
import type { TableSummary } from '../../lib/jobs/job-types.ts';
import { lookUpPointTable, type PointTableOptions } from '../../lib/jobs/point-table.ts';
import { ChunkOrder } from '../../lib/points/chunk-order.ts';
import { emptyStats } from '../../lib/points/result.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';
import { AT, fakeGraphVolume } from './fake-volume.ts';

const folder = mkdtempSync(join(tmpdir(), 'out-of-core-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CHUNK = 100;
const order = new ChunkOrder(
  {
    size: [1000, 1000, 1000],
    chunkSize: [CHUNK, CHUNK, CHUNK],
    voxelOffset: [0, 0, 0],
    resolution: [8, 8, 40],
  },
  [8, 8, 40],
);
const cellOf = (points: Int32Array | Float64Array, k: number): string =>
  [0, 1, 2].map((axis) => Math.floor(points[3 * k + axis] / CHUNK)).join();

/** Answers two values and a distance, all from the coordinates alone. */
const values: PointLookup = {
  kind: 'values',
  channels: 2,
  snaps: true,
  async lookUp({ points, integers }) {
    const n = points.length / 3,
      both = new Float32Array(2 * n),
      distance = new Float32Array(n),
      status = new Uint8Array(n);
    for (let k = 0; k < n; k++) {
      both.set([points[3 * k] + (integers?.[3 * k] ?? 0) / 2, points[3 * k + 1] / 4], 2 * k);
      distance[k] = points[3 * k + 2] > 500 ? NaN : points[3 * k + 2] / 8;
      status[k] = Number.isNaN(points[3 * k])
        ? PointStatus.invalidPoint
        : points[3 * k] === 13
          ? PointStatus.failed
          : PointStatus.ok;
    }
    const rows = function* () {
      for (let index = 0; index < n; index++)
        yield {
          index,
          status: statusText(status[index]),
          error:
            status[index] === PointStatus.failed ? new Error(`y is ${points[3 * index + 1] % 5}`) : undefined,
        };
    };
    const columns = [0, 1].map((offset) => ({ values: both, stride: 2, offset, zeroMeansMissing: false }));
    return toLookupAnswers({ status, stats: emptyStats(), rows }, [
      ...columns,
      { values: distance, stride: 1, offset: 0, zeroMeansMissing: false, decimals: 3 },
    ]);
  },
};

async function* piecesOf(table: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(table);
  for (let at = 0; at < bytes.length; at += 2 ** 14) yield bytes.subarray(at, at + 2 ** 14);
}

interface Ran {
  text: string;
  summary: TableSummary;
  warnings: string[];
  /** The chunks of each look-up. */
  windows: Set<string>[];
  error?: unknown;
}

/** Runs a table in batches of 64 KiB, in one pass or out of core. */
async function run(
  table: string,
  options: Partial<PointTableOptions>,
  sizes?: { windowPoints: number; windowChunks: number; samplePoints: number },
): Promise<Ran> {
  const ran: Ran = { text: '', summary: undefined!, warnings: [], windows: [] };
  const asked = options.interpolates ? values : createGraphLookup(fakeGraphVolume(), {});
  const lookup: PointLookup = {
    ...asked,
    get timestamp() {
      return asked.timestamp;
    },
    lookUp: (batch) => {
      ran.windows.push(
        new Set(Array.from({ length: batch.points.length / 3 }, (_, k) => cellOf(batch.points, k))),
      );
      return asked.lookUp(batch);
    },
  };
  const source = (): AsyncGenerator<Uint8Array> => piecesOf(table);
  const parts: Uint8Array[] = [];
  const sink = {
    write: async (bytes: Uint8Array) => void parts.push(bytes),
    finish: async () => undefined,
    abandon: async () => undefined,
  };
  try {
    ran.summary = await lookUpPointTable(lookup, source(), sink, {
      format: 'csv',
      batchRows: 1,
      warn: (message) => ran.warnings.push(message),
      outOfCore: sizes && { order, folder, reopen: source, ...sizes },
      ...options,
    });
  } catch (error) {
    ran.error = error;
  }
  ran.text = Buffer.concat(parts).toString('latin1');
  return ran;
}

const COORDINATE = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 999 }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom(...Object.values(AT)).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('', 'NA', 'x', '-5', '1e12', '4000000000', '13') },
);
const cell = fc.tuple(COORDINATE, fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999 }));
const ROW = fc.record({
  pre: cell,
  post: cell,
  time: fc.constantFrom('', '2024-01-02', '2024-02-03T04:05:06.007Z', 'now', 'never'),
});
/** A batch of 64 KiB holds 33 rows. */
const NOTE = 'n'.repeat(2000);
const tableOf = (rows: { pre: unknown[]; post: unknown[]; time: string }[]): string =>
  `pre,post_x,post_y,post_z,t,old_status,note\n${rows
    .map(({ pre, post, time }) => `"[${pre.join(', ')}]",${post.join(',')},${time},ok,${NOTE}\n`)
    .join('')}`;

const OPTIONS: readonly Partial<PointTableOptions>[] = [
  { columns: ['post_x', 'post_y', 'post_z'] },
  { positions: ['pre', 'post'], also: [{ name: 'em', lookup: values }] },
  { positions: ['pre', 'post'], timestampColumn: 't' },
  { positions: ['pre', 'post'], also: [{ name: 'em', lookup: values }], interpolates: true },
];

describe('a table out of core', () => {
  test.each([0, 1, 2, 3])('has the bytes, counts and warnings of one pass, with columns %d', (choice) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(ROW, { minLength: 70, maxLength: 170 }),
        fc.record({
          windowPoints: fc.integer({ min: 1, max: 40 }),
          windowChunks: fc.integer({ min: 1, max: 60 }),
          samplePoints: fc.integer({ min: 1, max: 9 }),
        }),
        async (rows, sizes) => {
          // Only values are read between voxels.
          const places = rows.map((row, k) => (k % 40 < 2 ? { ...row, pre: ['10.5', 1, 2] } : row));
          const table = tableOf(OPTIONS[choice].interpolates ? places : rows);
          const one = await run(table, OPTIONS[choice]),
            other = await run(table, OPTIONS[choice], sizes);
          expect(other.error).toEqual(one.error);
          if (one.error !== undefined) return;
          expect(other.text === one.text).toBe(true);
          const { stats, also, ...summary } = one.summary;
          expect(other.summary).toMatchObject({ ...summary, stats: { points: stats.points } });
          if (also) expect(other.summary.also!.em.statuses).toEqual(also.em.statuses);
          expect(other.warnings.toSorted()).toEqual(one.warnings.toSorted());
          expect(other.windows.length).toBeGreaterThan(1);
        },
      ),
      { numRuns: 5, seed: 3, endOnFailure: true },
    ),
  );

  test('looks up each chunk in one window, however the rows are mixed', async () => {
    // 1000 chunks with 2 points each; 10 chunks fit in a window.
    const rows = Array.from({ length: 2000 }, (_, k) => {
      const chunk = (k * 379) % 1000,
        at = (axis: number): number => CHUNK * (Math.floor(chunk / 10 ** axis) % 10) + (k % 7);
      return { pre: [1, 1, 1], post: [at(0), at(1), at(2)], time: '' };
    });
    const { windows, summary } = await run(
      tableOf(rows),
      { columns: ['post_x', 'post_y', 'post_z'] },
      { windowPoints: 20, windowChunks: 1000, samplePoints: 1 },
    );
    expect(summary.rows).toBe(2000);
    expect(windows.reduce((sum, { size }) => sum + size, 0)).toBe(1000);
    expect(Math.max(...windows.map(({ size }) => size))).toBeLessThanOrEqual(15);
    expect(windows.length).toBeLessThanOrEqual(110);
  });

  test.each([true, false])(
    'has the bytes of one pass for JSON Lines, with replaced columns: %s',
    async (replace) => {
      const rows = Array.from({ length: 150 }, (_, k) => {
        const at = k % 9 === 0 ? null : [(k * 379) % 1000, k, k % 50];
        return `${JSON.stringify({ ...(replace && { pre_root_id: '5' }), id: k, pre: at, note: NOTE, pre_status: replace ? 'ok' : undefined })}\n`;
      }).join('');
      const options = { format: 'jsonl', positions: ['pre'], replace } as const,
        one = await run(rows, options),
        other = await run(rows, options, { windowPoints: 20, windowChunks: 20, samplePoints: 2 });
      expect([one.error, other.windows.length > 5]).toEqual([undefined, true]);
      expect(other.text === one.text).toBe(true);
      expect(other.summary.statuses).toEqual(one.summary.statuses);
    },
  );

  test('stops at an invalid row before any point is looked up, if it is strict', async () => {
    const rows = Array.from({ length: 100 }, (_, k) => ({
      pre: [1, 1, 1],
      post: [k === 80 ? 'x' : 1, 1, 1],
      time: '',
    }));
    const sizes = { windowPoints: 50, windowChunks: 50, samplePoints: 4 };
    const { error, windows } = await run(tableOf(rows), { ...OPTIONS[0], strict: true }, sizes);
    expect(error).toMatchObject({
      code: 'BAD_ROW',
      message: expect.stringContaining('row 81 (line 82): column post_x'),
    });
    expect(windows).toEqual([]);
  });

  test('refuses a table that has other rows when it is read again', async () => {
    const rows = Array.from({ length: 100 }, () => ({ pre: [1, 1, 1], post: [1, 1, 1], time: '' }));
    for (const other of [rows.slice(1), [...rows, rows[0]]]) {
      const outOfCore = { order, folder, windowPoints: 10, reopen: () => piecesOf(tableOf(other)) };
      const { error } = await run(tableOf(rows), { ...OPTIONS[0], outOfCore });
      expect(error).toMatchObject({ code: 'UNREADABLE', message: expect.stringContaining('has changed') });
    }
  });

  test('reports the progress of each pass up to its end', async () => {
    const rows = Array.from({ length: 150 }, (_, k) => ({
      pre: [k, 1, 1],
      post: [k === 7 ? AT.failed : (k * 379) % 800, k === 8 ? 'x' : 1, 1],
      time: '',
    }));
    const seen: TableProgress[] = [];
    const { summary } = await run(
      tableOf(rows),
      { positions: ['pre', 'post'], onProgress: (progress) => seen.push(progress) },
      { windowPoints: 60, windowChunks: 100, samplePoints: 2 },
    );
    const passes = [...new Set(seen.map(({ pass }) => pass))];
    expect(passes).toEqual(['sorting', 'looking up', 'writing']);
    for (const [k, pass] of passes.entries()) {
      const own = seen.filter((progress) => progress.pass === pass),
        done = own.map((progress) => progress.rows);
      expect(own.length).toBeGreaterThan(2);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
      // One point of a row is invalid, and is not looked up.
      expect(own.at(-1)).toMatchObject({ passNumber: k + 1, passes: 3, rows: k === 1 ? 149 : 150 });
      // How much of a stream has been read is unknown.
      expect(own.at(-1)!.fraction).toBe(k === 0 ? undefined : 1);
    }
    expect(seen.at(-1)).toMatchObject({
      chunksDone: summary.stats.chunks,
      bytes: summary.stats.bytes,
      rootRequests: summary.stats.rootRequests,
      failures: summary.statuses.failed,
    });
    expect(Object.keys(summary.passMs!)).toEqual(passes);
  });

  test('stops as soon as more points need attention than may', async () => {
    const rows = Array.from({ length: 200 }, (_, k) => ({
      pre: [1, 1, 1],
      // The chunks that are read first have the points that fail.
      post: k < 100 ? [5 * k, 950, 950] : [k % 2 === 0 ? AT.noRoot : AT.failed, 1, 1],
      time: '',
    }));
    const sizes = { windowPoints: 20, windowChunks: 20, samplePoints: 1 };
    for (const [maxFailures, isFew] of [
      [{ points: 100 }, true],
      [{ percent: 50 }, true],
      [{ points: 99 }, false],
      [{ percent: 10 }, false],
    ] as const) {
      const { error, text, windows } = await run(tableOf(rows), { ...OPTIONS[0], maxFailures }, sizes);
      if (isFew) expect([error, text === '']).toEqual([undefined, false]);
      else expect([error, text]).toEqual([expect.objectContaining({ code: 'TOO_MANY_FAILURES' }), '']);
      expect(windows.length).toBeGreaterThan(0);
      // Two tasks are looked up at a time.
      if ('percent' in maxFailures && !isFew) expect(windows.length).toBeLessThan(4);
      else expect(windows.length).toBeGreaterThan(4);
    }
    const { error } = await run(tableOf(rows), { ...OPTIONS[0], maxFailures: { points: 0 } }, sizes);
    expect((error as Error).message).toMatch(
      /^[\d]+ of 200 points need attention so far \(\d+ failed, \d+ no_root\), more than the 0 that maxFailures \(--max-failures\) allows$/,
    );
  });

  test('leaves no file, and says how much room it needs before it reads on', async () => {
    const rows = Array.from({ length: 100 }, () => ({ pre: [1, 1, 1], post: [1, 1, 1], time: '' }));
    const notes: string[] = [];
    const fractions = [2e-17, 0.5];
    for (const fraction of fractions) {
      const { error, windows } = await run(tableOf(rows), {
        ...OPTIONS[0],
        outOfCore: {
          order,
          folder,
          reopen: () => piecesOf(tableOf(rows)),
          fractionRead: () => fraction,
          note: (message) => notes.push(message),
        },
      });
      expect(readdirSync(folder)).toEqual([]);
      expect(windows.length).toBe(fraction === 0.5 ? 1 : 0);
      if (fraction === 0.5) expect(error).toBeUndefined();
      else
        expect(error).toMatchObject({
          code: 'UNREADABLE',
          message: expect.stringMatching(
            /^temporary files in .* need \d+\.\d GB, and .* are free; tempDir \(--temp-dir\)/,
          ),
        });
    }
    expect(notes).toEqual([
      expect.stringMatching(/^the table is large: .* in about 1 MB of temporary files in /),
    ]);
  });

  test('ends with the reason of an abort, in each of its passes', async () => {
    const rows = Array.from({ length: 200 }, (_, k) => ({ pre: [1, 1, 1], post: [k, 1, 1], time: '' }));
    for (const pass of ['reading', 'looking up', 'writing']) {
      const abort = new AbortController(),
        reason = new Error('stop');
      const lookups = await run(tableOf(rows), {
        ...OPTIONS[0],
        signal: abort.signal,
        onProgress: () => pass === 'looking up' && abort.abort(reason),
        outOfCore: {
          order,
          folder,
          windowPoints: 20,
          samplePoints: 2,
          begin: () => pass === 'reading' && abort.abort(reason),
          reopen: async function* () {
            if (pass === 'writing') abort.abort(reason);
            yield* piecesOf(tableOf(rows));
          },
        },
      });
      expect(lookups.error).toBe(reason);
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
