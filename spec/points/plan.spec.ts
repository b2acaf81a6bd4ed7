import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { toPointSource, type PointInput } from '../../lib/points/point-input.ts';
import { planPoints, type PointPlan } from '../../lib/points/plan.ts';
import { PointStatus } from '../../lib/points/status.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';

const scaleOf = (part: Partial<Scale>): Scale => ({
  mip: 0,
  key: 'k',
  resolution: [8, 8, 40],
  size: [100, 90, 80],
  voxelOffset: [0, 0, 0],
  chunkSize: [64, 32, 16],
  encoding: 'raw',
  ...part,
});

function plan(
  points: PointInput,
  scale: Scale,
  resolution: Vec3 = scale.resolution,
): { plan: PointPlan; status: number[] } {
  const source = toPointSource(points),
    status = new Uint8Array(source.count);
  return { plan: planPoints(source, scale, resolution, status), status: [...status] };
}

/** The plan as plain data: each cell with its points and offsets. */
const cellsOf = ({
  cells,
  starts,
  offsets,
  order,
}: PointPlan): { cell: number; points: number[]; offsets: number[] }[] =>
  Array.from(cells, (cell, c) => ({
    cell,
    points: [...order.subarray(starts[c], starts[c + 1])],
    offsets: [...offsets.subarray(starts[c], starts[c + 1])],
  }));

/** Exact floor of a division. BigInt division truncates, so negative quotients are corrected. */
function floorDivide(a: bigint, b: bigint): number {
  const quotient = a / b;
  return Number(a % b < 0n ? quotient - 1n : quotient);
}

/** A simple plan, point by point. For whole coordinates and resolutions only. */
function naive(
  points: readonly Vec3[],
  scale: Scale,
  resolution: Vec3,
): { cells: ReturnType<typeof cellsOf>; status: number[] } {
  const cells = new Map<string, { cell: number; points: number[]; offsets: number[] }>();
  const status = points.map((point, index) => {
    const voxel = point.map(
      (p, axis) =>
        floorDivide(BigInt(p) * BigInt(resolution[axis]), BigInt(scale.resolution[axis])) -
        scale.voxelOffset[axis],
    );
    if (voxel.some((v, axis) => v < 0 || v >= scale.size[axis])) return PointStatus.outOfBounds;
    const position = voxel.map((v, axis) => (v - (v % scale.chunkSize[axis])) / scale.chunkSize[axis]);
    const shape = position.map((g, axis) =>
      Math.min(scale.chunkSize[axis], scale.size[axis] - g * scale.chunkSize[axis]),
    );
    const inside = voxel.map((v, axis) => v % scale.chunkSize[axis]);
    const grid = scale.size.map((s, axis) => Math.ceil(s / scale.chunkSize[axis]));
    const key = position.join();
    const entry = cells.get(key) ?? {
      cell: position[0] + grid[0] * (position[1] + grid[1] * position[2]),
      points: [],
      offsets: [],
    };
    cells.set(key, entry);
    entry.points.push(index);
    entry.offsets.push(inside[0] + shape[0] * (inside[1] + shape[1] * inside[2]));
    return PointStatus.unset;
  });
  return { cells: [...cells.values()], status };
}

const triple = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<[T, T, T]> =>
  fc.tuple(arbitrary, arbitrary, arbitrary);

