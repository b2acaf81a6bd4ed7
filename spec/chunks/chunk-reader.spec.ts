import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, jest, test } from '@jest/globals';
import { RequestError, type ChunkError } from '../../lib/base/errors.ts';
import { ChunkReader, type ChunkConsumer, type ChunkReaderOptions } from '../../lib/chunks/chunk-reader.ts';
import type { ChunkSource, ReadTask, StoredChunk } from '../../lib/chunks/chunk-source.ts';
import type { Meter } from '../../lib/storage/store.ts';
import { neverDue } from '../support/runners.ts';
import { deferred, nextTurn } from '../support/stub-store.ts';

interface Read {
  cell: number;
  signal: AbortSignal;
  meter: Meter;
  resolve: (bytes: Uint8Array | undefined) => void;
  reject: (error: unknown) => void;
}

/** A source whose reads wait until the test settles them. They reject when their signal aborts. */
class Source implements ChunkSource {
  readonly reads: Read[] = [];
  constructor(readonly id = 'scale') {}

  get cells(): number[] {
    return this.reads.map(({ cell }) => cell);
  }

  urlOf(cell: number): string {
    return `https://bucket.example/${this.id}/${cell}`;
  }

  plan(cells: readonly number[]): ReadTask[] {
    return cells.map((cell) => ({
      cells: [cell],
      run: async ({ signal, meter, deliver }) => {
        const bytes = await this.#read(cell, signal, meter);
        await deliver(cell, bytes && { bytes, contentEncoding: undefined, maxBytes: bytes.byteLength });
      },
    }));
  }

  #read(cell: number, signal: AbortSignal, meter: Meter): Promise<Uint8Array | undefined> {
    const { promise, resolve, reject } = deferred<Uint8Array | undefined>();
    this.reads.push({ cell, signal, meter, resolve, reject });
    meter.requests++;
    signal.addEventListener('abort', () => reject(signal.reason));
    return promise;
  }

  /** Answers all reads until no new ones come. */
  async serve(
    answer: (cell: number) => Uint8Array | undefined = (cell) => Uint8Array.of(cell),
  ): Promise<void> {
    await nextTurn(); // reads start after all calls of this tick are registered
    for (let served = 0; served < this.reads.length; await nextTurn())
      for (; served < this.reads.length; served++)
        this.reads[served].resolve(answer(this.reads[served].cell));
  }
}

class Consumer implements ChunkConsumer {
  readonly taken: [ordinal: number, bytes: number[] | undefined][] = [];
  readonly failed: [ordinal: number, error: ChunkError][] = [];
  constructor(readonly onTake: (bytes: Uint8Array | undefined) => void = () => {}) {}

  receive(ordinal: number, bytes: Uint8Array | undefined): void {
    this.onTake(bytes);
    this.taken.push([ordinal, bytes && [...bytes]]);
  }
  done(): void {}

  fail(ordinal: number, error: ChunkError): void {
    this.failed.push([ordinal, error]);
  }
}

/** Creates a reader that never pauses, however busy the machine is. */
const readerOf = (options: ChunkReaderOptions = {}): ChunkReader =>
  new ChunkReader({ ...options, runner: neverDue() });

const cells = (...numbers: number[]): Float64Array => Float64Array.from(numbers);

