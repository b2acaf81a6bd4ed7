import { describe, expect, test } from '@jest/globals';
import { GraphError, PathError, RequestError, type BreakReason } from '../../lib/base/errors.ts';
import {
  isBusyStatus,
  decideByError,
  decideByStatus,
  type RequestKind,
} from '../../lib/failures/retry-decision.ts';

const URL = 'https://a.example.org';
const KINDS = ['reads', 'calls', 'batches', 'parts', 'edits'] as const satisfies RequestKind[];
const verdicts = (error: unknown): string[] => KINDS.map((kind) => decideByError(kind, error));
const answered = (status: number): GraphError => new GraphError('HTTP_STATUS', 'answered', URL, status);
const broken = (how?: BreakReason): RequestError =>
  new RequestError('CONNECTION', 'broken', URL, undefined, { broken: how });

describe('a verdict', () => {
  test.each([408, 429, 500, 502, 503, 504, 599])('on a read is to try %i again', (status) =>
    expect(decideByStatus('reads', status)).toBe('wait'),
  );
  test.each([400, 401, 403, 404, 413, 416, 600])('on a read is that %i stands', (status) =>
    expect(decideByStatus('reads', status)).toBe('stands'),
  );

  // Row by row: another word is another number of requests.
  test.each([
    ['400', answered(400), 'stands stands stands split stands'],
    ['404', answered(404), 'stands stands stands split stands'],
    ['408', answered(408), 'wait stands wait split unknown'],
    ['413', answered(413), 'stands stands smaller split stands'],
    ['416', answered(416), 'stands stands stands split unknown'],
    ['429', answered(429), 'wait wait wait stands unknown'],
    ['499', answered(499), 'stands stands stands split unknown'],
    ['500', answered(500), 'wait stands once split unknown'],
    ['501', answered(501), 'wait stands stands split unknown'],
    ['503', answered(503), 'wait wait wait stands unknown'],
    ['504', answered(504), 'wait wait split split unknown'],
    ['524', answered(524), 'wait stands split split unknown'],
    ['599', answered(599), 'wait stands once split unknown'],
    ['a refused token', new GraphError('UNAUTHORIZED', '', URL, 401), 'stands stands stands stands stands'],
    ['a log-in page', new GraphError('LOGIN_REDIRECT', '', URL, 302), 'stands stands stands stands unknown'],
    ['an unknown ID', new GraphError('UNKNOWN_ID', '', URL, 500), 'wait stands once split unknown'],
    ['another answer', new GraphError('BAD_REPLY', '', URL, 200), 'stands stands once split unknown'],
    [
      'an answer that is too long',
      new GraphError('BAD_REPLY', '', URL, 200, { cause: new RequestError('TOO_LARGE', '', URL, 200) }),
      'stands stands stands split unknown',
    ],
    ['a bug', new Error('a bug'), 'stands stands stands split unknown'],
    ['a bad path', new PathError('BAD_PATH', ''), 'stands stands stands split unknown'],
  ])('is known of every kind of request: %s', (_what, error, expected) =>
    expect(verdicts(error).join(' ')).toBe(expected),
  );

  test.each([
    ['unreachable', 'wait wait wait stands stands'],
    ['stale', 'wait wait again stands unknown'],
    ['cut', 'wait wait split stands unknown'],
    ['silent', 'once stands split split unknown'],
    [undefined, 'stands stands stands stands unknown'],
  ] as const)(
    'on a connection is the same where it broke and where a graph was asked: %s',
    (how, expected) => {
      expect(verdicts(broken(how)).join(' ')).toBe(expected);
      const cause = broken(how);
      expect(verdicts(new GraphError('CONNECTION', '', URL, undefined, { cause })).join(' ')).toBe(expected);
    },
  );

  test('says which servers are busy', () =>
    expect([408, 429, 500, 502, 503, 504].filter(isBusyStatus)).toEqual([429, 503]));
});
