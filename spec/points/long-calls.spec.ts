/** Calls with many points: the event loop keeps running, and a deadline or an abort ends the call. */
import { describe, expect, test } from '@jest/globals';
import { DeadlineError } from '../../lib/base/errors.ts';
import { CooperativeRunner } from '../../lib/base/cooperative-work.ts';
import { createErrorLookup, PointReader } from '../../lib/points/point-reader.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { parseInfo } from '../../lib/precomputed/volume-info.ts';
import { StubStore } from '../support/stub-store.ts';

const { ok, background, outOfBounds, failed } = PointStatus;
const SIZE = 16,
  CHUNK = 8,
  COUNT = 60_000;

/** Returns the label of a voxel: 0 where x is 3. */
const labelOf = (x: number, y: number, z: number): bigint =>
  x === 3 ? 0n : BigInt(x + 100 * y + 10_000 * z) + 2n ** 40n;

/**
 * A volume with a wide gap where two chunks meet. The nearest label is within 2, but the other chunk might
 * hold a nearer one.
 */
const withGap = (x: number, y: number, z: number): bigint => (x >= 6 && x <= 9 ? 0n : labelOf(x + 4, y, z));

const store = (labelAt = labelOf): StubStore =>
  new StubStore((key) => {
    const [x0, , y0, , z0] = key.split('/')[1].split(/[-_]/).map(Number);
    const labels = BigUint64Array.from({ length: CHUNK ** 3 }, (_, k) =>
      labelAt(x0 + (k % CHUNK), y0 + (Math.floor(k / CHUNK) % CHUNK), z0 + Math.floor(k / CHUNK ** 2)),
    );
    return new Uint8Array(labels.buffer);
  });

const points = Float64Array.from(
  { length: 3 * COUNT },
  (_, k) => (Math.floor(k / 3) * [7, 11, 13][k % 3]) % (SIZE + (k % 3 === 0 ? 1 : 0)),
);

/**
 * A runner whose clock moves 4 milliseconds at each reading. `onTurn` is called at each turn of the event
 * loop.
 */
function read({
  onTurn = () => undefined,
  signal,
  lruBytes = 0,
  snapNm,
}: { onTurn?: (turn: number) => void; signal?: AbortSignal; lruBytes?: number; snapNm?: number } = {}) {
  let now = 0,
    began = 0,
    turns = 0;
  const held: number[] = [];
  const runner = new CooperativeRunner({
    now: () => (now += 4),
    afterLoopTurn: (act) =>
      setImmediate(() => {
        held.push(now - began);
        began = now;
        onTurn(++turns);
        act();
      }),
  });
  const info = parseInfo(
    {
      type: 'segmentation',
      data_type: 'uint64',
      num_channels: 1,
      scales: [
        {
          key: 's',
          resolution: [1, 1, 1],
          size: [SIZE, SIZE, SIZE],
          chunk_sizes: [[CHUNK, CHUNK, CHUNK]],
          encoding: 'raw',
        },
      ],
    },
    'mem://v',
  );
  const reader = new PointReader({
    info,
    store: store(snapNm ? withGap : labelOf),
    infoWasRead: true,
    lruBytes,
    runner,
  });
  return { held, readAll: () => reader.read(points, { mip: 0, signal, snapNm }) };
}

/** Expected status and label of each point, by the definition. */
function expected(i: number): [number, bigint] {
  const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
  if (x === SIZE) return [outOfBounds, 0n];
  const label = labelOf(x, y, z);
  return [label === 0n ? background : ok, label];
}

/** The same with snap. */
function expectedSnapped(i: number): [number, bigint] {
  const [x, y, z] = points.subarray(3 * i, 3 * i + 3);
  if (x === SIZE) return [outOfBounds, 0n];
  return [ok, withGap(x < 6 || x > 9 ? x : x < 8 ? 5 : 10, y, z)];
}