describe('ChunkReader', () => {
  test('delivers every chunk to its ordinal, including chunks that are not stored', async () => {
    const source = new Source(),
      consumer = new Consumer();
    const done = readerOf().read(source, cells(5, 2 ** 40, 7), consumer);
    await source.serve((cell) => (cell === 7 ? undefined : Uint8Array.of(cell % 251)));
    expect(await done).toEqual({ requests: 3, bytes: 0, absentBy403: 0, cacheHits: 0 });
    expect(consumer.taken.sort()).toEqual([
      [0, [5]],
      [1, [2 ** 40 % 251]],
      [2, undefined],
    ]);
  });

  test('does nothing for an empty list of chunks', async () => {
    const source = new Source(),
      { signal } = new AbortController();
    expect(await readerOf().read(source, cells(), new Consumer(), signal)).toEqual({
      requests: 0,
      bytes: 0,
      absentBy403: 0,
      cacheHits: 0,
    });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(source.reads).toEqual([]);
  });

  test('reads a chunk once for all calls of one tick', async () => {
    const source = new Source(),
      reader = readerOf();
    const consumers = Array.from({ length: 10 }, () => new Consumer());
    const calls = consumers.map((consumer, k) => reader.read(source, cells(1, 2, 3 + k), consumer));
    await source.serve();
    const costs = await Promise.all(calls);
    expect(source.cells).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    consumers.forEach(({ taken }, k) =>
      expect(taken).toEqual([
        [0, [1]],
        [1, [2]],
        [2, [3 + k]],
      ]),
    );
    // The first call has the cost of a shared read.
    expect(costs.map(({ requests, cacheHits }) => [requests, cacheHits])).toEqual([
      [3, 0],
      ...Array<number[]>(9).fill([1, 2]),
    ]);
  });

  test('lets a later call join a read in flight, and reads again after it has ended', async () => {
    const source = new Source(),
      reader = readerOf(),
      consumers = [new Consumer(), new Consumer(), new Consumer()];
    const first = reader.read(source, cells(1), consumers[0]);
    await nextTurn();
    const second = reader.read(source, cells(1), consumers[1]);
    await nextTurn();
    expect(source.cells).toEqual([1]);
    source.reads[0].resolve(Uint8Array.of(9));
    await Promise.all([first, second]);
    const third = reader.read(source, cells(1), consumers[2]);
    await source.serve();
    await third;
    expect(source.cells).toEqual([1, 1]);
    expect(consumers.map(({ taken }) => taken[0])).toEqual([
      [0, [9]],
      [0, [9]],
      [0, [1]],
    ]);
  });

  test('keeps the cells of different sources apart', async () => {
    const [fine, coarse] = [new Source('fine'), new Source('coarse')],
      reader = readerOf({ lruBytes: 100 }),
      consumers = [new Consumer(), new Consumer()];
    const calls = [reader.read(fine, cells(1), consumers[0]), reader.read(coarse, cells(1), consumers[1])];
    await Promise.all([fine.serve(() => Uint8Array.of(10)), coarse.serve(() => Uint8Array.of(20))]);
    await Promise.all(calls);
    expect(consumers.map(({ taken }) => taken[0][1])).toEqual([[10], [20]]);
  });

  test('fails a chunk for all waiting calls, but not for a later call', async () => {
    const source = new Source(),
      reader = readerOf({ lruBytes: 100 }),
      consumers = [new Consumer(), new Consumer(), new Consumer()];
    const calls = [
      reader.read(source, cells(1, 2), consumers[0]),
      reader.read(source, cells(2), consumers[1]),
    ];
    await nextTurn();
    const cause = new RequestError('HTTP_STATUS', 'answered 500', 'https://bucket.example/scale/2', 500);
    source.reads[0].resolve(Uint8Array.of(1));
    source.reads[1].reject(cause);
    await Promise.all(calls);
    expect(consumers[0].taken).toEqual([[0, [1]]]);
    for (const [consumer, ordinal] of [
      [consumers[0], 1],
      [consumers[1], 0],
    ] as const) {
      const [[at, error]] = consumer.failed;
      expect(at).toBe(ordinal);
      expect(error).toMatchObject({
        code: 'CHUNK_FAILED',
        url: 'https://bucket.example/scale/2',
        message: 'chunk https://bucket.example/scale/2: answered 500',
        cause,
      });
    }
    const again = reader.read(source, cells(2), consumers[2]);
    await source.serve();
    await again;
    expect(source.cells).toEqual([1, 2, 2]);
    expect(consumers[2].taken).toEqual([[0, [2]]]);
  });

  test('keeps an unknown error as the cause, and prints none of its fields', async () => {
    const source = new Source(),
      consumer = new Consumer();
    const done = readerOf().read(source, cells(1), consumer);
    await nextTurn();
    const foreign = Object.assign(new Error('socket broke'), { headers: { authorization: 'Bearer s3cr3t' } });
    source.reads[0].reject(foreign);
    await done;
    const [[, error]] = consumer.failed,
      printed = inspect(error, { depth: 9, showHidden: true });
    expect(error.cause).toBe(foreign);
    expect(printed).toContain('socket broke');
    expect(printed).not.toContain('s3cr3t');
  });

  test('fails a chunk only for the consumer that could not process it', async () => {
    const source = new Source(),
      reader = readerOf();
    const broken = new Consumer(() => {
      throw new RangeError('no room');
    });
    const sound = new Consumer();
    const calls = [reader.read(source, cells(1), broken), reader.read(source, cells(1), sound)];
    await source.serve();
    await Promise.all(calls);
    expect(broken.failed[0][1].message).toBe('chunk https://bucket.example/scale/1: no room');
    expect(sound.taken).toEqual([[0, [1]]]);
  });

  test.each([1, 3, 32])(
    'keeps exactly %d chunks in flight over all calls, in the order of the calls',
    async (concurrency) => {
      const source = new Source(),
        reader = readerOf({ concurrency });
      const all = Array.from({ length: 100 }, (_, k) => k);
      const calls = [
        reader.read(source, cells(...all.slice(0, 60)), new Consumer()),
        reader.read(source, cells(...all.slice(40)), new Consumer()),
      ];
      for (let served = 0; served < 100; served++) {
        await nextTurn();
        expect(source.reads).toHaveLength(Math.min(served + concurrency, 100));
        source.reads[served].resolve(undefined);
      }
      await Promise.all(calls);
      expect(source.cells).toEqual(all);
    },
  );

  test('defaults to 32 reads in flight and no cache', async () => {
    const source = new Source(),
      reader = readerOf();
    const done = reader.read(source, cells(...Array(40).keys()), new Consumer());
    await nextTurn();
    expect(source.reads).toHaveLength(32);
    await source.serve();
    await done;
    const again = reader.read(source, cells(0), new Consumer());
    await source.serve();
    expect((await again).cacheHits).toBe(0);
  });

  test('leaves nothing of a call whose reads could not be planned', async () => {
    const source = new Source(),
      reader = readerOf(),
      consumer = new Consumer(),
      { signal } = new AbortController();
    const plan = jest.spyOn(source, 'plan').mockImplementationOnce(() => {
      throw new RangeError('no room');
    });
    await expect(reader.read(source, cells(1, 2), new Consumer(), signal)).rejects.toThrow('no room');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const again = reader.read(source, cells(2), consumer);
    await source.serve();
    await again;
    expect(consumer.taken).toEqual([[0, [2]]]);
    plan.mockRestore();
  });

  test('reads 20,000 chunks, twice', async () => {
    const source: ChunkSource = {
      id: 's',
      urlOf: String,
      plan: (cells) =>
        cells.map((cell) => ({
          cells: [cell],
          run: ({ deliver }) =>
            deliver(cell, { bytes: Uint8Array.of(cell & 255), contentEncoding: undefined, maxBytes: 1 }),
        })),
    };
    const reader = readerOf({ concurrency: 8 });
    for (let again = 0; again < 2; again++) {
      let right = 0;
      const consumer = {
        receive: (ordinal: number, bytes?: Uint8Array) => void (bytes?.[0] === (ordinal & 255) && right++),
        done: () => undefined,
        fail: jest.fn(),
      };
      await reader.read(
        source,
        Float64Array.from({ length: 20_000 }, (_, k) => k),
        consumer,
      );
      expect(right).toBe(20_000);
    }
  });
});

