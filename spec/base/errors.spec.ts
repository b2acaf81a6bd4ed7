import { describe, expect, test } from '@jest/globals';
import * as errors from '../../lib/base/errors.ts';

const cause = new Error('underneath');
const one: Record<Exclude<keyof typeof errors, 'LookupError'>, [error: errors.LookupError, code: string]> = {
  PathError: [new errors.PathError('BAD_PATH', 'm', { cause }), 'BAD_PATH'],
  InfoError: [new errors.InfoError('NOT_FOUND', 'm', 'https://h/info', { cause }), 'NOT_FOUND'],
  RequestError: [new errors.RequestError('HTTP_STATUS', 'm', 'https://h/key', 500, { cause }), 'HTTP_STATUS'],
  CredentialsError: [new errors.CredentialsError('UNUSABLE', 'm', { cause }), 'UNUSABLE'],
  DecodeError: [new errors.DecodeError('TRUNCATED', 'm', { cause }), 'TRUNCATED'],
  ChunkError: [new errors.ChunkError('m', 'https://h/key', { cause }), 'CHUNK_FAILED'],
  GraphError: [new errors.GraphError('FORBIDDEN', 'm', 'https://h/roots', 403, { cause }), 'FORBIDDEN'],
  TimestampError: [new errors.TimestampError('m', { cause }), 'BAD_TIMESTAMP'],
  PointError: [new errors.PointError('OUT_OF_BOUNDS', 'm', { cause }), 'OUT_OF_BOUNDS'],
  PartialResultError: [new errors.PartialResultError('m', {}, new Map([['roots:1', cause]])), 'PARTIAL'],
  DeadlineError: [new errors.DeadlineError(100, { what: 'chunks', count: 1, of: 2 }, { cause }), 'TIMEOUT'],
  VolumeClosedError: [new errors.VolumeClosedError(), 'CLOSED'],
  SnapshotError: [new errors.SnapshotError('DAMAGED', 'm', { cause }), 'DAMAGED'],
  TableError: [new errors.TableError('BAD_ROW', 'm', { cause }), 'BAD_ROW'],
};

describe('errors', () => {
  test('are all listed here', () =>
    expect(Object.keys(one).sort()).toEqual(
      Object.keys(errors)
        .filter((name) => name !== 'LookupError')
        .sort(),
    ));

  test.each(Object.entries(one))('%s has its name, a code and one root', (name, [error, code]) => {
    expect(error).toBeInstanceOf(errors.LookupError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(error.code).toBe(code);
    expect(String(error)).toMatch(new RegExp(`^${name}: `));
    if (name !== 'VolumeClosedError') expect(error.cause).toBe(cause);
  });

  test('without a cause have none of their own', () =>
    expect(Object.hasOwn(new errors.TimestampError('m'), 'cause')).toBe(false));
});
