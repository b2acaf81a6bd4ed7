import { describe, expect, test } from '@jest/globals';
import { Answers } from '../../explorer/answers/answers.ts';
import { viewerLink } from '../../explorer/answers/viewer-link.ts';
import { randomPoints } from '../../explorer/points/random-points.ts';
import { RootColours } from '../../explorer/view/colours.ts';
import { boxAround, moveBox, rangesOf, zoomBox } from '../../explorer/view/view-box.ts';
import { pointsOfState } from '../../lib/neuroglancer/state-points.ts';

describe('the view box', () => {
  test('holds all points with numbers, with a margin', () => {
    const { low, high } = boxAround(Float64Array.of(0, 10, 5, 100, 10, 25, NaN, NaN, NaN));
    expect([low, high]).toEqual([
      [-3, 9, 4.4],
      [103, 11, 25.6],
    ]);
    expect(boxAround(new Float64Array())).toEqual({ low: [0, 0, 0], high: [1, 1, 1] });
  });

  test('shows a nanometre with the same length along both axes', () => {
    const box = { low: [0, 0, 0], high: [100, 50, 100] } as const;
    const [x, z] = rangesOf(box, [0, 2], [4, 4, 40], [200, 100]);
    // 100 voxels of 40 nm over 100 pixels: 40 nm per pixel, so that x shows 200 * 40 / 4 voxels.
    expect(z).toEqual([0, 100]);
    expect(x).toEqual([50 - 1000, 50 + 1000]);
  });

  test('zooms about a place and moves', () => {
    const box = { low: [0, 0, 0], high: [10, 10, 10] } as const;
    expect(zoomBox(box, 0.5, [0, 10, undefined])).toEqual({ low: [0, 5, 2.5], high: [5, 10, 7.5] });
    expect(moveBox(box, [1, 0, -1])).toEqual({ low: [1, 0, -1], high: [11, 10, 9] });
  });
});

test('a root keeps its colour while others come and go', () => {
  const colours = new RootColours(),
    counts = (...roots: number[]): { root: number; rows: number }[] =>
      roots.map((root) => ({ root, rows: 1 }));
  colours.assign(counts(1, 2, 3));
  colours.assign(counts(3, 9, 1));
  expect([1, 2, 3, 9].map((root) => colours.slotOf(root))).toEqual([0, undefined, 2, 1]);
});

test('random points lie in the middle of voxels of the volume, in the unit of the page', () => {
  const grid = { resolution: [8, 8, 40], size: [10, 10, 10], offset: [100, 0, 0] } as const;
  const sequence = [0, 0.5, 0.999];
  let at = 0;
  const { coordinates } = randomPoints(grid, [4, 4, 40], 1, () => sequence[at++]);
  expect([...coordinates]).toEqual([201, 11, 9.5]);
});

describe('viewerLink', () => {
  const rows = 10_000;
  const answers = new Answers(rows);
  answers.set(
    Uint32Array.from({ length: rows }, (_, k) => k),
    {
      supervoxel_id: Array<string>(rows).fill('72057594038355048'),
      root_id: Array<string>(rows).fill('504403158329647589'),
      status: Array<string>(rows).fill('ok'),
    },
  );
  const info = {
    name: 'v',
    kind: 'graph',
    roots: true,
    scales: [{ mip: 0, resolution: [8, 8, 40], size: [9, 9, 9], offset: [0, 0, 0], chunk_size: [9, 9, 9] }],
    neuroglancer: { source: 'precomputed://gs://bucket/path' },
  } as const;
  const coordinates = Float64Array.from({ length: 3 * rows }, (_, k) => k);

  test('opens rows with their roots', () => {
    const { url, annotations } = viewerLink({
      info,
      coordinates,
      resolution: [4, 4, 40],
      answers,
      rows: Uint32Array.of(7, 2),
      colourBy: 'root',
    });
    expect(annotations).toBe(2);
    const { points, segments } = pointsOfState(url, { resolution: [4, 4, 40] });
    expect([...points]).toEqual([21, 22, 23, 6, 7, 8]);
    expect(segments).toEqual([['504403158329647589'], ['504403158329647589']]);
  });

  test('shows fewer rows if the link would be too long', () => {
    const { url, annotations } = viewerLink({
      info,
      coordinates,
      resolution: [4, 4, 40],
      answers,
      rows: Uint32Array.from({ length: rows }, (_, k) => k),
      colourBy: 'status',
    });
    expect(url.length).toBeLessThanOrEqual(1_000_000);
    expect(annotations).toBeGreaterThanOrEqual(2500);
    expect(annotations).toBeLessThan(rows);
  });
});