describe('the cache of a ChunkReader', () => {
  /** Reads one chunk. Returns whether the source was read. */
  async function readsSource(
    reader: ChunkReader,
    source: Source,
    cell: number,
    answer?: (cell: number) => Uint8Array | undefined,
    consumer = new Consumer(),
  ): Promise<boolean> {
    const before = source.reads.length;
    const done = reader.read(source, cells(cell), consumer);
    await nextTurn();
    const wasRead = source.reads.length > before;
    if (wasRead) source.reads[before].resolve((answer ?? (() => new Uint8Array(40).fill(cell)))(cell));
    const { cacheHits } = await done;
    expect(cacheHits).toBe(wasRead ? 0 : 1);
    return wasRead;
  }

  test('has a limit in bytes and drops the chunk that was used least recently', async () => {
    const source = new Source(),
      reader = readerOf({ lruBytes: 100 });
    expect(await readsSource(reader, source, 1)).toBe(true);
    expect(await readsSource(reader, source, 2)).toBe(true);
    expect(await readsSource(reader, source, 1)).toBe(false);
    expect(await readsSource(reader, source, 3)).toBe(true); // 120 bytes: drops chunk 2
    expect(await readsSource(reader, source, 1)).toBe(false);
    expect(await readsSource(reader, source, 2)).toBe(true);
  });

  test('does not keep a chunk that is larger than the cache, and drops no other for it', async () => {
    const source = new Source(),
      reader = readerOf({ lruBytes: 100 });
    await readsSource(reader, source, 1);
    const large = (): Uint8Array => new Uint8Array(101);
    expect(await readsSource(reader, source, 2, large)).toBe(true);
    expect(await readsSource(reader, source, 2, large)).toBe(true);
    expect(await readsSource(reader, source, 1)).toBe(false);
  });

  test('keeps empty chunks, but not missing chunks', async () => {
    const source = new Source(),
      reader = readerOf({ lruBytes: 100 });
    expect(await readsSource(reader, source, 1, () => new Uint8Array(0))).toBe(true);
    expect(await readsSource(reader, source, 1)).toBe(false);
    expect(await readsSource(reader, source, 2, () => undefined)).toBe(true);
    expect(await readsSource(reader, source, 2, () => undefined)).toBe(true);
  });

  test('does not keep a chunk that no consumer could decode', async () => {
    const source = new Source(),
      reader = readerOf({ lruBytes: 100 });
    const broken = new Consumer(() => {
      throw new Error('cut');
    });
    expect(await readsSource(reader, source, 1, undefined, broken)).toBe(true);
    expect(await readsSource(reader, source, 1)).toBe(true);
    expect(await readsSource(reader, source, 1)).toBe(false);
  });
});

