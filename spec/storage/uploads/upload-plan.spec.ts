import { describe, expect, test } from '@jest/globals';
import {
  PART_BYTES,
  partRange,
  planUpload,
  uploadTimeoutMs,
} from '../../../lib/storage/uploads/upload-plan.ts';

const MIB = 2 ** 20,
  TIB = 2 ** 40;

describe('the plan of an upload', () => {
  test.each([
    { size: 0, parts: 0, partBytes: PART_BYTES, atOnce: 0 },
    { size: 1, parts: 1, partBytes: PART_BYTES, atOnce: 1 },
    { size: PART_BYTES, parts: 1, partBytes: PART_BYTES, atOnce: 1 },
    { size: PART_BYTES + 1, parts: 2, partBytes: PART_BYTES, atOnce: 2 },
    { size: 100 * PART_BYTES, parts: 100, partBytes: PART_BYTES, atOnce: 4 },
    { size: 10_000 * PART_BYTES, parts: 10_000, partBytes: PART_BYTES, atOnce: 4 },
    { size: 10_000 * PART_BYTES + 1, parts: 9412, partBytes: 17 * MIB, atOnce: 3 },
    { size: 5 * TIB, parts: 9987, partBytes: 525 * MIB, atOnce: 1 },
  ])('of $size bytes has $parts parts of $partBytes, $atOnce at once', ({ size, ...plan }) => {
    expect(planUpload(size)).toEqual(plan);
  });

  test('keeps the limits of both vendors at every size, and covers each byte once', () => {
    for (let size = 1; size < 5 * TIB; size = Math.ceil(size * 3.7) + 1) {
      const plan = planUpload(size)!;
      expect(plan.parts).toBeLessThanOrEqual(10_000);
      expect(plan.partBytes % 2 ** 18).toBe(0);
      expect(plan.atOnce * plan.partBytes).toBeLessThanOrEqual(Math.max(64 * MIB, plan.partBytes));
      expect(partRange(size, plan, 0)[0]).toBe(0);
      expect(partRange(size, plan, plan.parts - 1)[1]).toBe(size);
      if (plan.parts > 1) expect(partRange(size, plan, 1)[0]).toBe(partRange(size, plan, 0)[1]);
    }
  });

  test('does not exist above 5 TiB', () => expect(planUpload(5 * TIB + 1)).toBeUndefined());
});

test('a slow line has time to send a part', () => {
  expect(uploadTimeoutMs(0)).toBe(60_000);
  expect(uploadTimeoutMs(PART_BYTES)).toBe(60_000 + Math.ceil(PART_BYTES / 50));
});
