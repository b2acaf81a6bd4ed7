import { getEventListeners } from 'node:events';
import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { GraphError } from '../../../lib/base/errors.ts';
import { IdLayout } from '../../../lib/chunkedgraph/ids/id-layout.ts';
import {
  RootBatcher,
  RootOutcome,
  type RootBatcherOptions,
} from '../../../lib/chunkedgraph/roots/root-batcher.ts';
import { ServerClock } from '../../../lib/chunkedgraph/server/server-clock.ts';
import type { RootsRequest } from '../../../lib/chunkedgraph/server/chunkedgraph-client.ts';
import { deferred, nextTurn } from '../../support/stub-store.ts';
import { rounds } from '../../support/rounds.ts';

const N_LAYERS = 4;
const { ok, noRoot, failed, zero, notLookedUp } = RootOutcome;
const layout = new IdLayout({
  layerBits: 8,
  spatialBits: new Map([
    [1, 10],
    [2, 10],
  ]),
});

/** An ID of a layer. The server does not know segments from 1000 on. */
const id = (segment: number, layer = 1): bigint => (BigInt(layer) << 56n) | BigInt(segment);
const ids = (...list: bigint[]): BigUint64Array => BigUint64Array.from(list);
const segmentOf = (of: bigint): bigint => of & 0xff_ffff_ffff_ffffn;
const known = (of: bigint): boolean => of >> 56n === 1n && segmentOf(of) < 1000n;

/** Every ten segments are one object. Each second of the timestamp adds 1 to its root, so that timestamps differ. */
const rootOf = (of: bigint, timestampMs: number, layer = N_LAYERS): bigint =>
  (BigInt(layer) << 56n) | (segmentOf(of) / 10n + 100n + BigInt(Math.floor(timestampMs / 1000)));

/** Like the real server: an unknown ID gives 0 if another ID of the batch is known, and itself if none is. */
function serve(list: BigUint64Array, { timestampMs, stopLayer }: RootsRequest): BigUint64Array {
  const any = list.some(known);
  return list.map((of) => (known(of) ? rootOf(of, timestampMs, stopLayer) : any ? 0n : of));
}

interface SentRequest extends RootsRequest {
  ids: BigUint64Array;
}

function batcherOf(
  options: Partial<RootBatcherOptions> = {},
  answer: (request: SentRequest) => BigUint64Array | Promise<BigUint64Array> = (request) =>
    serve(request.ids, request),
  check: (request: SentRequest) => BigUint64Array | Promise<BigUint64Array> = ({ ids }) => ids,
) {
  const sent: SentRequest[] = [],
    checked: SentRequest[] = [];
  const warn = jest.fn<(message: string) => void>();
  const time = { ms: 5_000_000 };
  // The clock advances with each reading, so that no two readings are equal by chance.
  const clock = new ServerClock({ clocks: { wall: () => (time.ms += 1000), steady: () => 0 } });
  const roots = async (list: BigUint64Array, question: RootsRequest): Promise<BigUint64Array> => {
    sent.push({ ids: list.slice(), ...question });
    return answer(sent[sent.length - 1]);
  };
  const currentRoots = async (list: BigUint64Array, question: RootsRequest): Promise<BigUint64Array> => {
    checked.push({ ids: list.slice(), ...question });
    return check(checked[checked.length - 1]);
  };
  return {
    sent,
    checked,
    warn,
    time,
    batcher: new RootBatcher({
      client: { roots, currentRoots, clock },
      ids: layout,
      nLayers: N_LAYERS,
      warn,
      ...options,
    }),
  };
}

const AT = { timestampMs: 7000 };