describe('an abort of a ChunkReader call', () => {
  const reason = new Error('enough');

  test('that came before the call rejects before anything is read', async () => {
    const source = new Source(),
      consumer = new Consumer();
    await expect(readerOf().read(source, cells(1), consumer, AbortSignal.abort(reason))).rejects.toBe(reason);
    await nextTurn();
    expect(source.reads).toEqual([]);
  });

  test('does not affect other callers and their shared reads', async () => {
    const source = new Source(),
      reader = readerOf(),
      abort = new AbortController(),
      consumers = [new Consumer(), new Consumer()];
    const calls = [
      reader.read(source, cells(1, 2), consumers[0], abort.signal),
      reader.read(source, cells(2, 3), consumers[1]),
    ];
    await nextTurn();
    abort.abort(reason);
    await expect(calls[0]).rejects.toBe(reason);
    expect(source.reads.map(({ cell, signal }) => [cell, signal.aborted])).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ]);
    await source.serve();
    await calls[1];
    expect(consumers[1].taken).toEqual([
      [0, [2]],
      [1, [3]],
    ]);
    expect(consumers[0]).toMatchObject({ taken: [], failed: [] });
  });

  test('cancels a read when its last caller ends, and skips queued chunks', async () => {
    const source = new Source(),
      reader = readerOf({ concurrency: 1 });
    const aborts = [new AbortController(), new AbortController()];
    const calls = aborts.map(({ signal }) => reader.read(source, cells(1, 2, 3), new Consumer(), signal));
    const other = reader.read(source, cells(4), new Consumer());
    await nextTurn();
    aborts[0].abort(reason);
    expect(source.reads[0].signal.aborted).toBe(false);
    aborts[1].abort(reason);
    expect(source.reads[0].signal.aborted).toBe(true);
    await Promise.allSettled(calls);
    await source.serve();
    await other;
    expect(source.cells).toEqual([1, 4]);
  });

  test('does not affect a later call for the same chunk, even if the cancelled read has not ended', async () => {
    const source = new Source(),
      reader = readerOf(),
      abort = new AbortController(),
      consumer = new Consumer();
    const gone = reader.read(source, cells(1), new Consumer(), abort.signal);
    await nextTurn();
    abort.abort(reason);
    const later = reader.read(source, cells(1), consumer); // same turn: the promise has not rejected yet
    await expect(gone).rejects.toBe(reason);
    await source.serve();
    await later;
    expect(source.cells).toEqual([1, 1]);
    expect(consumer).toMatchObject({ taken: [[0, [1]]], failed: [] });
  });

  test('during the delivery of cached chunks stops the registration of more', async () => {
    const source = new Source(),
      reader = readerOf({ lruBytes: 100 }),
      abort = new AbortController();
    const warm = reader.read(source, cells(1), new Consumer());
    await source.serve();
    await warm;
    const impatient = new Consumer(() => abort.abort(reason));
    await expect(reader.read(source, cells(1, 2, 3), impatient, abort.signal)).rejects.toBe(reason);
    await nextTurn();
    expect(source.cells).toEqual([1]);
    expect(impatient).toMatchObject({ taken: [[0, [1]]], failed: [] });
  });

  test('by a call that joined during the delivery does not affect the calls that receive the bytes', async () => {
    const source: ChunkSource = {
      id: 's',
      urlOf: () => 'mem://s/1',
      plan: (cells) =>
        cells.map((cell) => ({
          cells: [cell],
          run: ({ deliver }) =>
            deliver(cell, {
              bytes: gzipSync(new Uint8Array(2 ** 20)),
              contentEncoding: 'gzip',
              maxBytes: 2 ** 20,
              exactBytes: 2 ** 20,
            }),
        })),
    };
    const reader = readerOf(),
      abort = new AbortController(),
      patient = new Consumer();
    const stays = reader.read(source, cells(1), patient);
    await nextTurn(); // the thread pool is inflating the bytes
    const leaves = reader.read(source, cells(1), new Consumer(), abort.signal);
    abort.abort(reason);
    await expect(leaves).rejects.toBe(reason);
    await stays;
    expect(patient.failed).toEqual([]);
    expect(patient.taken[0][1]).toHaveLength(2 ** 20);
  });

  test('by one consumer during the delivery of a shared chunk does not affect the other consumers', async () => {
    const source = new Source(),
      reader = readerOf(),
      abort = new AbortController();
    const impatient = new Consumer(() => abort.abort(reason)),
      patient = new Consumer();
    const calls = Promise.allSettled([
      reader.read(source, cells(1, 2), impatient, abort.signal),
      reader.read(source, cells(1), patient),
    ]);
    await nextTurn();
    source.reads[0].resolve(Uint8Array.of(1));
    expect(await calls).toMatchObject([{ status: 'rejected', reason }, { status: 'fulfilled' }]);
    expect(patient.taken).toEqual([[0, [1]]]);
    expect(source.reads[1].signal.aborted).toBe(true);
  });

  test.each([
    ['answered', false],
    ['aborted', true],
  ])('leaves no listener on the signal of a call that was %s', async (_end, aborts) => {
    const source = new Source(),
      reader = readerOf(),
      abort = new AbortController();
    const calls = [1, 2, 3].map((cell) => reader.read(source, cells(cell, 9), new Consumer(), abort.signal));
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(3);
    if (aborts) abort.abort(reason);
    else await source.serve();
    await Promise.allSettled(calls);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });
});

