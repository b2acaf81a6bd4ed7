import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, SHARED_CODES } from '../../lib/base/error-codes.ts';
import type { ErrorJson } from '../../lib/base/error-json.ts';
import * as errors from '../../lib/base/errors.ts';
import { isLookupError } from '../../lib/base/is-lookup-error.ts';
import { reviveError } from '../../lib/base/revive-error.ts';
import { registerSecret } from '../../lib/base/secret-redaction.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';

const cause = new Error('underneath');
const result = { status: new Uint8Array(1), ids: [2n ** 63n], *rows() {} };
/** An error of each class, and its code. */
const samples: Record<
  Exclude<keyof typeof errors, 'LookupError'>,
  [error: errors.LookupError, code: string]
> = {
  PathError: [new errors.PathError('BAD_PATH', 'm', { cause }), 'BAD_PATH'],
  InfoError: [new errors.InfoError('NOT_FOUND', 'm', 'https://h/info', { cause }), 'NOT_FOUND'],
  RequestError: [new errors.RequestError('HTTP_STATUS', 'm', 'https://h/key', 500, { cause }), 'HTTP_STATUS'],
  CredentialsError: [new errors.CredentialsError('UNUSABLE', 'm', { cause }), 'UNUSABLE'],
  DecodeError: [new errors.DecodeError('TRUNCATED', 'm', { cause }), 'TRUNCATED'],
  ChunkError: [new errors.ChunkError('m', 'https://h/key', { cause }), 'CHUNK_FAILED'],
  GraphError: [new errors.GraphError('FORBIDDEN', 'm', 'https://h/roots', 403, { cause }), 'FORBIDDEN'],
  TimestampError: [new errors.TimestampError('m', { cause }), 'BAD_TIMESTAMP'],
  PointError: [new errors.PointError('OUT_OF_BOUNDS', 'm', { cause }), 'OUT_OF_BOUNDS'],
  PartialResultError: [new errors.PartialResultError('m', result, new Map([['roots:1', cause]])), 'PARTIAL'],
  DeadlineError: [new errors.DeadlineError(100, { what: 'chunks', count: 1, of: 2 }, { cause }), 'TIMEOUT'],
  VolumeClosedError: [new errors.VolumeClosedError(), 'CLOSED'],
  SnapshotError: [new errors.SnapshotError('DAMAGED', 'm', { cause }), 'DAMAGED'],
  StateError: [
    new errors.StateError('BAD_ANNOTATION', 'm', { cause, layer: 'points', annotation: 'a1' }),
    'BAD_ANNOTATION',
  ],
  TableError: [new errors.TableError('BAD_ROW', 'm', { cause }), 'BAD_ROW'],
  JobError: [new errors.JobError('JOB_DAMAGED', 'm', { cause }), 'JOB_DAMAGED'],
  AccessError: [new errors.AccessError('NO_TOKEN', 'm', { cause }), 'NO_TOKEN'],
};

describe('errors', () => {
  test('are all listed here', () =>
    expect(Object.keys(samples).sort()).toEqual(
      Object.keys(errors)
        .filter((name) => name !== 'LookupError')
        .sort(),
    ));

  test.each(Object.entries(samples))(
    '%s has its name and a code, and extends LookupError',
    (name, [error, code]) => {
      expect(error).toBeInstanceOf(errors.LookupError);
      expect(error).toBeInstanceOf(Error);
      expect(error.name).toBe(name);
      expect(error.code).toBe(code);
      expect(String(error)).toMatch(new RegExp(`^${name}: `));
      if (name !== 'VolumeClosedError') expect(error.cause).toBe(cause);
    },
  );

  test('have no property `cause` if there is no cause', () =>
    expect(Object.hasOwn(new errors.TimestampError('m'), 'cause')).toBe(false));
});

/** Loads a module a second time, as a second copy of the package would. */
const loadCopy = async (name: string): Promise<typeof errors> =>
  (await import(`../../lib/base/${name}.ts?copy`)) as typeof errors;