describe('RootBatcher', () => {
  test('answers in order, with duplicates, and gives each ID an outcome', async () => {
    const { sent, batcher, warn } = batcherOf();
    const question = ids(id(25), 0n, id(3), id(1500), id(7, 4), id(25), id(9, 200), id(9, 2));
    const answer = await batcher.lookUp(question, AT);
    expect(answer).toMatchObject({
      timestampMs: 7000,
      rootIds: ids(
        rootOf(id(25), 7000),
        0n,
        rootOf(id(3), 7000),
        0n,
        id(7, 4),
        rootOf(id(25), 7000),
        id(9, 200),
        0n,
      ),
      outcomes: Uint8Array.of(ok, zero, ok, noRoot, notLookedUp, ok, notLookedUp, noRoot),
      failures: [],
      distinct: 4,
      requests: 1,
    });
    expect(sent.map(({ ids }) => ids)).toEqual([ids(id(3), id(25), id(1500), id(9, 2))]);
    expect(warn).not.toHaveBeenCalled();
  });

  test('gives the same answers as a naive look-up, for any list and any batch size', async () => {
    const some = fc.oneof(
      fc.constant(0n),
      fc.nat(1100).map((n) => id(n)),
      fc.nat(50).map((n) => id(n)),
      fc.nat(5).map((n) => id(n, 4)),
      fc.constant(2n ** 64n - 1n),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(some, { maxLength: 30 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        async (lists, batchSize) => {
          const { batcher, sent } = batcherOf({ batchSize });
          const answers = await Promise.all(
            lists.map((list) => batcher.lookUp(BigUint64Array.from(list), AT)),
          );
          const wanted = [...new Set(lists.flat().filter((of) => of !== 0n && of >> 56n < 4n))].sort(
            (a, b) => (a < b ? -1 : 1),
          );
          expect(sent.flatMap(({ ids }) => [...ids])).toEqual(wanted);
          expect(sent).toHaveLength(Math.ceil(wanted.length / batchSize));
          expect(sent.every(({ ids }) => ids.length <= batchSize)).toBe(true);
          answers.forEach(({ rootIds, outcomes }, k) => {
            expect([...rootIds]).toEqual(
              lists[k].map((of) =>
                of === 0n ? 0n : of >> 56n >= 4n ? of : known(of) ? rootOf(of, 7000) : 0n,
              ),
            );
            expect([...outcomes]).toEqual(
              lists[k].map((of) =>
                of === 0n ? zero : of >> 56n >= 4n ? notLookedUp : known(of) ? ok : noRoot,
              ),
            );
          });
        },
      ),
      { seed: 7, numRuns: rounds(40) },
    );
  });

  test('sends no request if no ID needs one', async () => {
    const { sent, batcher } = batcherOf();
    for (const list of [ids(), ids(0n, 0n), ids(id(1, 4))])
      expect(await batcher.lookUp(list, AT)).toMatchObject({
        timestampMs: 7000,
        distinct: 0,
        requests: 0,
        failures: [],
      });
    expect(sent).toEqual([]);
  });

  test('reads the IDs of a view, and does not change them', async () => {
    const { sent, batcher } = batcherOf();
    const all = ids(9n, id(30), id(3), 9n);
    const { rootIds } = await batcher.lookUp(all.subarray(1, 3), AT);
    expect(rootIds).toEqual(ids(rootOf(id(30), 7000), rootOf(id(3), 7000)));
    expect(sent[0].ids).toEqual(ids(id(3), id(30)));
    expect(all).toEqual(ids(9n, id(30), id(3), 9n));
  });

  test('counts its requests', async () => {
    const { batcher } = batcherOf({ batchSize: 1 });
    expect(await batcher.lookUp(ids(id(1), id(2), id(3)), AT)).toMatchObject({ requests: 3, distinct: 3 });
  });
});

describe('a window of a RootBatcher', () => {
  test('makes ten look-ups into one request', async () => {
    const { sent, batcher } = batcherOf();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, k) => batcher.lookUp(ids(id(5), id(10 * k)), AT)),
    );
    expect(sent).toHaveLength(1);
    expect(sent[0].ids).toHaveLength(11);
    answers.forEach(({ rootIds, requests }, k) =>
      expect([requests, ...rootIds]).toEqual([1, rootOf(id(5), 7000), rootOf(id(10 * k), 7000)]),
    );
  });

  test('lasts one turn of the event loop, so promises that settle in that turn still join', async () => {
    const { sent, batcher } = batcherOf();
    const late = async (): Promise<unknown> => {
      for (let k = 0; k < 20; k++) await Promise.resolve();
      return batcher.lookUp(ids(id(2)), AT);
    };
    await Promise.all([batcher.lookUp(ids(id(1)), AT), late()]);
    expect(sent.map(({ ids }) => ids.length)).toEqual([2]);
    await nextTurn();
    await batcher.lookUp(ids(id(3)), AT);
    expect(sent.map(({ ids }) => ids.length)).toEqual([2, 1]);
  });

  test('has one now for all look-ups without a timestamp, read when it opens', async () => {
    const { sent, batcher, time } = batcherOf({ batchSize: 1 });
    const answers = await Promise.all([
      batcher.lookUp(ids(id(1), id(2))),
      batcher.lookUp(ids(id(2), id(30))),
      batcher.lookUp(ids(id(4)), { stopLayer: 2 }),
    ]);
    expect(answers.map(({ timestampMs }) => timestampMs)).toEqual([5_001_000, 5_001_000, 5_001_000]);
    expect([...new Set(sent.map(({ timestampMs }) => timestampMs))]).toEqual([5_001_000]);
    expect(time.ms).toBe(5_001_000); // read once
    expect((await batcher.lookUp(ids(id(1)))).timestampMs).toBe(5_002_000);
  });

  test('cancels a request when its last caller has left, whichever window the callers joined', async () => {
    const { sent, batcher } = batcherOf({}, () => new Promise(() => undefined));
    const [first, second] = [new AbortController(), new AbortController()];
    const a = batcher.lookUp(ids(id(3)), { ...AT, signal: first.signal }).catch((error: unknown) => error);
    await nextTurn();
    await nextTurn();
    const b = batcher.lookUp(ids(id(3)), { ...AT, signal: second.signal }).catch((error: unknown) => error);
    await nextTurn();
    await nextTurn();
    first.abort('first');
    expect([await a, sent.map(({ signal }) => signal!.aborted)]).toEqual(['first', [false]]);
    second.abort('second');
    expect([await b, sent.map(({ signal }) => signal!.aborted)]).toEqual(['second', [true]]);
  });

  test('requests a failed ID again while the rest of its window is in flight', async () => {
    const rest = deferred<BigUint64Array>();
    const refused = new GraphError('HTTP_STATUS', 'answered 400', 'https://graph.example.org', 400);
    let fails = true;
    const { sent, batcher } = batcherOf({ batchSize: 1 }, async (question) => {
      if (question.ids[0] === id(25)) return rest.promise;
      if (fails) throw refused;
      return serve(question.ids, question);
    });
    const both = batcher.lookUp(ids(id(3), id(25)), AT);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    fails = false;
    expect((await batcher.lookUp(ids(id(3)), AT)).outcomes).toEqual(Uint8Array.of(ok));
    rest.resolve(ids(rootOf(id(25), 7000)));
    expect((await both).outcomes).toEqual(Uint8Array.of(failed, ok));
    expect(sent.map(({ ids }) => ids[0])).toEqual([id(3), id(25), id(3)]);
  });

  test('never mixes timestamps or layers', async () => {
    const { sent, batcher } = batcherOf();
    const list = ids(id(1), id(25));
    const [a, b, c, d] = await Promise.all([
      batcher.lookUp(list, { timestampMs: 1000 }),
      batcher.lookUp(list, { timestampMs: 2000 }),
      batcher.lookUp(list, { timestampMs: 1000, stopLayer: 2 }),
      batcher.lookUp(list, { timestampMs: 1000, stopLayer: 4 }),
    ]);
    expect(sent.map(({ timestampMs, stopLayer }) => [timestampMs, stopLayer])).toEqual([
      [1000, undefined],
      [2000, undefined],
      [1000, 2],
    ]);
    expect(a.rootIds).toEqual(list.map((of) => rootOf(of, 1000)));
    expect(b.rootIds).toEqual(list.map((of) => rootOf(of, 2000)));
    expect(c.rootIds).toEqual(list.map((of) => rootOf(of, 1000, 2)));
    expect(d.rootIds).toEqual(a.rootIds);
  });

  test('sends sorted batches, a few at a time over all windows', async () => {
    const gates = Array.from({ length: 6 }, () => deferred<void>());
    let started = 0;
    const { sent, batcher } = batcherOf({ batchSize: 2, concurrency: 2 }, async (question) => {
      await gates[started++].promise;
      return serve(question.ids, question);
    });
    const first = batcher.lookUp(ids(id(7), id(5), id(3), id(1), id(9), id(2), id(4)), AT);
    await nextTurn();
    const second = batcher.lookUp(ids(id(50), id(51), id(52)), AT);
    for (let done = 0; done < 6; done++) {
      await nextTurn();
      await nextTurn();
      expect(sent).toHaveLength(Math.min(done + 2, 6));
      gates[done].resolve();
    }
    expect((await Promise.all([first, second])).map(({ requests }) => requests)).toEqual([4, 2]);
    expect(sent.map(({ ids }) => [...ids].map(segmentOf))).toEqual([
      [1n, 2n],
      [3n, 4n],
      [5n, 7n],
      [50n, 51n],
      [52n],
      [9n],
    ]); // turn by turn
  });

  test('by default sends requests of 100,000 IDs, four at a time', async () => {
    const gate = deferred<void>();
    const { sent, batcher } = batcherOf({}, async (question) => {
      await gate.promise;
      return question.ids.map((of) => rootOf(of, 0));
    });
    const many = new BigUint64Array(450_001);
    for (let k = 0; k < many.length; k++) many[k] = id(k);
    const answer = batcher.lookUp(many, AT);
    while (sent.length === 0) await nextTurn(); // this many IDs are sorted with pauses
    await nextTurn();
    expect(sent.map(({ ids }) => ids.length)).toEqual([100_000, 100_000, 100_000, 100_000]);
    gate.resolve();
    const { rootIds } = await answer;
    expect(sent.map(({ ids }) => ids.length)).toEqual([100_000, 100_000, 100_000, 100_000, 50_001]);
    expect(rootIds[450_000]).toBe(rootOf(id(450_000), 0));
  });
});