describe('tasks of several cells', () => {
  const stored = (cell: number): StoredChunk => ({
    bytes: Uint8Array.of(cell),
    contentEncoding: undefined,
    maxBytes: 1,
  });
  const sourceOf = (plan: ChunkSource['plan']): ChunkSource => ({
    id: 's',
    urlOf: (cell) => `mem://s/${cell}`,
    plan,
  });

  test('deliver each cell, fail one alone, and pass the rest to follow-up tasks', async () => {
    const planned: number[][] = [];
    const source = sourceOf((cells) => {
      planned.push([...cells]);
      return [
        {
          cells,
          run: async ({ deliver, fail }) => {
            await deliver(1, stored(1));
            fail(2, new RequestError('IO', 'cannot', 'mem://s/2'));
            return [
              {
                cells: [3, 4],
                run: async (context) =>
                  void (await Promise.all([context.deliver(3, undefined), context.deliver(4, stored(4))])),
              },
            ];
          },
        },
      ];
    });
    const consumer = new Consumer();
    await readerOf().read(source, cells(1, 2, 3, 4), consumer);
    expect(planned).toEqual([[1, 2, 3, 4]]);
    expect(consumer.taken.sort()).toEqual([
      [0, [1]],
      [2, undefined],
      [3, [4]],
    ]);
    expect(consumer.failed.map(([ordinal, { cause }]) => [ordinal, cause])).toEqual([
      [1, expect.objectContaining({ code: 'IO' })],
    ]);
  });

  test('fail the cells that they forget, and the remaining cells when they throw', async () => {
    const forgetful = sourceOf((cells) => [{ cells, run: ({ deliver }) => deliver(1, stored(1)) }]);
    const throwing = sourceOf((cells) => [
      {
        cells,
        run: async ({ deliver }) => (
          await deliver(1, stored(1)),
          Promise.reject(new RequestError('IO', 'cannot', 'u'))
        ),
      },
    ]);
    for (const source of [forgetful, throwing]) {
      const consumer = new Consumer();
      await readerOf().read(source, cells(1, 2), consumer);
      expect(consumer.taken).toEqual([[0, [1]]]);
      expect(consumer.failed.map(([ordinal]) => ordinal)).toEqual([1]);
    }
  });

  test('are cancelled when no call wants any of their cells', async () => {
    const signals: AbortSignal[] = [];
    const source = sourceOf((cells) => [
      {
        cells,
        run: ({ signal }) => (
          signals.push(signal),
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
        ),
      },
    ]);
    const reader = readerOf(),
      [one, two] = [new AbortController(), new AbortController()];
    const calls = [
      reader.read(source, cells(1, 2), new Consumer(), one.signal),
      reader.read(source, cells(2), new Consumer(), two.signal),
    ];
    await nextTurn();
    one.abort(new Error('one'));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    two.abort(new Error('two'));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await expect(calls[0]).rejects.toThrow('one');
    await expect(calls[1]).rejects.toThrow('two');
  });
});

