import { describe, expect, jest, test } from '@jest/globals';
import { DeadlineError, DecodeError, RequestError } from '../../lib/base/errors.ts';
import { ChunkReader } from '../../lib/chunks/chunk-reader.ts';
import type { ChunkSource, StoredChunk } from '../../lib/chunks/chunk-source.ts';
import type { ChunkLayout, Codec } from '../../lib/codecs/codec.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { wordsView } from '../../lib/precomputed/data-type.ts';
import type { PointPlan } from '../../lib/points/plan.ts';
import { readPoints } from '../../lib/points/read-points.ts';
import { PointStatus } from '../../lib/points/status.ts';
import { alwaysDue } from '../support/runners.ts';
import { nextTurn } from '../support/stub-store.ts';

const { unset, ok, outOfBounds, missingChunk, failed } = PointStatus;

/**
 * Chunks of 2 x 1 x 1 voxels, two channels of uint16. Cell 3 is not stored, cell 4 cannot be read, cell 5 is
 * truncated.
 */
const layoutOf = (): ChunkLayout => ({ chunkSize: [2, 1, 1], channels: 2, dataType: 'uint16' });
function stored(cell: number): StoredChunk | undefined {
  if (cell === 3) return undefined;
  if (cell === 4) throw new RequestError('HTTP_STATUS', 'answered 500', 'mem://s/4', 500);
  const bytes = new Uint8Array(Uint16Array.of(10 * cell, 10 * cell + 1, 100 * cell, 100 * cell + 1).buffer);
  return { bytes: cell === 5 ? bytes.subarray(1) : bytes, contentEncoding: undefined, maxBytes: 8 };
}
const source: ChunkSource = {
  id: 's',
  urlOf: (cell) => `mem://s/${cell}`,
  plan: (cells) =>
    cells.map((cell) => ({ cells: [cell], run: ({ deliver }) => deliver(cell, stored(cell)) })),
};

/**
 * Points 0 and 6 are in cell 7, points 2 and 3 in cell 3, point 1 in cell 4, points 4 and 5 in cell 5, point
 * 7 in none.
 */
const plan: PointPlan = {
  cells: Float64Array.of(7, 3, 4, 5),
  starts: Uint32Array.of(0, 2, 4, 5, 7),
  order: Uint32Array.of(0, 6, 2, 3, 1, 4, 5),
  offsets: Uint32Array.of(1, 0, 0, 1, 1, 0, 1),
};

function ask(
  part: {
    codec?: Codec;
    onProgress?: (progress: { chunks: number; chunksDone: number }) => unknown;
    signal?: AbortSignal;
  } = {},
) {
  const values = new Uint16Array(16).fill(0),
    status = new Uint8Array(8).fill(failed);
  status[7] = outOfBounds;
  const done = readPoints(new ChunkReader(), {
    plan,
    source,
    codec: rawCodec,
    layoutOf,
    out: wordsView(values),
    status,
    ...part,
  });
  return { values, status, done };
}

