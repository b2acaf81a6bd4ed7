import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GraphError } from '../../lib/base/errors.ts';
import { requestInParts, type PartOptions } from '../../lib/failures/request-in-parts.ts';

const failure = (
  status: number,
  code: 'HTTP_STATUS' | 'CONNECTION' | 'FORBIDDEN' = 'HTTP_STATUS',
): GraphError => new GraphError(code, `failed with ${status}`, 'http://graph', status);

/** Returns the answer or the error of each ID, in the order of arrival. */
async function collect(
  ids: number[],
  request: (part: number[]) => Promise<number[]>,
  options: PartOptions,
): Promise<(number | string)[][]> {
  const got: (number | string)[][] = [];
  for await (const { ids: part, answers, error } of requestInParts(ids, request, options))
    part.forEach((id, k) => got.push([id, error ? error.message : answers[k]]));
  return got;
}

describe('requestInParts', () => {
  test('answers every ID once and in order, for any size and any bad IDs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.uniqueArray(fc.nat(59)),
        fc.integer({ min: 1, max: 20 }),
        async (count, size, concurrency, bad, most) => {
          const ids = Array.from({ length: count }, (_, k) => k);
          let underWay = 0;
          const got = await collect(
            ids,
            async (part) => {
              expect(part.length).toBeLessThanOrEqual(size);
              expect(++underWay).toBeLessThanOrEqual(concurrency);
              await Promise.resolve();
              underWay--;
              if (part.length > most || part.some((id) => bad.includes(id)))
                throw failure(part.length > most ? 413 : 500);
              return part.map((id) => id * 10);
            },
            { maxIds: size, concurrency },
          );
          expect(got).toEqual(ids.map((id) => [id, bad.includes(id) ? 'failed with 500' : id * 10]));
        },
      ),
      { seed: 5 },
    );
  });

  test.each([
    [503, 'HTTP_STATUS'],
    [403, 'FORBIDDEN'],
    [0, 'CONNECTION'],
  ] as const)(
    'does not halve a part after %d %s, and stops after eight failed parts',
    async (status, code) => {
      let requestCount = 0;
      const got = await collect(
        Array.from({ length: 100 }, (_, k) => k),
        async () => {
          requestCount++;
          throw failure(status, code);
        },
        { maxIds: 5, concurrency: 1 },
      );
      expect([requestCount, got.length, new Set(got.map(([, what]) => what)).size]).toEqual([8, 100, 1]);
    },
  );

  test('continues when the server recovers', async () => {
    let requestCount = 0;
    const got = await collect(
      Array.from({ length: 30 }, (_, k) => k),
      async (part) => {
        if (++requestCount % 8 !== 0) throw failure(503);
        return part;
      },
      { maxIds: 1, concurrency: 1 },
    );
    expect([requestCount, got.filter(([id, what]) => id === what).map(([id]) => id)]).toEqual([
      30,
      [7, 15, 23],
    ]);
  });

  test('throws an error of the request itself, and the reason of an abort', async () => {
    const broken = new RangeError('no such layer');
    await expect(collect([1, 2], async () => Promise.reject(broken), { maxIds: 1 })).rejects.toBe(broken);
    const reason = new Error('enough');
    await expect(
      collect([1, 2], async () => Promise.reject(failure(500)), {
        maxIds: 2,
        signal: AbortSignal.abort(reason),
      }),
    ).rejects.toBe(reason);
  });
});
