import { describe, expect, test } from '@jest/globals';
import { inParallel } from '../../explorer/service/in-parallel.ts';
import { describeFailure, readRetryAfter, ServiceError } from '../../explorer/service/service-error.ts';

const options = { signal: new AbortController().signal, sleep: async (): Promise<void> => undefined };

describe('inParallel', () => {
  test('keeps four requests in flight, and answers all items', async () => {
    let flying = 0,
      most = 0;
    const done: number[] = [];
    await inParallel(
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      async (item) => {
        most = Math.max(most, ++flying);
        await Promise.resolve();
        flying--;
        done.push(item);
      },
      options,
    );
    expect([most, done.sort()]).toEqual([4, [1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });

  test('repeats what a busy service refused, after the pause that it asks for', async () => {
    const pauses: number[] = [];
    const failures = [
      new ServiceError('busy', { status: 429, retryAfterMs: 3000 }),
      new ServiceError('gone', { status: 0 }),
    ];
    let calls = 0;
    await inParallel(
      ['a'],
      async () => {
        calls++;
        const failure = failures.shift();
        if (failure) throw failure;
      },
      { ...options, sleep: async (ms) => void pauses.push(ms) },
    );
    expect([calls, pauses]).toEqual([3, [3000, 1000]]);
  });

  test('gives up after the repeats, and at once for what cannot pass', async () => {
    let calls = 0;
    const fail = (status: number) => async (): Promise<void> => {
      calls++;
      throw new ServiceError('no', { status });
    };
    await expect(inParallel(['a'], fail(503), { ...options, repeats: 2 })).rejects.toThrow('no');
    expect(calls).toBe(3);
    await expect(inParallel(['a'], fail(403), options)).rejects.toThrow('no');
    expect(calls).toBe(4);
  });

  test('ends the other requests when one fails, and all on abort', async () => {
    const ended: number[] = [];
    const run = (item: number, signal: AbortSignal): Promise<void> =>
      item === 2
        ? Promise.reject(new TypeError('bad'))
        : new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              ended.push(item);
              reject(signal.reason as Error);
            }),
          );
    await expect(inParallel([1, 2, 3], run, options)).rejects.toThrow('bad');
    expect(ended).toEqual([1, 3]);
    const controller = new AbortController();
    const running = inParallel([4, 5], run, { ...options, signal: controller.signal });
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(ended).toEqual([1, 3, 4, 5]);
  });
});

describe('failures in words', () => {
  test.each([
    [0, 'TypeError: Failed to fetch', 'The service does not answer. Is it still running? (HTTP 0)'],
    [
      401,
      '{"error":{"name":"HttpRefusal","message":"a token is needed"}}',
      'Access token. It says: a token is needed',
    ],
    [429, '', 'The service is busy. (HTTP 429)'],
    [
      400,
      '{"error":{"message":"row 7: \\u001b[31mbad"}}',
      'The service refused the request. It says: row 7:  [31mbad',
    ],
    [500, '<html>', 'The service failed. (HTTP 500)'],
  ])('describes HTTP %i', (status, body, expected) => {
    expect(describeFailure(status, body)).toContain(expected);
  });

  test.each([
    ['3', 3000],
    ['9999', 60_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', undefined],
    [null, undefined],
  ])('reads Retry-After %j', (value, expected) => {
    expect(readRetryAfter(value)).toBe(expected);
  });
});
