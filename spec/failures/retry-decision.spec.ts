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
const decisions = (error: unknown): string[] => KINDS.map((kind) => decideByError(kind, error));
const answered = (status: number): GraphError => new GraphError('HTTP_STATUS', 'answered', URL, status);
const broken = (how?: BreakReason): RequestError =>
  new RequestError('CONNECTION', 'broken', URL, undefined, { broken: how });

describe('a retry decision', () => {
  test.each([408, 429, 500, 502, 503, 504, 599])('for a read is to wait and retry after %i', (status) =>
    expect(decideByStatus('reads', status)).toBe('wait'),
  );
  test.each([400, 401, 403, 404, 413, 416, 600])('for a read is that %i is final', (status) =>
    expect(decideByStatus('reads', status)).toBe('final'),
  );

  // Each row is asserted word by word, because another word means another number of requests.
  test.each([
    ['400', answered(400), 'final final final split final'],
    ['404', answered(404), 'final final final split final'],
    ['408', answered(408), 'wait final wait split unknown'],
    ['413', answered(413), 'final final splitOnly split final'],
    ['416', answered(416), 'final final final split unknown'],
    ['429', answered(429), 'wait wait wait final unknown'],
    ['499', answered(499), 'final final final split unknown'],
    ['500', answered(500), 'wait final once split unknown'],
    ['501', answered(501), 'wait final final split unknown'],
    ['503', answered(503), 'wait wait wait final unknown'],
    ['504', answered(504), 'wait wait split split unknown'],
    ['524', answered(524), 'wait final split split unknown'],
    ['599', answered(599), 'wait final once split unknown'],
    ['a refused token', new GraphError('UNAUTHORIZED', '', URL, 401), 'final final final final final'],
    ['a log-in page', new GraphError('LOGIN_REDIRECT', '', URL, 302), 'final final final final unknown'],
    ['an unknown ID', new GraphError('UNKNOWN_ID', '', URL, 500), 'wait final once split unknown'],
    ['a wrong answer', new GraphError('BAD_REPLY', '', URL, 200), 'final final once split unknown'],
    [
      'an answer that is too long',
      new GraphError('BAD_REPLY', '', URL, 200, { cause: new RequestError('TOO_LARGE', '', URL, 200) }),
      'final final final split unknown',
    ],
    ['a bug', new Error('a bug'), 'final final final split unknown'],
    ['a bad path', new PathError('BAD_PATH', ''), 'final final final split unknown'],
  ])('exists for every kind of request: %s', (_what, error, expected) =>
    expect(decisions(error).join(' ')).toBe(expected),
  );

  test.each([
    ['unreachable', 'wait wait wait final final'],
    ['stale', 'wait wait immediately final unknown'],
    ['cut', 'wait wait split final unknown'],
    ['silent', 'once final split split unknown'],
    [undefined, 'final final final final unknown'],
  ] as const)('for a broken connection is the same for reads and for graph requests: %s', (how, expected) => {
    expect(decisions(broken(how)).join(' ')).toBe(expected);
    const cause = broken(how);
    expect(decisions(new GraphError('CONNECTION', '', URL, undefined, { cause })).join(' ')).toBe(expected);
  });

  test('knows the statuses of busy servers', () =>
    expect([408, 429, 500, 502, 503, 504].filter(isBusyStatus)).toEqual([429, 503]));
});