describe('an answer that is not a root', () => {
  test('is noRoot if the server echoes the whole batch, with one warning', async () => {
    const { batcher, warn } = batcherOf();
    for (let again = 0; again < 2; again++) {
      const { rootIds, outcomes, failures } = await batcher.lookUp(ids(id(2000), id(2001), id(2000)), {
        timestampMs: 1577836799999,
      });
      expect([rootIds, outcomes, failures]).toEqual([
        ids(0n, 0n, 0n),
        Uint8Array.of(noRoot, noRoot, noRoot),
        [],
      ]);
    }
    expect(warn.mock.calls).toEqual([
      [
        'the server knows none of 2 supervoxels at 2019-12-31T23:59:59.999Z: the timestamp may be before the graph was made, or the segmentation may belong to another graph',
      ],
    ]);
  });

  test('gives a warning if one batch among others is echoed', async () => {
    const { batcher, warn } = batcherOf({ batchSize: 2 });
    const { outcomes } = await batcher.lookUp(ids(id(1), id(2), id(2000), id(2001)), AT);
    expect([...outcomes]).toEqual([ok, ok, noRoot, noRoot]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test.each<[stopLayer: number | undefined, layer: number, outcome: number]>([
    [undefined, 4, ok],
    [undefined, 3, noRoot],
    [undefined, 2, noRoot],
    [undefined, 5, noRoot],
    [undefined, 255, noRoot],
    [undefined, 0, noRoot],
    [2, 1, noRoot],
    [2, 2, ok],
    [2, 3, ok],
    [2, 4, ok],
    [2, 5, noRoot],
    [3, 2, noRoot],
    [3, 3, ok],
    [3, 4, ok],
    [3, 7, noRoot],
    [4, 4, ok],
    [4, 3, noRoot],
  ])('at stop layer %p, an answer of layer %d has outcome %d', async (stopLayer, layer, outcome) => {
    const { batcher, warn } = batcherOf({}, ({ ids }) => ids.map(() => id(77, layer)));
    const { rootIds, outcomes } = await batcher.lookUp(ids(id(1)), { ...AT, stopLayer });
    expect([rootIds[0], outcomes[0]]).toEqual([outcome === ok ? id(77, layer) : 0n, outcome]);
    expect(warn).not.toHaveBeenCalled();
  });

  test.each([
    [2, [1]],
    [3, [1, 2]],
    [4, [1, 2, 3]],
    [undefined, [1, 2, 3]],
  ])('at stop layer %p, only IDs below it are requested: layers %p', async (stopLayer, layers) => {
    const { sent, batcher } = batcherOf();
    const { rootIds, outcomes } = await batcher.lookUp(ids(id(5, 1), id(5, 2), id(5, 3), id(5, 4)), {
      ...AT,
      stopLayer,
    });
    expect(sent[0].ids).toEqual(ids(...layers.map((layer) => id(5, layer))));
    for (let layer = layers.length + 1; layer <= 4; layer++)
      expect([rootIds[layer - 1], outcomes[layer - 1]]).toEqual([id(5, layer), notLookedUp]);
  });
});

describe('a root request that fails', () => {
  const boom = new Error('boom');

  test('fails its own IDs, names their range, and does not affect other IDs', async () => {
    const { batcher } = batcherOf({ batchSize: 2 }, (question) => {
      if (question.ids.includes(id(30))) throw boom;
      return serve(question.ids, question);
    });
    const { rootIds, outcomes, failures, requests } = await batcher.lookUp(
      ids(id(40), id(10), 0n, id(30), id(20), id(50)),
      AT,
    );
    expect([...outcomes]).toEqual([failed, ok, zero, failed, ok, ok]);
    expect([...rootIds]).toEqual([
      0n,
      rootOf(id(10), 7000),
      0n,
      0n,
      rootOf(id(20), 7000),
      rootOf(id(50), 7000),
    ]);
    expect(failures).toEqual([{ first: id(30), last: id(40), error: boom }]);
    expect(requests).toBe(3);
  });

  test('is sent again by the next look-up', async () => {
    let broken = true;
    const { sent, batcher } = batcherOf({}, (question) => {
      if (broken) throw boom;
      return serve(question.ids, question);
    });
    expect([...(await batcher.lookUp(ids(id(1)), AT)).outcomes]).toEqual([failed]);
    broken = false;
    expect([...(await batcher.lookUp(ids(id(1)), AT)).outcomes]).toEqual([ok]);
    expect(sent).toHaveLength(2);
  });
});

describe('an abort of a look-up', () => {
  const reason = new Error('enough');

  /** A server that answers when `open` is called, unless the signal aborts first. */
  function waiting(options: Partial<RootBatcherOptions> = {}) {
    const gate = deferred<void>();
    const made = batcherOf(options, async (question) => {
      const aborted = new Promise<never>((_resolve, reject) =>
        question.signal!.addEventListener('abort', () => reject(question.signal!.reason)),
      );
      await Promise.race([gate.promise, aborted]);
      return serve(question.ids, question);
    });
    return { ...made, open: gate.resolve };
  }

  test('that came before the call sends no request', async () => {
    const { sent, batcher } = batcherOf();
    await expect(batcher.lookUp(ids(id(1)), { ...AT, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    await nextTurn();
    expect(sent).toEqual([]);
  });

  test('ends one look-up, and the others get their roots', async () => {
    const { sent, batcher, open } = waiting();
    const abort = new AbortController();
    const gone = batcher.lookUp(ids(id(1)), { ...AT, signal: abort.signal });
    const stays = batcher.lookUp(ids(id(2)), AT);
    await nextTurn();
    abort.abort(reason);
    await expect(gone).rejects.toBe(reason);
    expect(sent[0].signal!.aborted).toBe(false);
    open();
    expect((await stays).rootIds).toEqual(ids(rootOf(id(2), 7000)));
  });

  test('cancels the requests with the last caller, and drops those in the queue', async () => {
    const { sent, batcher, open } = waiting({ batchSize: 1, concurrency: 1 });
    const aborts = [new AbortController(), new AbortController()];
    const calls = aborts.map(({ signal }) => batcher.lookUp(ids(id(1), id(2), id(3)), { ...AT, signal }));
    const settled = Promise.allSettled(calls);
    await nextTurn();
    await nextTurn();
    aborts[0].abort(reason);
    expect(sent[0].signal!.aborted).toBe(false);
    aborts[1].abort(reason);
    expect(sent[0].signal!.aborted).toBe(true);
    expect(await settled).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    open();
    expect((await batcher.lookUp(ids(id(9)), AT)).outcomes).toEqual(Uint8Array.of(ok));
    expect(sent.map(({ ids }) => ids)).toEqual([ids(id(1)), ids(id(9))]);
  });

  test('before the window closes sends nothing, and a later caller of the same turn starts a new batch', async () => {
    const { sent, batcher } = batcherOf();
    const abort = new AbortController();
    const gone = batcher.lookUp(ids(id(1), id(2)), { ...AT, signal: abort.signal });
    abort.abort(reason);
    const later = batcher.lookUp(ids(id(2)), AT);
    await expect(gone).rejects.toBe(reason);
    expect((await later).rootIds).toEqual(ids(rootOf(id(2), 7000)));
    await nextTurn();
    expect(sent.map(({ ids, signal }) => [ids, signal!.aborted])).toEqual([[ids(id(2)), false]]);
  });

  test('does not change the now of its window for the others', async () => {
    const { batcher } = batcherOf();
    const abort = new AbortController();
    const gone = batcher.lookUp(ids(id(1)), { signal: abort.signal });
    abort.abort(reason);
    const others = [batcher.lookUp(ids(id(2))), batcher.lookUp(ids(id(3)))];
    await expect(gone).rejects.toBe(reason);
    expect((await Promise.all(others)).map(({ timestampMs }) => timestampMs)).toEqual([5_001_000, 5_001_000]);
  });

  test.each([
    ['answered', false],
    ['aborted', true],
  ])('leaves no listener on the signal of a look-up that was %s', async (_end, aborts) => {
    const { batcher, open } = waiting();
    const abort = new AbortController();
    const calls = Promise.allSettled(
      [1, 2, 3].map((k) => batcher.lookUp(ids(id(k)), { ...AT, signal: abort.signal })),
    );
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1); // all three share it
    if (aborts) abort.abort(reason);
    open();
    await calls;
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });
});

describe('an ID in flight', () => {
  /** A server that answers request k when gate k opens. */
  function gated(options: Partial<RootBatcherOptions> = {}) {
    const gates = Array.from({ length: 9 }, () => deferred<void>());
    let begun = 0;
    const made = batcherOf(options, async (question) => {
      const gate = gates[begun++];
      await Promise.race([
        gate.promise,
        new Promise((_resolve, reject) =>
          question.signal!.addEventListener('abort', () => reject(question.signal!.reason)),
        ),
      ]);
      return serve(question.ids, question);
    });
    return { ...made, gates };
  }
  const turns = async (): Promise<void> => {
    for (let k = 0; k < 3; k++) await nextTurn();
  };

  test('is not requested again by a later window for the same timestamp', async () => {
    const { sent, batcher, gates } = gated();
    const first = batcher.lookUp(ids(id(1), id(2), id(1500)), AT);
    await turns();
    const second = batcher.lookUp(ids(id(3), id(1500), id(2), id(2)), AT);
    await turns();
    expect(sent.map(({ ids }) => ids)).toEqual([ids(id(1), id(2), id(1500)), ids(id(3))]);
    gates[1].resolve();
    gates[0].resolve();
    expect(await first).toMatchObject({ outcomes: Uint8Array.of(ok, ok, noRoot), requests: 1 });
    expect(await second).toMatchObject({
      rootIds: ids(rootOf(id(3), 7000), 0n, rootOf(id(2), 7000), rootOf(id(2), 7000)),
      outcomes: Uint8Array.of(ok, noRoot, ok, ok),
      requests: 2,
    });
    gates[2].resolve();
    await batcher.lookUp(ids(id(2)), AT);
    expect(sent).toHaveLength(3);
  });

  test.each([[{ timestampMs: 7001 }], [{ ...AT, stopLayer: 2 }]])(
    'is requested again for %p',
    async (other) => {
      const { sent, batcher, gates } = gated();
      gates.forEach((gate) => gate.resolve());
      const first = batcher.lookUp(ids(id(1)), AT);
      await nextTurn();
      await Promise.all([first, batcher.lookUp(ids(id(1)), other)]);
      expect(sent).toHaveLength(2);
    },
  );

  test('continues for the second caller when the first one leaves, and ends when both have left', async () => {
    const { sent, batcher, gates } = gated();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = batcher.lookUp(ids(id(1), id(2)), { ...AT, signal: one.signal });
    await turns();
    const second = batcher.lookUp(ids(id(2)), { ...AT, signal: two.signal });
    await turns();
    one.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    expect(sent[0].signal!.aborted).toBe(false);
    const third = batcher.lookUp(ids(id(1)), AT);
    await turns();
    two.abort(new Error('left too'));
    await expect(second).rejects.toThrow('left too');
    expect(sent[0].signal!.aborted).toBe(false);
    gates[0].resolve();
    expect((await third).rootIds).toEqual(ids(rootOf(id(1), 7000)));
    expect(sent).toHaveLength(1);
  });

  test('fails for all its callers with one reason, and is requested again afterwards', async () => {
    const boom = new Error('boom');
    const { sent, batcher, gates } = gated({ batchSize: 2 });
    const first = batcher.lookUp(ids(id(1), id(2)), AT);
    await turns();
    const second = batcher.lookUp(ids(id(2), id(3)), AT);
    await turns();
    gates[0].reject(boom);
    gates[1].resolve();
    expect(await first).toMatchObject({
      outcomes: Uint8Array.of(failed, failed),
      failures: [{ first: id(1), last: id(2), error: boom }],
    });
    expect(await second).toMatchObject({
      outcomes: Uint8Array.of(failed, ok),
      failures: [{ first: id(2), last: id(2), error: boom }],
    });
    gates[2].resolve();
    expect((await batcher.lookUp(ids(id(2)), AT)).outcomes).toEqual(Uint8Array.of(ok));
    expect(sent).toHaveLength(3);
  });

  test('delays only its own callers: others of its window get their answers earlier', async () => {
    const { batcher, gates } = gated({ batchSize: 1 });
    const small = batcher.lookUp(ids(id(1)), AT);
    let large = false;
    const both = batcher.lookUp(ids(id(1), id(2)), AT).then(() => (large = true));
    gates[0].resolve();
    await small;
    expect(large).toBe(false);
    gates[1].resolve();
    await both;
  });

  test('waits with others while the server is busy, and shares a request with them', async () => {
    const { sent, batcher, gates } = gated({ concurrency: 1 });
    const first = batcher.lookUp(ids(id(1)), AT);
    await turns();
    const rest = [];
    for (let k = 2; k < 6; k++) {
      rest.push(batcher.lookUp(ids(id(k)), AT));
      await turns();
    }
    gates.forEach((gate) => gate.resolve());
    await Promise.all([first, ...rest]);
    expect(sent.map(({ ids }) => [...ids].map(segmentOf))).toEqual([[1n], [2n, 3n, 4n, 5n]]);
  });

  test('gets the right root for any callers at any time', async () => {
    const step = fc.record({
      list: fc.array(fc.nat(12), { maxLength: 6 }),
      turns: fc.nat(2),
      seconds: fc.nat(1),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, batchSize, concurrency) => {
          const { batcher } = batcherOf({ batchSize, concurrency }, async (question) => {
            for (let k = 0; k < Number(segmentOf(question.ids[0]) % 3n); k++) await nextTurn();
            return serve(question.ids, question);
          });
          const answers = [];
          for (const { list, turns, seconds } of steps) {
            answers.push(batcher.lookUp(ids(...list.map((n) => id(n + 1))), { timestampMs: 1000 * seconds }));
            for (let k = 0; k < turns; k++) await nextTurn();
          }
          const got = await Promise.all(answers);
          got.forEach(({ rootIds, outcomes }, k) => {
            expect([...rootIds]).toEqual(
              steps[k].list.map((n) => rootOf(id(n + 1), 1000 * steps[k].seconds)),
            );
            expect(outcomes.every((outcome) => outcome === ok)).toBe(true);
          });
        },
      ),
      { seed: 21, numRuns: rounds(25) },
    );
  });
});

describe('a RootBatcher that validates', () => {
  test('checks once whether IDs of the root layer are roots, while the others are looked up', async () => {
    const { sent, checked, batcher } = batcherOf({}, undefined, ({ ids }) =>
      ids.map((of) => (segmentOf(of) === 7n ? of : 0n)),
    );
    const question = ids(id(8, 4), id(3), id(7, 4), 0n, id(7, 4), id(9, 200));
    const { rootIds, outcomes, requests } = await batcher.lookUp(question, { ...AT, validate: true });
    expect(rootIds).toEqual(ids(0n, rootOf(id(3), 7000), id(7, 4), 0n, id(7, 4), 0n));
    expect(outcomes).toEqual(Uint8Array.of(noRoot, ok, ok, zero, ok, noRoot));
    expect(requests).toBe(2);
    expect(sent.map(({ ids }) => ids)).toEqual([ids(id(3))]);
    expect(checked.map(({ ids, timestampMs }) => [ids, timestampMs])).toEqual([
      [ids(id(7, 4), id(8, 4)), 7000],
    ]);
    expect(question[0]).toBe(id(8, 4));
  });

  test('does not check IDs of lower layers', async () => {
    const { sent, checked, batcher } = batcherOf();
    const { outcomes } = await batcher.lookUp(ids(id(5, 2), id(5, 3), id(5, 4)), {
      ...AT,
      stopLayer: 2,
      validate: true,
    });
    expect([outcomes, sent, checked.map(({ ids }) => ids)]).toEqual([
      Uint8Array.of(notLookedUp, notLookedUp, ok),
      [],
      [ids(id(5, 4))],
    ]);
  });

  test('fails IDs whose check failed', async () => {
    const boom = new Error('boom');
    const { batcher } = batcherOf({}, undefined, () => {
      throw boom;
    });
    expect(await batcher.lookUp(ids(id(5, 4), id(1)), { ...AT, validate: true })).toMatchObject({
      rootIds: ids(0n, rootOf(id(1), 7000)),
      outcomes: Uint8Array.of(failed, ok),
      failures: [{ first: id(5, 4), last: id(5, 4), error: boom }],
    });
  });
});

describe('nodes between supervoxels and roots', () => {
  // Like the real server: for a node that an edit replaced, it gives the root that was replaced with it.
  const climb = ({ ids, stopLayer = N_LAYERS }: SentRequest): BigUint64Array =>
    ids.map((of) => id(Number(segmentOf(of)), stopLayer));
  const current = ({ ids }: SentRequest): BigUint64Array => ids.map((of) => (segmentOf(of) < 5n ? of : 0n));

  test('have a root only if that root is current; supervoxels need no further request', async () => {
    const { sent, checked, batcher } = batcherOf({}, climb, current);
    const answer = await batcher.lookUp(
      ids(id(7), id(1, 2), id(9, 2), id(8, 3), id(1, 3), id(9, 2), id(9, 4)),
      AT,
    );
    expect(answer.rootIds).toEqual(ids(id(7, 4), id(1, 4), 0n, 0n, id(1, 4), 0n, id(9, 4)));
    expect(answer.outcomes).toEqual(Uint8Array.of(ok, ok, noRoot, noRoot, ok, noRoot, notLookedUp));
    expect([sent.length, checked.map(({ ids, timestampMs }) => [ids, timestampMs]), answer.requests]).toEqual(
      [1, [[ids(id(1, 4), id(8, 4), id(9, 4)), 7000]], 2],
    );
    await batcher.lookUp(ids(id(7), id(9)), AT);
    expect([sent.length, checked.length]).toEqual([2, 1]);
  });

  test('have a node at a stop layer only if the root above it is current', async () => {
    const { sent, checked, batcher } = batcherOf({}, climb, current);
    const answer = await batcher.lookUp(ids(id(1, 2), id(9, 2), id(9)), { ...AT, stopLayer: 3 });
    expect([answer.rootIds, answer.outcomes]).toEqual([
      ids(id(1, 3), 0n, id(9, 3)),
      Uint8Array.of(ok, noRoot, ok),
    ]);
    expect(sent.map(({ ids, stopLayer }) => [ids, stopLayer])).toEqual([
      [ids(id(9), id(1, 2), id(9, 2)), 3],
      [ids(id(1, 3), id(9, 3)), undefined],
    ]);
    expect(checked.map(({ ids }) => ids)).toEqual([ids(id(1, 4), id(9, 4))]);
  });

  test('fail if the check of their root fails', async () => {
    const boom = new Error('boom');
    const { batcher } = batcherOf({}, climb, () => {
      throw boom;
    });
    expect(await batcher.lookUp(ids(id(7), id(9, 2), id(1, 3), id(4)), AT)).toMatchObject({
      rootIds: ids(id(7, 4), 0n, 0n, id(4, 4)),
      outcomes: Uint8Array.of(ok, failed, failed, ok),
      failures: [{ first: id(9, 2), last: id(1, 3), error: boom }],
    });
  });
});

describe('the timestamp of an answer', () => {
  test('is settled if it was three minutes old when the look-up started', async () => {
    const { batcher } = batcherOf();
    const settled = async (timestampMs: number | undefined): Promise<boolean> =>
      (await batcher.lookUp(ids(id(1)), { timestampMs })).settled;
    expect(await settled(5_001_000 - 180_000)).toBe(true);
    expect(await settled(5_002_000 - 180_000 + 1)).toBe(false);
    expect(await settled(undefined)).toBe(false);
  });
});

describe('limits of a batch', () => {
  test('count bytes, too', async () => {
    const { sent, checked, batcher } = batcherOf({ batchBytes: 50 });
    await batcher.lookUp(
      ids(...Array.from({ length: 7 }, (_, k) => id(k + 1)), id(1, 4), id(2, 4), id(3, 4)),
      { ...AT, validate: true },
    );
    expect([sent, checked].map((requests) => requests.map(({ ids }) => ids.length))).toEqual([
      [6, 1],
      [2, 1],
    ]);
  });

  test('allow at least one ID per request', async () => {
    const { sent, batcher } = batcherOf({ batchBytes: 1 });
    await batcher.lookUp(ids(id(1), id(2)), AT);
    expect(sent).toHaveLength(2);
  });
});

test('a window may be longer than a turn of the event loop', async () => {
  jest.useFakeTimers();
  try {
    const { sent, batcher } = batcherOf({ windowMs: 50 });
    const first = batcher.lookUp(ids(id(1)));
    await jest.advanceTimersByTimeAsync(49);
    const second = batcher.lookUp(ids(id(2)));
    expect(sent).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(sent.map(({ ids }) => ids)).toEqual([ids(id(1), id(2))]);
    expect((await first).timestampMs).toBe((await second).timestampMs);
  } finally {
    jest.useRealTimers();
  }
});