describe('isLookupError', () => {
  test.each(Object.entries(samples))('recognizes a %s, and its code', (_name, [error, code]) => {
    expect(isLookupError(error)).toBe(true);
    expect(isLookupError(error, 'BAD_PATH', code as 'CLOSED')).toBe(true);
    expect(isLookupError(error, code === 'CLOSED' ? 'PARTIAL' : 'CLOSED')).toBe(false);
  });

  test.each([
    ['an error of another kind', Object.assign(new Error('m'), { code: 'TIMEOUT' })],
    ['a mistake in the program', new TypeError('m')],
    ['text', 'TIMEOUT'],
    ['nothing', undefined],
    ['null', null],
    ['a look-alike', { name: 'GraphError', code: 'TIMEOUT', message: 'm' }],
  ])('is false for %s', (_name, error) => {
    expect(isLookupError(error)).toBe(false);
    expect(isLookupError(error, 'TIMEOUT')).toBe(false);
  });

  test('recognizes an error of another copy of the package', async () => {
    const { TableError } = await loadCopy('errors');
    const error: unknown = new TableError('BAD_ROW', 'm');
    expect(error).not.toBeInstanceOf(errors.LookupError);
    expect(isLookupError(error, 'BAD_ROW')).toBe(true);
    expect(isLookupError(error, 'IN_USE')).toBe(false);
  });

  test('narrows to the classes that have the code', () => {
    const error: unknown = samples.GraphError[0];
    if (!isLookupError(error, 'FORBIDDEN', 'UNKNOWN_ID')) throw error;
    const code: 'FORBIDDEN' | 'UNKNOWN_ID' = error.code;
    const graph: errors.GraphError = error;
    expect([code, graph.url]).toEqual(['FORBIDDEN', 'https://h/roots']);
    const shared: unknown = samples.DeadlineError[0];
    if (!isLookupError(shared, 'TIMEOUT')) throw shared;
    const timeout: errors.RequestError | errors.GraphError | errors.DeadlineError = shared;
    // @ts-expect-error `missing` is a field of one of the three
    expect(timeout.missing).toEqual({ what: 'chunks', count: 1, of: 2 });
    const partial: unknown = samples.PartialResultError[0];
    if (!isLookupError(partial, 'PARTIAL')) throw partial;
    const status: Uint8Array = partial.result.status;
    expect(status).toBe(result.status);
    // @ts-expect-error there is no such code
    expect(isLookupError(error, 'FORBIDEN')).toBe(false);
  });
});

describe('codes', () => {
  test('are listed for every class', () =>
    expect(Object.keys(ERROR_CODES).sort()).toEqual(Object.keys(samples).sort()));

  test('belong to one class, or are listed as shared', () => {
    const codes = Object.values(ERROR_CODES).flatMap((table) => Object.keys(table));
    const shared = codes.filter((code, at) => codes.indexOf(code) !== at);
    expect([...new Set(shared)].sort()).toEqual(Object.keys(SHARED_CODES).sort());
  });

  test('are statuses, in a PointError', () =>
    expect(Object.values(PointStatus).map((code) => statusText(code).toUpperCase())).toEqual(
      expect.arrayContaining(Object.keys(ERROR_CODES.PointError)),
    ));
});