describe('readPoints', () => {
  test('writes every channel of every point, and a status for each planned point', async () => {
    const { values, status, done } = ask();
    const { failures } = await done;
    expect([...values]).toEqual([71, 701, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 70, 700, 0, 0]);
    expect([...status]).toEqual([ok, failed, missingChunk, missingChunk, failed, failed, ok, outOfBounds]);
    expect(status).not.toContain(unset);
    expect(failures.map(({ error, points }) => [error.code, error.url, [...points!]]).sort()).toEqual([
      ['CHUNK_FAILED', 'mem://s/4', [1]],
      ['CHUNK_FAILED', 'mem://s/5', [4, 5]],
    ]);
    const causes = Object.fromEntries(failures.map(({ error }) => [error.url, error.cause]));
    expect(causes['mem://s/4']).toMatchObject({ code: 'HTTP_STATUS', status: 500 });
    expect(causes['mem://s/5']).toMatchObject({ code: 'WRONG_SIZE' });
  });

  test('leaves zeros when a deadline comes between decoding a chunk and accepting its points', async () => {
    const count = 60_000,
      outcomes = new Set<number>();
    for (let turn = 1; turn <= 6; turn++) {
      const values = new Uint16Array(2 * count),
        status = new Uint8Array(count).fill(failed),
        deadline = new AbortController();
      const done = readPoints(new ChunkReader({ runner: alwaysDue() }), {
        plan: {
          cells: Float64Array.of(7),
          starts: Uint32Array.of(0, count),
          order: Uint32Array.from({ length: count }, (_, k) => k),
          offsets: new Uint32Array(count),
        },
        source,
        codec: { ...rawCodec, isPointwise: false },
        layoutOf,
        out: wordsView(values),
        status,
        signal: deadline.signal,
      });
      for (let k = 0; k < turn; k++) await nextTurn();
      deadline.abort(new DeadlineError(100));
      await done;
      for (const code of status) outcomes.add(code);
      expect(status.findIndex((code, k) => values[2 * k] !== (code === ok ? 70 : 0))).toBe(-1);
    }
    expect([...outcomes].sort()).toEqual([ok, failed].sort());
  });

  test('leaves zeros when a deadline comes while a decoder pauses', async () => {
    const outcomes = new Set<string>();
    for (let turn = 1; turn <= 6; turn++) {
      const values = new Uint16Array(4),
        status = new Uint8Array(2).fill(failed),
        deadline = new AbortController();
      const pausing: Codec = {
        ...rawCodec,
        *decodePoints(bytes, layout, offsets, ...to) {
          for (let k = 0; k < offsets.length; k++) {
            yield;
            rawCodec.decodePoints(bytes, layout, offsets.subarray(0, k + 1), ...to);
          }
        },
      };
      const done = readPoints(new ChunkReader({ runner: alwaysDue() }), {
        plan: {
          cells: Float64Array.of(7),
          starts: Uint32Array.of(0, 2),
          order: Uint32Array.of(0, 1),
          offsets: Uint32Array.of(0, 1),
        },
        source,
        codec: { ...pausing, isPointwise: false },
        layoutOf,
        out: wordsView(values),
        status,
        signal: deadline.signal,
      });
      for (let k = 0; k < turn; k++) await nextTurn();
      deadline.abort(new DeadlineError(100));
      await done;
      outcomes.add(`${status.join()}: ${values.join()}`);
    }
    expect([...outcomes].sort()).toEqual(
      [`${ok},${ok}: 70,700,71,701`, `${failed},${failed}: 0,0,0,0`].sort(),
    );
  });

  test('leaves zeros when a decoder fails half-way, and no other point changes', async () => {
    const halfWay: Codec = {
      ...rawCodec,
      decodePoints(bytes, layout, offsets, out, outIndex) {
        rawCodec.decodePoints(
          bytes.byteLength === 8 ? bytes : new Uint8Array(8).fill(255),
          layout,
          offsets,
          out,
          outIndex,
        );
        if (bytes.byteLength !== 8) throw new DecodeError('TRUNCATED', 'cut');
      },
    };
    const { values, status, done } = ask({ codec: halfWay });
    await done;
    expect([...values]).toEqual([71, 701, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 70, 700, 0, 0]);
    expect([...status.subarray(4, 6)]).toEqual([failed, failed]);
  });

  test('reports progress once per chunk, even if the chunk failed', async () => {
    const onProgress = jest.fn();
    await ask({ onProgress }).done;
    expect(onProgress.mock.calls).toEqual([1, 2, 3, 4].map((chunksDone) => [{ chunks: 4, chunksDone }]));
  });

  test('throws the first error of onProgress after everything else has finished, and fails no chunk for it', async () => {
    const first = new Error('the bar broke');
    const onProgress = jest.fn(({ chunksDone }: { chunksDone: number }) => {
      throw chunksDone === 1 ? first : new Error('again');
    });
    const { values, status, done } = ask({ onProgress });
    await expect(done).rejects.toBe(first);
    expect(onProgress).toHaveBeenCalledTimes(4);
    expect([...status]).toEqual([ok, failed, missingChunk, missingChunk, failed, failed, ok, outOfBounds]);
    expect(values[0]).toBe(71);
  });

  test('throws the first rejection of an async onProgress', async () => {
    const first = new Error('the bar broke');
    const onProgress = jest.fn(async ({ chunksDone }: { chunksDone: number }) => {
      throw chunksDone === 1 ? first : new Error('again');
    });
    await expect(ask({ onProgress }).done).rejects.toBe(first);
    expect(onProgress).toHaveBeenCalledTimes(4);
  });

  test('rejects with the reason of an abort', async () => {
    const reason = new Error('enough');
    await expect(ask({ signal: AbortSignal.abort(reason) }).done).rejects.toBe(reason);
  });

  test('does nothing for an empty plan', async () => {
    const nothing: PointPlan = {
      cells: new Float64Array(0),
      starts: new Uint32Array(1),
      order: new Uint32Array(0),
      offsets: new Uint32Array(0),
    };
    const { failures, cost } = await readPoints(new ChunkReader(), {
      plan: nothing,
      source,
      codec: rawCodec,
      layoutOf,
      out: new Uint16Array(0),
      status: new Uint8Array(0),
    });
    expect(failures).toEqual([]);
    expect(cost).toEqual({ requests: 0, bytes: 0, absentBy403: 0, cacheHits: 0 });
  });
});
