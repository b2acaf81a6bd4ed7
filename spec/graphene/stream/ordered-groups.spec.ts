import { setImmediate as turn } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { OrderedGroups, type GroupedCalls } from '../../../lib/graphene/stream/ordered-groups.ts';

type Calls = GroupedCalls<number, number, string>;

/** A call that a spec ends when it wants to. */
interface Call {
  group: readonly number[];
  signal: AbortSignal;
  end: (answerOf?: (index: number) => string) => void;
  fail: (error: unknown) => void;
}

/** A stream of numbers. Each has the size 1, and the answer of 7 is `7!`. */
function stream(source: Calls['source'], options: Partial<Calls> = {}) {
  const calls: Call[] = [];
  let ends = 0;
  const groups = new OrderedGroups<number, number, string>({
    source,
    prepare: (given) => given,
    sizeOf: () => 1,
    groupSize: 1,
    concurrency: 2,
    signals: [],
    onEnd: () => ends++,
    answer: (group, signal) =>
      new Promise((resolve, reject) => {
        const end: Call['end'] = (answerOf = (index) => `${group[index]}!`) => resolve(answerOf);
        calls.push({ group, signal, end, fail: reject });
      }),
    ...options,
  });
  return { groups, calls, ends: () => ends };
}

/** Answers at once. */
const atOnce: Calls['answer'] = (group) => Promise.resolve((index) => `${group[index]}!`);
const turns = async (count = 6): Promise<void> => {
  for (let k = 0; k < count; k++) await turn();
};
async function all<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const answer of answers) taken.push(answer);
  return taken;
}

/** Yields numbers without an end, and notes what happens to it. */
function endless() {
  const notes = { given: 0, closed: 0 };
  async function* numbers(): AsyncGenerator<number> {
    try {
      for (;;) {
        await turn();
        yield notes.given++;
      }
    } finally {
      notes.closed++;
    }
  }
  return { notes, source: numbers() };
}