describe('large chunks with values at known offsets', () => {
  const bytes = new Uint8Array(2 ** 24 + 2 ** 20).map((_, at) => at % 251),
    gzipped = gzipSync(bytes, { level: 1 });
  const sourceOf = (chunk: Partial<StoredChunk>): ChunkSource => ({
    id: 's',
    urlOf: () => 'mem://s/0',
    plan: (cells) => [
      {
        cells,
        run: ({ deliver }) =>
          deliver(0, {
            bytes: gzipped,
            contentEncoding: 'gzip',
            maxBytes: bytes.length,
            exactBytes: bytes.length,
            ...chunk,
          }),
      },
    ],
  });
  class WindowConsumer extends Consumer {
    seen = 0;
    right = true;
    shown: Uint8Array | undefined;
    sizes: number[] = [];
    windowReader() {
      return (window: Uint8Array, at: number): void => {
        this.right &&= at === this.seen && window.every((byte, k) => byte === (at + k) % 251);
        this.seen += window.byteLength;
      };
    }
    override receive(_ordinal: number, whole: Uint8Array | undefined): void {
      this.right &&= whole!.every((byte, k) => byte === k % 251);
      this.sizes.push((this.shown = whole!).byteLength);
    }
  }

  test('are delivered in windows to all waiting calls, and never held whole', async () => {
    const reader = readerOf(),
      consumers = [new WindowConsumer(), new WindowConsumer()];
    await Promise.all(consumers.map((consumer) => reader.read(sourceOf({}), cells(0), consumer)));
    for (const { seen, right, sizes } of consumers)
      expect([seen, right, sizes]).toEqual([bytes.length, true, []]);
  });

  test('fail only for the call whose window reader throws', async () => {
    const reader = readerOf(),
      good = new WindowConsumer(),
      bad = new WindowConsumer(),
      broken = new RangeError('mine');
    bad.windowReader = () => () => {
      throw broken;
    };
    await Promise.all([bad, good].map((consumer) => reader.read(sourceOf({}), cells(0), consumer)));
    expect([good.seen, good.failed]).toEqual([bytes.length, []]);
    expect(bad.failed).toHaveLength(1);
  });

  const size = 3 * 2 ** 20;
  test.each([
    { name: 'they are cached', options: { lruBytes: 1e8 }, chunk: {}, givenBack: false },
    {
      name: 'they have some megabytes',
      options: {},
      chunk: { bytes: gzipSync(bytes.subarray(0, size)), exactBytes: size },
      givenBack: true,
    },
    {
      name: 'they are small',
      options: {},
      chunk: { bytes: gzipSync(bytes.subarray(0, 1000)), exactBytes: 1000 },
      givenBack: false,
    },
    {
      name: 'they are stored without compression',
      options: {},
      chunk: { bytes: bytes.slice(), contentEncoding: undefined },
      givenBack: false,
    },
  ])('are delivered whole if $name; memory freed: $givenBack', async ({ options, chunk, givenBack }) => {
    const consumer = new WindowConsumer(),
      expected = chunk.exactBytes ?? bytes.length;
    await readerOf(options).read(sourceOf(chunk), cells(0), consumer);
    await nextTurn();
    expect([consumer.seen, consumer.sizes, consumer.right, consumer.shown!.byteLength]).toEqual([
      0,
      [expected],
      true,
      givenBack ? 0 : expected,
    ]);
  });

  test('are delivered whole to two calls, one of which fails, before their memory is freed', async () => {
    const reader = readerOf(),
      good = new WindowConsumer(),
      bad = new WindowConsumer();
    bad.receive = () => {
      throw new RangeError('mine');
    };
    const source = sourceOf({ bytes: gzipSync(bytes.subarray(0, size)), exactBytes: size });
    await Promise.all([bad, good].map((consumer) => reader.read(source, cells(0), consumer)));
    expect([good.sizes, good.right, bad.failed.length]).toEqual([[size], true, 1]);
  });

  test('are delivered whole if they are shorter than their size', async () => {
    const consumer = new WindowConsumer();
    await readerOf().read(sourceOf({ bytes: gzipSync(bytes.subarray(0, 2 ** 21)) }), cells(0), consumer);
    expect([consumer.sizes, consumer.right]).toEqual([[2 ** 21], true]);
  });

  test('are found inside a second gzip layer that no header names', async () => {
    const consumer = new WindowConsumer();
    await readerOf().read(sourceOf({ bytes: gzipSync(gzipped) }), cells(0), consumer);
    expect(consumer.sizes).toEqual([bytes.length]);
  });

  test.each([
    {
      name: 'longer than their size',
      chunk: { bytes: gzipSync(new Uint8Array(bytes.length + 2 ** 20)) },
      code: 'TOO_LARGE',
    },
    { name: 'cut', chunk: { bytes: gzipped.subarray(0, 500) }, code: 'TRUNCATED' },
    { name: 'not compressed', chunk: { bytes: bytes.subarray(0, 5000) }, code: 'BAD_BITSTREAM' },
  ])('fail if they are $name', async ({ chunk, code }) => {
    const consumer = new WindowConsumer();
    await readerOf().read(sourceOf(chunk), cells(0), consumer);
    expect(consumer.failed.map(([, { cause }]) => cause)).toEqual([
      expect.objectContaining({ name: 'DecodeError', code }),
    ]);
  });
});
