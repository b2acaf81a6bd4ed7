/** Calls for very many chunks: the event loop continues while they are planned, and when they are aborted. */
import { describe, expect, test } from '@jest/globals';
import { CooperativeRunner } from '../../lib/base/cooperative-work.ts';
import { ChunkReader } from '../../lib/chunks/chunk-reader.ts';
import type { ChunkSource, ReadTask } from '../../lib/chunks/chunk-source.ts';
import { ShardIndexCache } from '../../lib/chunks/shard-indices.ts';
import { ShardedSource } from '../../lib/chunks/sharded-source.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { cellSize } from '../../lib/precomputed/grid.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';
import { newMeter } from '../../lib/storage/store.ts';
import { alwaysDue, neverDue } from '../support/runners.ts';
import { nextTurn, StubStore } from '../support/stub-store.ts';

describe('a plan of sharded chunks', () => {
  const scale: Scale = {
    mip: 0,
    key: 's',
    resolution: [1, 1, 1],
    size: [64 * 8, 64 * 8, 16 * 8],
    voxelOffset: [0, 0, 0],
    chunkSize: [8, 8, 8],
    encoding: 'raw',
  };
  const sourceOf = (shardBits: number): ShardedSource =>
    new ShardedSource({
      runner: alwaysDue(),
      store: new StubStore(() => undefined),
      scale,
      codec: rawCodec,
      layoutOf: (cell) => ({ chunkSize: cellSize(scale, cell), channels: 1, dataType: 'uint8' }),
      infoWasRead: true,
      sharding: {
        hash: 'murmurhash3_x86_128',
        preshiftBits: 3,
        minishardBits: 2,
        shardBits,
        minishardIndexEncoding: 'raw',
        dataEncoding: 'raw',
      },
      indices: new ShardIndexCache(),
    });
  const source = sourceOf(5);
  const cellsTo = (count: number): number[] => [...Array(count).keys()];

  /** Returns the tasks of a plan, and how many pauses it offered. */
  function planned(count: number): { tasks: readonly ReadTask[]; pauses: number } {
    const plan = source.plan(cellsTo(count));
    if (!('next' in plan)) return { tasks: plan, pauses: 0 };
    for (let pauses = 0; ; pauses++) {
      const step = plan.next();
      if (step.done) return { tasks: step.value, pauses };
    }
  }

  test('for 2^14 cells is made at once, so that calls of one tick share reads', () =>
    expect(planned(2 ** 14).pauses).toBe(0));

  test('for more cells may pause every 2^11 cells', () => expect(planned(50_000).pauses).toBe(24));

  test.each([2 ** 14, 50_000])('for %d cells has one task per shard', (count) => {
    const { tasks } = planned(count);
    expect(tasks.flatMap(({ cells }) => cells).sort((a, b) => a - b)).toEqual(cellsTo(count));
    const shards = tasks.map(({ cells }) => new Set(cells.map((cell) => source.objectKeyOf(cell))));
    expect(shards.every(({ size }) => size === 1)).toBe(true);
    expect(new Set(shards.flatMap((names) => [...names])).size).toBe(tasks.length);
  });

  test('lets the event loop continue while the chunks of one shard are located', async () => {
    const [task] = sourceOf(0).plan(cellsTo(10_000)) as readonly ReadTask[];
    let delivered = 0,
      turns = 0,
      isDone = false;
    const countTurns = (): void => void (isDone || setImmediate(() => (turns++, countTurns())));
    const reading = task.run({
      signal: new AbortController().signal,
      meter: newMeter(),
      wanted: new Map(),
      deliver: () => Promise.resolve(void delivered++),
      deliverParts: () => undefined,
      fail: (_cell, error) => {
        throw error;
      },
    });
    countTurns();
    await reading;
    isDone = true;
    expect([task.cells.length, delivered]).toEqual([10_000, 10_000]);
    expect(turns).toBeGreaterThan(3);
  });
});

describe('a call for very many chunks that is aborted', () => {
  /** Each reading of the clock advances it by 4 ms, so that every second possible pause is due. */
  function slowRunner(): { runner: CooperativeRunner; turns: () => number } {
    let now = 0,
      turns = 0;
    const runner = new CooperativeRunner({
      now: () => (now += 4),
      afterLoopTurn: (act) => setImmediate(() => (turns++, act())),
    });
    return { runner, turns: () => turns };
  }
  const CHUNKS = 50_000;
  const cells = Float64Array.from({ length: CHUNKS }, (_, k) => k);

  /** A source that does not answer until `answers` is set. */
  class Silent implements ChunkSource {
    readonly id = 's';
    answers = false;
    readonly readCells: number[] = [];
    readonly urlOf = String;
    plan = (cells: readonly number[]): ReadTask[] =>
      cells.map((cell) => ({
        cells: [cell],
        run: async ({ signal, deliver }) => {
          this.readCells.push(cell);
          if (!this.answers)
            await new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason as Error)),
            );
          await deliver(cell, undefined);
        },
      }));
  }
  const consumerOf = (seen: number[] = []) => ({
    receive: () => undefined,
    done: (ordinal: number) => void seen.push(ordinal),
    fail: () => undefined,
  });

  test('rejects at once, forgets its chunks with pauses, and reads none of them', async () => {
    const { runner, turns } = slowRunner(),
      source = new Silent(),
      reader = new ChunkReader({ concurrency: 4, runner }),
      leaving = new AbortController();
    const left = reader.read(source, cells, consumerOf(), leaving.signal);
    while (source.readCells.length < 4) await nextTurn();
    for (let turn = 0; turn < 200; turn++) await nextTurn(); // until all chunks are registered
    const before = turns();
    source.answers = true;
    leaving.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    expect(turns() - before).toBeLessThan(2);
    for (let turn = 0; turn < 200; turn++) await nextTurn();
    expect(turns() - before).toBeGreaterThan(CHUNKS / 512 / 3);
    expect(source.readCells).toEqual([0, 1, 2, 3]);
  });

  test('does not keep another call of the same turn from its chunks', async () => {
    const source = new Silent(),
      reader = new ChunkReader({ concurrency: 4, runner: slowRunner().runner }),
      leaving = new AbortController(),
      seen: number[] = [];
    const left = reader.read(source, cells, consumerOf(), leaving.signal);
    for (let turn = 0; turn < 400; turn++) await nextTurn();
    source.answers = true;
    left.catch(() => undefined); // asserted below
    leaving.abort(new Error('enough'));
    const { cacheHits } = await reader.read(source, Float64Array.of(2, 40_000, 49_999), consumerOf(seen));
    await expect(left).rejects.toThrow('enough');
    expect([seen.sort(), cacheHits]).toEqual([[0, 1, 2], 0]);
    expect(source.readCells).toEqual([0, 1, 2, 3, 2, 40_000, 49_999]);
  });

  test('does not affect the chunks that it shares with other calls', async () => {
    const source = new Silent(),
      reader = new ChunkReader({ concurrency: 4, runner: neverDue() }),
      leaving = new AbortController(),
      seen: number[] = [];
    const left = reader.read(source, cells, consumerOf(), leaving.signal),
      stays = reader.read(source, Float64Array.of(7, 49_999), consumerOf(seen));
    await nextTurn();
    source.answers = true;
    leaving.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    await stays;
    expect(seen.sort()).toEqual([0, 1]);
    expect(source.readCells).toEqual([0, 1, 2, 3, 7, 49_999]);
  });
});
