import { describe, expect, test } from '@jest/globals';
import { statsJson, summaryLine } from '../../lib/cli/summary.ts';
import type { TableSummary } from '../../lib/jobs/job-types.ts';

const FIRST = new Date('2024-06-05T10:10:01.203Z'),
  LAST = new Date('2024-06-06');
const stats = {
  points: 1,
  chunks: 1,
  requests: 1,
  bytes: 1,
  cacheHits: 0,
  absentBy403: 0,
  rootRequests: 1,
  distinctSupervoxels: 1,
  ms: { plan: 0, chunks: 1, roots: 2, total: 4 },
};
const many = { ...stats, requests: 1200, bytes: 0, rootRequests: 2 };

describe('summaryLine', () => {
  test.each<[string, TableSummary]>([
    [
      '1 row: 1 ok; roots as of 2024-06-05T10:10:01.203Z; 1 storage request, 1 byte, 1 root request',
      { rows: 1, statuses: { ok: 1 }, timestamp: FIRST, stats },
    ],
    [
      '3,000 rows: 2,999 ok, 1 failed; 1,200 storage requests, 0 bytes',
      { rows: 3000, statuses: { failed: 1, ok: 2999 }, stats: many },
    ],
    [
      '2 rows: 2 ok; roots as of 2024-06-05T10:10:01.203Z to 2024-06-06T00:00:00.000Z (2 timestamps); 1,200 storage requests, 0 bytes, 2 root requests',
      { rows: 2, statuses: { ok: 2 }, timestamps: { first: FIRST, last: LAST, count: 2 }, stats: many },
    ],
    [
      '2 rows: 2 ok; roots as of 2024-06-05T10:10:01.203Z; 1 storage request, 1 byte, 1 root request',
      { rows: 2, statuses: { ok: 2 }, timestamps: { first: FIRST, last: FIRST, count: 1 }, stats },
    ],
    [
      '0 rows; 1,200 storage requests, 0 bytes',
      { rows: 0, statuses: {}, timestamps: { first: null, last: null, count: 0 }, stats: many },
    ],
  ])('says %s', (line, summary) => expect(summaryLine(summary)).toBe(line));
});

describe('statsJson', () => {
  const common = {
    rows: 1,
    statuses: { ok: 1 },
    ...stats,
    failures: 0,
    rowsPerSecond: 250,
    bytesPerSecond: 250,
    peakMemoryBytes: 5000,
  };
  test.each<[string, object, Partial<TableSummary>]>([
    ['one timestamp', { timestamp: '2024-06-05T10:10:01.203Z' }, { timestamp: FIRST }],
    ['no timestamp', { timestamp: null }, {}],
    [
      'the timestamps of the rows',
      {
        timestamp: null,
        timestamps: { first: '2024-06-05T10:10:01.203Z', last: '2024-06-06T00:00:00.000Z', count: 2 },
      },
      { timestamps: { first: FIRST, last: LAST, count: 2 } },
    ],
    [
      'rows without timestamps',
      { timestamp: null, timestamps: { first: null, last: null, count: 0 } },
      { timestamps: { first: null, last: null, count: 0 } },
    ],
  ])('holds %s', (_, timestamps, summary) =>
    expect(JSON.parse(statsJson({ rows: 1, statuses: { ok: 1 }, stats, ...summary }, 5000))).toEqual({
      ...timestamps,
      ...common,
    }),
  );

  test('holds the failures and bytes of all volumes, and the times of the passes', () => {
    const other = { statuses: { ok: 1, root_failed: 2 }, stats: { ...stats, bytes: 9 } };
    const summary = {
      rows: 6,
      statuses: { ok: 2, failed: 4 },
      stats,
      also: { em: other },
      passMs: { sorting: 1, 'looking up': 2, writing: 1 },
    };
    expect(JSON.parse(statsJson(summary, 1))).toMatchObject({
      failures: 6,
      rowsPerSecond: 1500,
      bytesPerSecond: 2500,
      passMs: { sorting: 1, 'looking up': 2, writing: 1 },
      also: { em: { statuses: other.statuses, bytes: 9 } },
    });
    const idle = { ...stats, ms: { ...stats.ms, total: 0 } };
    expect(JSON.parse(statsJson({ ...summary, stats: idle }))).toMatchObject({ rowsPerSecond: null });
  });
});