const geometries = fc
  .record({
    resolution: triple(fc.integer({ min: 1, max: 60 })),
    size: triple(fc.integer({ min: 1, max: 300 })),
    voxelOffset: triple(
      fc.oneof(fc.integer({ min: -400, max: 400 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
    ),
    chunkSize: triple(fc.integer({ min: 1, max: 130 })),
  })
  .map(scaleOf);

/** Points in units of a resolution, most of them in or just outside the volume, some repeated. */
const questions = fc
  .tuple(geometries, triple(fc.integer({ min: 1, max: 60 })))
  .chain(([scale, resolution]) => {
    const near = (axis: number): fc.Arbitrary<number> => {
      const toGiven = (voxel: number): number =>
        Math.floor((voxel * scale.resolution[axis]) / resolution[axis]);
      return fc.integer({
        min: toGiven(scale.voxelOffset[axis]) - 5,
        max: toGiven(scale.voxelOffset[axis] + scale.size[axis]) + 5,
      });
    };
    const point = fc.tuple(near(0), near(1), near(2)) as fc.Arbitrary<Vec3>;
    const list = fc
      .array(point, { maxLength: 60 })
      .chain((points) => fc.nat(points.length).map((again) => [...points, ...points.slice(0, again)]));
    return fc.record({
      scale: fc.constant(scale),
      resolution: fc.constant(resolution as Vec3),
      points: list,
    });
  });

describe('planPoints', () => {
  test('agrees with a simple plan on the cell, offset and status of every point, and keeps both orders', () =>
    fc.assert(
      fc.property(questions, ({ scale, resolution, points }) => {
        const expected = naive(points, scale, resolution);
        const got = plan(points, scale, resolution);
        expect(got.status).toEqual(expected.status);
        expect(cellsOf(got.plan)).toEqual(expected.cells);
        expect(got.plan.order).toHaveLength(points.length - expected.status.filter(Boolean).length);
      }),
      { seed: 3, numRuns: 400 },
    ));

  test('makes the same plan for flat arrays and columns', () => {
    const points: Vec3[] = [
      [70, 40, 20],
      [3, 4, 5],
      [70, 41, 20],
      [-1, 0, 0],
      [3, 4, 5],
    ];
    const expected = plan(points, scaleOf({}));
    const columns = {
      x: points.map(([x]) => x),
      y: points.map(([, y]) => y),
      z: BigInt64Array.from(points, ([, , z]) => BigInt(z)),
    };
    expect(plan(Float32Array.from(points.flat()), scaleOf({}))).toEqual(expected);
    expect(plan(columns, scaleOf({}))).toEqual(expected);
  });

  // Only x varies, so the number of a 1-voxel cell is the voxel itself.
  const line = (part: Partial<Scale>): Scale =>
    scaleOf({ size: [1_000_000, 1, 1], chunkSize: [1, 1, 1], resolution: [8, 8, 40], ...part });
  test.each<[name: string, x: number, from: number, to: number, voxel: number]>([
    ['floors', 7.99, 8, 8, 7],
    ['floors towards minus infinity', -0.5, 8, 8, -1],
    ['keeps minus zero at zero', -0, 8, 8, 0],
    ['multiplies first: 90 × (7 / 10) is 62.99…', 90, 7, 10, 63],
    ['multiplies first: 49 × (1 / 49) is 0.99…', 49, 1, 49, 1],
    ['converts to a coarser scale', 15, 4, 8, 7],
    ['converts to a finer scale', 15, 40, 8, 75],
    ['copies a coordinate between equal resolutions', 3, 4.3, 4.3, 3],
    ['copies a coordinate that a product would round', 0.1 + 0.7, 3.3, 3.3, 0],
    ['keeps fractions of the unit', 0.5, 16, 8, 1],
    ['keeps fractions of nanometres', 2.5, 4.5, 2.25, 5],
    ['treats resolutions as exact decimals: 3.3 is three times 1.1', 1, 3.3, 1.1, 3],
    ['treats resolutions as exact decimals: 535 nm are 125 voxels of 4.28', 535, 1, 4.28, 125],
    ['converts to a mip three times as coarse', 3, 4.6, 13.8, 1],
    ['treats coordinates as exact decimals', 0.3, 1, 0.1, 3],
    ['does not round up a coordinate just below a voxel', 0.29999999999999993, 1, 0.1, 2],
  ])('%s: %d units of %d nm in voxels of %d nm', (_name, x, from, to, voxel) => {
    const scale = line({ resolution: [to, 1, 1], voxelOffset: [-10, 0, 0] });
    expect([...plan([[x, 0, 0]], scale, [from, 1, 1]).plan.cells]).toEqual([voxel + 10]);
  });

  test('copies a coordinate between equal resolutions, however large: a product would lose its last bits', () => {
    const x = 2 ** 53 - 1;
    const { plan: planned } = plan(
      [[x, 0, 0]],
      line({ voxelOffset: [x - 5, 0, 0], resolution: [3, 1, 1] }),
      [3, 1, 1],
    );
    expect([...planned.cells]).toEqual([5]);
  });

  test.each<[name: string, point: unknown]>([
    ['NaN', [NaN, 1, 1]],
    ['infinite', [1, Infinity, 1]],
    ['minus infinite', [1, 1, -Infinity]],
  ])('marks a point that is %s as invalid, not as out of bounds, and continues', (_name, point) => {
    const { plan: planned, status } = plan(
      [[1, 1, 1], point as number[], [-1, 0, 0], [1, 1, 1]],
      scaleOf({}),
    );
    expect(status).toEqual([
      PointStatus.unset,
      PointStatus.invalidPoint,
      PointStatus.outOfBounds,
      PointStatus.unset,
    ]);
    expect([...planned.order]).toEqual([0, 3]);
  });

  test('marks a point with one NaN axis as invalid even if another axis is far out of bounds', () =>
    expect(plan([[1e300, NaN, 0]], scaleOf({})).status).toEqual([PointStatus.invalidPoint]));

  test.each([[1e300], [-1e300], [Number.MAX_VALUE], [2 ** 53], [-(2 ** 63)]])(
    'marks the huge coordinate %d as out of bounds, even if its product overflows',
    (x) =>
      expect(
        plan(
          [
            [x, 0, 0],
            [0, x, 0],
            [0, 0, x],
          ],
          scaleOf({}),
          [1000, 1000, 1000],
        ).status,
      ).toEqual(Array(3).fill(PointStatus.outOfBounds)),
  );

  test('treats the volume as half-open: its first voxel is inside, the voxel after its last is outside', () => {
    const scale = scaleOf({ voxelOffset: [-7, 3, 11] });
    expect(
      plan(
        [
          [-7, 3, 11],
          [92, 92, 90],
          [93, 92, 90],
          [92, 93, 90],
          [92, 92, 91],
          [-7.01, 3, 11],
        ],
        scale,
      ).status,
    ).toEqual([
      0,
      0,
      PointStatus.outOfBounds,
      PointStatus.outOfBounds,
      PointStatus.outOfBounds,
      PointStatus.outOfBounds,
    ]);
  });

  test('numbers cells beyond 2^32', () => {
    const scale = scaleOf({ size: [2 ** 20, 2 ** 20, 2 ** 10], chunkSize: [1, 1, 1] });
    const last = [2 ** 20 - 1, 2 ** 20 - 1, 2 ** 10 - 1];
    expect(cellsOf(plan([last, [0, 0, 4], last], scale).plan)).toEqual([
      { cell: 2 ** 50 - 1, points: [0, 2], offsets: [0, 0] },
      { cell: 2 ** 42, points: [1], offsets: [0] },
    ]);
  });

  test('reaches the last voxel of the largest chunk', () => {
    const scale = scaleOf({ size: [65_535, 65_536, 1], chunkSize: [65_535, 65_536, 1] });
    expect([...plan([[65_534, 65_535, 0]], scale).plan.offsets]).toEqual([65_535 * 65_536 - 1]);
  });

  test('leaves all other statuses as they are', () => {
    const status = Uint8Array.of(9, 9, 9);
    planPoints(
      toPointSource([
        [0, 0, 0],
        [-1, 0, 0],
        [NaN, 0, 0],
      ]),
      scaleOf({}),
      [8, 8, 40],
      status,
    );
    expect([...status]).toEqual([9, PointStatus.outOfBounds, PointStatus.invalidPoint]);
  });

  test('plans nothing for no points', () => {
    const { plan: planned, status } = plan([], scaleOf({}));
    expect(status).toEqual([]);
    expect(planned).toEqual({
      cells: new Float64Array(0),
      starts: new Uint32Array(1),
      offsets: new Uint32Array(0),
      order: new Uint32Array(0),
    });
  });
});