describe('OrderedGroups', () => {
  test('gives one answer per item in order, also if the calls end in another order', async () => {
    const { groups, calls } = stream([1, 2, 3]);
    const first = groups.next(),
      second = groups.next();
    await turns();
    expect(calls.map(({ group }) => group)).toEqual([[1], [2]]);
    calls[1].end();
    await turns();
    calls[0].end();
    expect(await first).toEqual({ done: false, value: '1!' });
    expect(await second).toEqual({ done: false, value: '2!' });
    const third = groups.next();
    await turns();
    calls[2].end();
    expect(await third).toEqual({ done: false, value: '3!' });
    expect(await groups.next()).toEqual({ done: true, value: undefined });
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  test.each([1, 2, 5])('holds at most the items of %i calls and of one more', async (concurrency) => {
    const { notes, source } = endless();
    const { groups } = stream(source, { concurrency, answer: atOnce });
    let taken = 0,
      most = 0;
    for await (const answer of groups) {
      expect(answer).toBe(`${taken++}!`);
      await turns(8); // a slow consumer
      most = Math.max(most, notes.given - taken);
      if (taken === 20) break;
    }
    expect(most).toBe(concurrency + 1);
    expect(notes.closed).toBe(1);
  });

  test('reads nothing before the first next()', async () => {
    const { notes, source } = endless();
    const { groups } = stream(source);
    await turns();
    expect(notes.given).toBe(0);
    await groups.return();
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  test('gathers what is there, up to the size of a group', async () => {
    const sizes: number[] = [];
    const answer: Calls['answer'] = (group) => (sizes.push(group.length), atOnce(group, undefined!));
    const numbers = Array.from({ length: 25 }, (_, k) => k);
    const { groups } = stream(numbers, { groupSize: 10, answer });
    expect(await all(groups)).toEqual(numbers.map((k) => `${k}!`));
    expect(sizes).toEqual([10, 10, 5]);
  });

  test('sends what there is when the source has nothing more for now, and gathers while calls are in flight', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined });
    const { groups, calls } = stream(source, { groupSize: 100, concurrency: 1 });
    const answers = all(groups);
    source.push(1);
    source.push(2);
    await turns();
    expect(calls.map(({ group }) => group)).toEqual([[1, 2]]);
    for (const number of [3, 4, 5]) {
      source.push(number);
      await turns();
    }
    expect(calls).toHaveLength(1);
    calls[0].end();
    await turns();
    expect(calls[1].group).toEqual([3, 4, 5]);
    source.push(null);
    calls[1].end();
    expect(await answers).toEqual(['1!', '2!', '3!', '4!', '5!']);
  });

  test('aborts the calls in flight and closes the source when the loop is left', async () => {
    const { notes, source } = endless();
    const { groups, calls, ends } = stream(source);
    const first = groups.next();
    await turns(10);
    calls[0].end();
    expect(await first).toMatchObject({ value: '0!' });
    await groups.return();
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.every(({ signal }) => signal.aborted)).toBe(true);
    calls[1].fail(new Error('aborted'));
    await turns();
    expect([notes.closed, ends()]).toEqual([1, 1]);
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  test('ends while it waits for a source that gives nothing', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined });
    const { groups } = stream(source);
    const waiting = groups.next();
    await turns();
    await groups.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(source.destroyed).toBe(true);
  });

  test('throws the reason of a signal at once, and closes the source', async () => {
    const { notes, source } = endless();
    const controller = new AbortController();
    const { groups, calls } = stream(source, { signals: [undefined, controller.signal] });
    const [first, second] = [groups.next(), groups.next()];
    await turns();
    controller.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(await second).toEqual({ done: true, value: undefined });
    await turns();
    expect(notes.closed).toBe(1);
    expect(calls[0].signal.reason).toEqual(new Error('enough'));
  });

  test('throws the reason of a signal that has aborted before, and reads nothing', async () => {
    const { notes, source } = endless();
    const { groups } = stream(source, { signals: [AbortSignal.abort(new Error('before'))] });
    await expect(all(groups)).rejects.toThrow('before');
    expect(notes.given).toBe(0);
  });

  test('throws the reason once if nobody was waiting', async () => {
    const controller = new AbortController();
    const { groups } = stream(endless().source, { signals: [controller.signal], answer: atOnce });
    await groups.next();
    controller.abort(new Error('enough'));
    await expect(groups.next()).rejects.toThrow('enough');
    expect(await groups.next()).toEqual({ done: true, value: undefined });
  });

  const BROKEN = new Error('broken');
  function* breaking(): Generator<number> {
    yield 1;
    yield 2;
    throw BROKEN;
  }
  async function* breakingLater(): AsyncGenerator<number> {
    await turn();
    yield* breaking();
  }
  test.each([
    ['a source that throws', { source: breakingLater() }],
    ['a list that throws', { source: breaking() }],
    ['an item that cannot be prepared', { prepare: (n: number) => (n < 3 ? n : raise()) }],
    ['an answer that throws', { answer: answersBelow3 }],
    ['a call that fails', { answer: (group) => (group[0] < 3 ? atOnce(group, undefined!) : failing()) }],
  ] satisfies [string, Partial<Calls>][])(
    'gives the answers before the error of %s, and then closes',
    async (_, options) => {
      const { notes, source } = endless();
      const { groups, ends } = stream(source, { answer: atOnce, concurrency: 3, ...options });
      const taken: string[] = [];
      const reading = (async () => {
        for await (const answer of groups) taken.push(answer);
      })();
      await expect(reading).rejects.toBe(BROKEN);
      expect(taken.slice(-2)).toEqual(['1!', '2!']);
      await turns();
      expect([notes.closed, ends()]).toEqual(['source' in options ? 0 : 1, 1]);
      expect(await groups.next()).toEqual({ done: true, value: undefined });
    },
  );
  function raise(): never {
    throw BROKEN;
  }
  function answersBelow3(group: readonly number[]): ReturnType<Calls['answer']> {
    return Promise.resolve((index) => (group[index] < 3 ? `${group[index]}!` : raise()));
  }
  const failing = (): Promise<never> => Promise.reject(BROKEN);

  test('awaits the promises in a list, as `for await` does', async () => {
    const { groups } = stream([Promise.resolve(1), Promise.resolve(2)] as unknown as number[], {
      answer: atOnce,
    });
    expect(await all(groups)).toEqual(['1!', '2!']);
  });

  test('lets the event loop turn while a list is read', async () => {
    let seen = 0;
    const timer = setInterval(() => seen++, 1);
    function* numbers(): Generator<number> {
      for (let k = 0; seen < 2; k++) yield k; // ends only if timers run
    }
    const { groups } = stream(numbers(), { groupSize: Infinity, answer: atOnce });
    expect((await all(groups)).length).toBeGreaterThan(0);
    clearInterval(timer);
  });

  test('closes at the end of `await using`, and throws what throw() is given', async () => {
    const { notes, source } = endless();
    const { groups } = stream(source, { answer: atOnce });
    await groups.next();
    await groups[Symbol.asyncDispose]();
    await turns();
    expect(notes.closed).toBe(1);
    await expect(groups.throw(BROKEN)).rejects.toBe(BROKEN);
  });
});
