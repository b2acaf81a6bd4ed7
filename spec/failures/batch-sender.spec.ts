import PQueue from 'p-queue';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GraphError, RequestError, type BreakReason } from '../../lib/base/errors.ts';
import { BatchSize } from '../../lib/failures/batch-size.ts';
import { sendInBatches, type BatchSenderOptions } from '../../lib/failures/batch-sender.ts';
import { rounds } from '../support/rounds.ts';

const URL = 'https://graph.example.org/t/roots_binary';
const answered = (status: number, retryAfter?: string): GraphError =>
  new GraphError('HTTP_STATUS', `answered ${status}`, URL, status, { retryAfter });
const broken = (how: BreakReason, status?: number): GraphError =>
  new GraphError('CONNECTION', how, URL, status, {
    cause: new RequestError('CONNECTION', how, URL, undefined, { broken: how }),
  });
const badReply = new GraphError('BAD_REPLY', 'answered 24 bytes for 4 IDs', URL, 200);

interface Batch {
  start: number;
  end: number;
  count: number;
  /** Number of earlier requests. */
  nth: number;
}

/** Sends `count` items to a server that throws the given errors. Records the pauses without waiting. */
async function send(
  count: number,
  serve: (batch: Batch) => Error | undefined,
  options: Partial<BatchSenderOptions> & { concurrency?: number; msPerRequest?: number } = {},
) {
  const sent: [start: number, end: number][] = [],
    pauses: number[] = [];
  const of = new Array<string>(count).fill('');
  let ms = 0;
  const put = (start: number, end: number, what: string): void => {
    for (let k = start; k < end; k++) of[k] += what;
  };
  await sendInBatches(
    {
      count,
      signal: new AbortController().signal,
      send: async (start, end) => {
        sent.push([start, end]);
        ms += options.msPerRequest ?? 0;
        await Promise.resolve();
        const error = serve({ start, end, count: end - start, nth: sent.length - 1 });
        if (error) throw error;
        put(start, end, 'ok');
      },
      fail: (start, end, error) => put(start, end, error.message),
    },
    {
      queue: new PQueue({ concurrency: options.concurrency ?? 1 }),
      batchLimit: new BatchSize(),
      maxCount: 100,
      clock: { pause: async (pauseMs) => void pauses.push(pauseMs), monotonicMs: () => ms, random: () => 0 },
      ...options,
    },
  );
  return { sent, pauses, of, sizes: sent.map(([start, end]) => end - start) };
}

const once =
  (error: Error) =>
  ({ nth }: Batch): Error | undefined =>
    nth === 0 ? error : undefined;

