import { describe, expect, test } from '@jest/globals';
import { formatSeconds, ProgressMeter } from '../../lib/cli/progress-meter.ts';
import type { TableProgress } from '../../lib/jobs/job-types.ts';

const progress = (part: Partial<TableProgress>): TableProgress => ({
  pass: 'looking up',
  passNumber: 2,
  passes: 3,
  fraction: undefined,
  rows: 0,
  chunksDone: 0,
  bytes: 0,
  cacheHits: 0,
  rootRequests: 0,
  failures: 0,
  ...part,
});

describe('ProgressMeter', () => {
  test('knows no rate before time has passed, and none of a pass that stands still', () => {
    const meter = new ProgressMeter();
    expect(meter.describe()).toBe('');
    meter.add(progress({ fraction: 0.1, rows: 10 }), 5000);
    expect([meter.secondsLeft, meter.describe()]).toEqual([
      undefined,
      'looking up (2 of 3): 10 %, 10 rows, 0 chunks, 0 cache hits, 0 root requests, 0 failed',
    ]);
    meter.add(progress({ fraction: 0.1, rows: 10 }), 9000);
    expect(meter.secondsLeft).toBeUndefined();
  });

  test('takes the rate of the current pass, from where it began in this process', () => {
    const meter = new ProgressMeter();
    meter.add(progress({ pass: 'sorting', passNumber: 1, rows: 0, fraction: 0 }), 0);
    meter.add(progress({ pass: 'sorting', passNumber: 1, rows: 5e6, fraction: 1 }), 1000);
    // A job that is resumed begins in the middle.
    meter.add(progress({ rows: 400, fraction: 0.4, bytes: 1e9, chunksDone: 40 }), 2000);
    expect(meter.secondsLeft).toBeUndefined();
    meter.add(progress({ rows: 500, fraction: 0.5, bytes: 1.02e9, chunksDone: 50, failures: 2 }), 12_000);
    expect(meter.secondsLeft).toBeCloseTo(50);
    expect(meter.describe()).toBe(
      'looking up (2 of 3): 50 %, ETA 50 s, 500 rows, 10 rows/s, 50 chunks, 2.0 MB/s, 0 cache hits, 0 root requests, 2 failed',
    );
  });

  test('forgets the rate of more than a minute ago', () => {
    const meter = new ProgressMeter();
    let fraction = 0;
    // 1 % per second for 40 s, then 0.1 % per second: the service has become slow.
    for (let second = 0; second <= 240; second++) {
      meter.add(progress({ fraction }), 1000 * second);
      fraction += second < 40 ? 0.01 : 0.001;
    }
    const left = (1 - 0.4 - 0.2) / 0.001;
    expect(meter.secondsLeft).toBeGreaterThan(0.98 * left);
    expect(meter.secondsLeft).toBeLessThan(1.02 * left);
  });

  test('names no pass number of a job with one pass, and no percentage of an unknown part', () => {
    const meter = new ProgressMeter();
    meter.add(progress({ passNumber: 1, passes: 1 }), 0);
    expect(meter.describe()).toBe('looking up: 0 rows, 0 chunks, 0 cache hits, 0 root requests, 0 failed');
  });
});

test.each([
  [0.2, '1 s'],
  [59.5, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
])('formatSeconds: %d s are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