describe('toJSON', () => {
  const there = (error: Error): Error => reviveError(JSON.parse(JSON.stringify(error)) as ErrorJson);

  test.each(Object.entries(samples))(
    'of a %s gives JSON that revives to an equal error',
    (name, [error, code]) => {
      const revived = there(error);
      expect(revived).toBeInstanceOf(errors[name as keyof typeof errors]);
      expect(isLookupError(revived, code as 'CLOSED')).toBe(true);
      expect(String(revived)).toBe(String(error));
      expect({ ...revived, result: undefined }).toEqual({ ...error, result: undefined });
      expect(revived.cause).toEqual(error.cause);
      expect(JSON.stringify(revived)).toBe(JSON.stringify(error));
    },
  );

  test('includes all fields of a failed request', () =>
    expect(
      new errors.RequestError('CONNECTION', 'lost', 'https://h/key', undefined, { broken: 'cut' }).toJSON(),
    ).toEqual({
      name: 'RequestError',
      code: 'CONNECTION',
      message: 'lost',
      url: 'https://h/key',
      broken: 'cut',
    }));

  test('includes why each part of a result is missing, but not the result', () => {
    const chunk = new errors.ChunkError('cut', 'https://h/1', {
      cause: new errors.DecodeError('TRUNCATED', 't'),
    });
    const error = new errors.PartialResultError('some', result, new Map([['https://h/1', chunk]]));
    const revived = there(error) as errors.PartialResultError;
    expect(revived.causes).toEqual(new Map([['https://h/1', chunk]]));
    expect(revived.causes.get('https://h/1')!.cause).toMatchObject({
      name: 'DecodeError',
      code: 'TRUNCATED',
    });
    expect(JSON.stringify(error)).not.toContain('result');
  });

  test('includes only name, message and code of a foreign cause', () => {
    const foreign = Object.assign(new TypeError('socket'), { code: 'EPIPE', headers: { a: 'b' }, id: 1n });
    const { cause: sent } = errors.ChunkError.of('https://h/key', foreign).toJSON();
    expect(sent).toEqual({ name: 'TypeError', message: 'socket', code: 'EPIPE' });
  });

  test('hides secrets that were registered after the error was made', () => {
    const token = 'bearer-0123456789-token';
    const foreign = Object.assign(new Error(`sent ${token}`), { options: { token } });
    const graph = new errors.GraphError('HTTP_STATUS', `said ${token}`, `https://h/${token}`, 500, {
      serverMessage: token,
      cause: foreign,
    });
    const all = new errors.PartialResultError('some', result, new Map([[`https://h/${token}`, graph]]));
    registerSecret(token);
    const text = JSON.stringify(all);
    expect(text).toContain('***');
    expect(text).not.toContain('0123456789');
  });

  test('ends if the causes form a circle', () => {
    const error = new errors.TimestampError('m');
    error.cause = error;
    expect(JSON.stringify(error).match(/TimestampError/g)).toHaveLength(9);
  });
});

describe('ChunkError', () => {
  test.each([
    ['an error', new Error('no such table')],
    ['text', 'no such table'],
  ])("keeps %s that a user's store threw", (_name, thrown) => {
    const error = errors.ChunkError.of('https://h/key', thrown);
    expect(error.message).toBe('chunk https://h/key: no such table');
    expect(error.cause).toBe(thrown);
  });

  test.each([
    ['an error', (message: string) => Object.assign(new Error(message), { sent: message, code: 'EPIPE' })],
    ['an object', (message: string) => ({ toString: () => message, sent: message })],
    ['text', String],
  ])("prints no secret of %s that a user's store threw", (_name, thrownOf) => {
    const token = 'bearer-abcdefghij-token';
    registerSecret(token);
    const printed = inspect(errors.ChunkError.of('https://h/key', thrownOf(`refused ${token}`)), {
      depth: 9,
      showHidden: true,
    });
    expect(printed).toMatch(/ChunkError: chunk https:\/\/h\/key: refused \*\*\*[^]*cause[^]*refused \*\*\*/);
    expect(printed).not.toContain('abcdefghij');
  });

  test('prints all of a cause from this package', () => {
    const error = errors.ChunkError.of(
      'u',
      new errors.RequestError('HTTP_STATUS', 'answered 500', 'https://h/key', 500),
    );
    expect(inspect(error)).toMatch(/CHUNK_FAILED[^]*RequestError: answered 500[^]*status: 500/);
  });
});
