import { tmpdir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PointSpill, type RunSlice } from '../../lib/spill/point-spill.ts';
import { sortRun, type SortKeys } from '../../lib/spill/sorted-run.ts';
import { TemporaryFile } from '../../lib/spill/temporary-file.ts';
import { chooseBoundaries, cutByChunks, windowsOf } from '../../lib/spill/windows.ts';

/** The key of a point is its x, here. */
const place = (points: Int32Array | Float64Array): SortKeys => {
  const xs = Array.from({ length: points.length / 3 }, (_, k) => points[3 * k]),
    keys = [...new Set(xs)];
  return { ordinals: Uint32Array.from(xs, (x) => keys.indexOf(x)), keys: Float64Array.from(keys) };
};

const POINT = fc.record({
  x: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(7)),
  y: fc.oneof(
    { weight: 30, arbitrary: fc.integer() },
    { weight: 1, arbitrary: fc.constantFrom(0.5, 2 ** 31) },
  ),
  isMissing: fc.boolean(),
  ms: fc.integer({ min: 0, max: 3 }),
});

describe('PointSpill', () => {
  test.each([
    ['without presets', [0, 0, 0]],
    ['with presets only', [10, 10]],
    ['with both', [0, 10, 0]],
    ['without rows', []],
  ])('notices a changed byte of a run %s', async (_, statuses) => {
    const file = await TemporaryFile.create(tmpdir());
    try {
      const spill = new PointSpill(file, 4),
        points = Float64Array.from(statuses.flatMap((__, k) => [k, k, k])),
        pointStatus = Uint8Array.from(statuses);
      for (let run = 0; run < 2; run++)
        await spill.append(sortRun({ points, pointStatus }, place(points), 4), {
          firstRow: 1,
          rows: statuses.length,
        });
      const reopened = new PointSpill(file, 4, spill.runs);
      expect([reopened.bytes, await reopened.isIntact(0), await reopened.isIntact(1)]).toEqual([
        spill.bytes,
        true,
        true,
      ]);
      for (let at = spill.runs[1].offset; at < spill.bytes; at++) {
        const byte = new Uint8Array(1);
        await file.read(byte, at);
        await file.write(Uint8Array.of(byte[0] ^ 1), at);
        expect([await spill.isIntact(0), await spill.isIntact(1)]).toEqual([true, false]);
        await file.write(byte, at);
      }
    } finally {
      await file.close();
    }
  });

  test('gives back each point once, those of a key in one window', async () => {
    const file = await TemporaryFile.create(tmpdir());
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(POINT, { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 8 }),
          async (batches, samplePoints, maxPoints, maxChunks) => {
            const spill = new PointSpill(file, samplePoints);
            for (const batch of batches) {
              const points = Float64Array.from(batch.flatMap(({ x, y }) => [x, y, -x])),
                pointStatus = Uint8Array.from(batch, ({ isMissing }) => (isMissing ? 10 : 0)),
                timestamps = Float64Array.from(batch, ({ ms }) => ms);
              const run = sortRun({ points, pointStatus, timestamps }, place(points), samplePoints);
              await spill.append(run, { firstRow: 1, rows: batch.length });
            }
            const boundaries = chooseBoundaries(
              spill.runs.map(({ samples }) => samples),
              samplePoints,
              maxPoints,
            );
            const cuts: number[][] = [];
            for (const run of spill.runs.keys()) cuts.push(await spill.cutRun(run, boundaries, place));
            const seen: string[] = [],
              windowOfKey = new Map<number, number>();
            let windows = 0;
            const visit = async (slices: RunSlice[], isWhole: boolean): Promise<void> => {
              const { points, timestamps } = await spill.readPoints(slices);
              let k = 0;
              for (const slice of slices)
                for (const at of await spill.readPlaces(slice)) {
                  const x = points[3 * k];
                  seen.push(
                    [slice.run, at, x, points[3 * k + 1], points[3 * k + 2], timestamps![k++]].join(),
                  );
                  if (isWhole) expect(windowOfKey.get(x) ?? windows).toBe(windows);
                  windowOfKey.set(x, windows);
                }
              windows++;
            };
            for (const slices of windowsOf(
              cuts,
              spill.runs.map(({ count }) => count),
              Infinity,
            )) {
              const { points } = await spill.readPoints(slices);
              const { ordinals, keys } = place(points);
              const parts = cutByChunks(
                slices,
                Float64Array.from(ordinals, (ordinal) => keys[ordinal]),
                maxChunks,
              );
              expect(parts.length).toBe(Math.ceil(keys.length / maxChunks));
              for (const part of parts) await visit(part, true);
            }
            const all = batches.flatMap((batch, run) =>
              batch.flatMap(({ x, y, isMissing, ms }, at) =>
                isMissing ? [] : [[run, at, x, y, 0 - x, ms].join()],
              ),
            );
            expect(seen.toSorted()).toEqual(all.toSorted());
            seen.length = 0;
            for (const slices of windowsOf(
              cuts,
              spill.runs.map(({ count }) => count),
              maxPoints,
            )) {
              expect(slices.reduce((sum, { from, end }) => sum + end - from, 0)).toBeLessThanOrEqual(
                1.5 * maxPoints,
              );
              await visit(slices, false);
            }
            expect(seen.toSorted()).toEqual(all.toSorted());
            for (const [run, batch] of batches.entries()) {
              const { places, status } = await spill.readPresets(run);
              expect([...places]).toEqual(batch.flatMap(({ isMissing }, at) => (isMissing ? [at] : [])));
              expect(status.every((code) => code === 10)).toBe(true);
            }
          },
        ),
        { numRuns: 25, seed: 5, endOnFailure: true },
      );
    } finally {
      await file.close();
    }
  });
});