describe('sendInBatches', () => {
  test('sends full batches in order', async () => {
    expect((await send(250, () => undefined)).sent).toEqual([
      [0, 100],
      [100, 200],
      [200, 250],
    ]);
    expect((await send(0, () => undefined)).sent).toEqual([]);
  });

  test.each([413, 504, 524])('halves a batch after %d', async (status) => {
    const { sent, pauses, of } = await send(100, once(answered(status)));
    expect([sent, pauses]).toEqual([
      [
        [0, 100],
        [0, 50],
        [50, 100],
      ],
      [],
    ]);
    expect(new Set(of)).toEqual(new Set(['ok']));
  });

  test.each(['cut', 'silent'] as const)('halves a batch whose connection is %s', async (how) =>
    expect((await send(9, once(broken(how)))).sent).toEqual([
      [0, 9],
      [0, 4],
      [4, 9],
    ]),
  );

  test('retries at once after a stale connection, and halves the batch if that fails too', async () => {
    expect((await send(9, once(broken('stale')))).sent).toEqual([
      [0, 9],
      [0, 9],
    ]);
    expect((await send(9, ({ nth }) => (nth < 2 ? broken('stale') : undefined))).sent).toEqual([
      [0, 9],
      [0, 9],
      [0, 4],
      [4, 9],
    ]);
  });

  test.each([408, 429, 502, 503])(
    'waits after %d, longer each time, for the allowed number of retries',
    async (status) => {
      const few = await send(9, ({ nth }) => (nth < 4 ? answered(status) : undefined));
      expect([few.sizes, few.pauses, few.of[0]]).toEqual([[9, 9, 9, 9, 9], [100, 200, 400, 800], 'ok']);
      const { sizes, of } = await send(9, () => answered(status));
      expect([sizes.length, new Set(of)]).toEqual([5, new Set([`answered ${status}`])]);
      expect((await send(9, () => answered(status), { retries: 1 })).sizes).toEqual([9, 9]);
    },
  );

  test('waits for an unreachable server', async () =>
    expect((await send(9, once(broken('unreachable')))).pauses).toEqual([100]));

  test.each([
    ['7', 7000],
    ['0', 100],
    ['soon', 100],
    ['120', 120_000],
  ])('waits for the time of Retry-After %p', async (value, ms) => {
    expect((await send(9, once(answered(429, value)))).pauses).toEqual([ms]);
  });

  test('does not wait for more than two minutes', async () => {
    const { sizes, of } = await send(9, () => answered(429, '121'));
    expect([sizes, of[8]]).toEqual([[9], 'answered 429']);
  });

  test.each([500, 599])('retries once after %d', async (status) => {
    expect((await send(9, once(answered(status)))).sizes).toEqual([9, 9]);
    const { sizes, of } = await send(9, () => answered(status));
    expect([sizes, new Set(of)]).toEqual([[9, 9], new Set([`answered ${status}`])]);
    expect((await send(9, () => answered(status), { retries: 0 })).sizes).toEqual([9]);
  });

  test('retries once after an answer of the wrong length', async () => {
    expect(await send(9, once(badReply))).toMatchObject({ sizes: [9, 9], pauses: [100] });
    expect((await send(9, () => badReply)).sizes).toEqual([9, 9]);
  });

  test.each([
    answered(400),
    answered(404),
    answered(501),
    new GraphError('BAD_REPLY', 'too large', URL, 200, {
      cause: new RequestError('TOO_LARGE', 'too large', URL),
    }),
    new GraphError('UNAUTHORIZED', 'no', URL, 401),
    new GraphError('CONNECTION', 'a bad certificate', URL),
    new Error('a bug'),
  ])('gives up at once on %#', async (error) => {
    const { sizes, pauses, of } = await send(9, () => error);
    expect([sizes, pauses, new Set(of)]).toEqual([[9], [], new Set([error.message])]);
  });

  test('retries a single item once, but not after 413', async () => {
    expect((await send(1, once(answered(504)))).of).toEqual(['ok']);
    expect((await send(1, once(broken('cut')))).of).toEqual(['ok']);
    expect((await send(1, once(broken('cut', 200)))).of).toEqual(['ok']); // after the head of the reply
    expect((await send(1, () => broken('cut', 200))).sizes).toEqual([1, 1]);
    expect((await send(1, () => answered(504))).sizes).toEqual([1, 1]);
    expect((await send(1, () => answered(413))).sizes).toEqual([1]);
  });

  test('uses the learned size for later batches', async () => {
    const size = new BatchSize();
    const limit = ({ count }: Batch): Error | undefined => (count > 30 ? answered(413) : undefined);
    expect((await send(100, limit, { batchLimit: size })).sizes).toEqual([100, 50, 25, 25, 25, 25]);
    expect((await send(60, limit, { batchLimit: size })).sizes).toEqual([25, 25, 10]);
  });

  test('isolates one bad index, and answers all others', async () => {
    const { of, sent } = await send(1000, ({ start, end }) =>
      start <= 567 && 567 < end ? answered(504) : undefined,
    );
    expect(of.map((what, k) => (what === 'ok' ? -1 : k)).filter((k) => k >= 0)).toEqual([567]);
    expect(sent.length).toBeLessThan(30);
  });

  test.each<[string, Error]>([
    ['413', answered(413)],
    ['504', answered(504)],
    ['resets', broken('cut')],
    ['silence', broken('silent')],
    ['500', answered(500)],
    ['429', answered(429)],
    ['a refused token', new GraphError('UNAUTHORIZED', 'no', URL, 401)],
    ['wrong lengths', badReply],
  ])('gives up on a server that always answers %s, and fails each index once', async (_what, error) => {
    for (const concurrency of [1, 4]) {
      const { of, sent } = await send(100_000, () => error, { maxCount: 10_000, concurrency });
      expect(sent.length).toBeLessThan(110);
      const reasons = [...new Set(of)];
      expect(reasons).toEqual(
        expect.arrayContaining([
          error.message,
          expect.stringMatching(/^not requested, because \d+ requests in a row failed; the last failure: /),
        ]),
      );
      expect(
        reasons.every(
          (reason) =>
            reason === error.message ||
            /^not requested, because (8|9|10|11) requests in a row failed; the last failure: /.test(reason),
        ),
      ).toBe(true);
    }
  });

  test('does not give up while one of eight is answered', async () => {
    const { sent, of } = await send(40, ({ nth }) => (nth % 8 === 7 ? undefined : answered(404)), {
      maxCount: 1,
    });
    expect(sent).toHaveLength(40);
    expect(of.map((what) => what === 'ok')).toEqual(of.map((_what, k) => k % 8 === 7));
    expect(
      (await send(40, ({ nth }) => (nth % 9 === 8 ? undefined : answered(404)), { maxCount: 1 })).sent,
    ).toHaveLength(8);
  });

  test('gives up after half an hour without an answer', async () => {
    const { sent, of } = await send(100_000, () => broken('silent'), {
      maxCount: 10_000,
      msPerRequest: 600_000,
    });
    expect(sent).toHaveLength(3);
    expect(new Set(of)).toEqual(
      new Set(['silent', 'not requested, because no answer came for 30 minutes; the last failure: silent']),
    );
  });

  test('does not give up while answers come', async () => {
    const { of } = await send(100, ({ nth }) => (nth % 2 ? broken('silent') : undefined), {
      maxCount: 10,
      msPerRequest: 600_000,
    });
    expect(new Set(of)).toEqual(new Set(['ok']));
  });

  test('neither sends nor reports anything after an abort', async () => {
    const abort = new AbortController();
    let sent = 0;
    await sendInBatches(
      {
        count: 500,
        signal: abort.signal,
        fail: () => (sent += 1000),
        send: async () => {
          if (++sent === 2) abort.abort();
          throw answered(413);
        },
      },
      { queue: new PQueue({ concurrency: 1 }), batchLimit: new BatchSize(), maxCount: 100 },
    );
    expect(sent).toBe(2);
  });

  test('answers or fails every index once, for any failures', async () => {
    const faults = [
      undefined,
      undefined,
      undefined,
      answered(413),
      answered(504),
      answered(429, '1'),
      answered(503),
      answered(500),
      broken('cut'),
      broken('stale'),
      broken('silent'),
      broken('unreachable'),
      badReply,
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(faults.length - 1), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 5 }),
        async (script, count, capacity, concurrency) => {
          const { of } = await send(
            count,
            (batch) => (batch.count > capacity ? answered(413) : faults[script[batch.nth % script.length]]),
            { concurrency },
          );
          for (const what of of)
            expect(what).toMatch(
              /^(ok|answered (413|504|429|503|500)|cut|stale|silent|unreachable|answered 24 bytes for 4 IDs|not requested, because \d+ requests in a row failed; the last failure: .*)$/,
            );
          if (script.every((k) => k < 3)) expect(new Set(of)).toEqual(new Set(['ok']));
        },
      ),
      { seed: 11, numRuns: rounds(50) },
    );
  });
});
