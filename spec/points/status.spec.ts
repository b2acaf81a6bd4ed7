import { describe, expect, test } from '@jest/globals';
import { PointStatus, statusText } from '../../lib/points/status.ts';

// Users save these numbers and words in files, so they never change.
const FIXED = [
  ['unset', 0, 'unset'],
  ['ok', 1, 'ok'],
  ['background', 2, 'background'],
  ['outOfBounds', 3, 'out_of_bounds'],
  ['missingChunk', 4, 'missing_chunk'],
  ['invalidPoint', 5, 'invalid_point'],
  ['suspect', 6, 'suspect'],
  ['noRoot', 7, 'no_root'],
  ['failed', 8, 'failed'],
  ['rootFailed', 9, 'root_failed'],
  ['notLookedUp', 10, 'not_looked_up'],
  ['invalidId', 11, 'invalid_id'],
  ['invalidTimestamp', 12, 'invalid_timestamp'],
  ['staleSupervoxel', 13, 'stale_supervoxel'],
] as const;

describe('PointStatus', () => {
  test('has exactly these names and numbers', () =>
    expect(Object.entries(PointStatus)).toEqual(FIXED.map(([name, code]) => [name, code])));
  test.each(FIXED)('gives %s the number %d and the text %s', (_name, code, text) =>
    expect(statusText(code)).toBe(text),
  );
  test('has a text for an unknown number', () => expect(statusText(14)).toBe('status_14'));
});