describe('a call with many points', () => {
  test.each([
    ['read', 0],
    ['in the LRU', 1e6],
  ])('lets the event loop run every few milliseconds, chunks %s', async (_, lruBytes) => {
    const { held, readAll } = read({ lruBytes });
    for (let again = 0; again < 2; again++) {
      const { values, status } = await readAll();
      for (let i = 0; i < COUNT; i++)
        if (status[i] !== expected(i)[0] || values[i] !== expected(i)[1])
          throw new Error(`point ${i}: ${status[i]} ${values[i]}`);
    }
    expect(held.length).toBeGreaterThan(12);
    // All chunks arrive in one turn, and each reads the clock.
    expect(Math.max(...held)).toBeLessThanOrEqual(20 + 4 * (SIZE / CHUNK) ** 3);
  });

  test('gives each point an answer or an error, whenever its deadline comes', async () => {
    for (let at = 1; at < 13; at++) {
      const controller = new AbortController(),
        abort = (turn: number): void => (turn === at ? controller.abort(new DeadlineError(100)) : undefined);
      const { readAll } = read({ signal: controller.signal, onTurn: abort });
      const { values, status, failures } = await readAll();
      const errorOf = createErrorLookup(failures, status);
      for (let i = 0; i < COUNT; i++) {
        const [code, label] = status[i] === failed ? [failed, 0n] : expected(i);
        const hasReason = (status[i] === failed) === errorOf(i)?.cause instanceof DeadlineError;
        if (status[i] !== code || values[i] !== label || !hasReason)
          throw new Error(`turn ${at}, point ${i}: ${status[i]} ${values[i]} ${hasReason}`);
      }
    }
  });

  test('lets the event loop run while points snap, and gives each an answer or an error at any deadline', async () => {
    let last = 0;
    const { held, readAll } = read({ snapNm: 2, onTurn: (turn) => void (last = turn) });
    const whole = await readAll();
    for (let i = 0; i < COUNT; i++)
      if (whole.status[i] !== expectedSnapped(i)[0] || whole.values[i] !== expectedSnapped(i)[1])
        throw new Error(`point ${i}: ${whole.status[i]} ${whole.values[i]}`);
    expect(Math.max(...held)).toBeLessThanOrEqual(20 + 4 * (SIZE / CHUNK) ** 3);
    const turns = last;
    let late = 0;
    for (let at = 1; at < turns; at += Math.ceil(turns / 20)) {
      const controller = new AbortController(),
        abort = (turn: number): void => {
          last = turn;
          if (turn === at) controller.abort(new DeadlineError(100));
        };
      const { readAll } = read({ snapNm: 2, signal: controller.signal, onTurn: abort });
      const { values, status, failures, snapped } = await readAll();
      expect(snapped!.nm).toHaveLength(COUNT);
      const errorOf = createErrorLookup(failures, status);
      for (let i = 0; i < COUNT; i++) {
        const [code, label] = status[i] === failed ? [failed, 0n] : expectedSnapped(i);
        if (Number.isNaN(snapped!.nm[i]) !== (code !== ok))
          throw new Error(`turn ${at}, point ${i}: ${code}, at ${snapped!.nm[i]} nm`);
        const hasReason = (status[i] === failed) === errorOf(i)?.cause instanceof DeadlineError;
        if (status[i] !== code || values[i] !== label || !hasReason)
          throw new Error(`turn ${at}, point ${i}: ${status[i]} ${values[i]} ${hasReason}`);
        if (status[i] === failed) late++;
      }
    }
    expect(late).toBeGreaterThan(COUNT);
  });

  test('rejects with the reason of an abort, whenever it comes', async () => {
    for (let at = 1; at < 6; at++) {
      const controller = new AbortController(),
        reason = new Error('enough');
      const { readAll } = read({
        signal: controller.signal,
        onTurn: (turn) => (turn === at ? controller.abort(reason) : undefined),
      });
      await expect(readAll()).rejects.toBe(reason);
    }
  });
});
