import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runWithoutPause } from '../../lib/base/cooperative-work.ts';
import { wordsOf } from '../../lib/base/uint64.ts';
import type { Vec3 } from '../../lib/base/vec3.ts';
import { parseGraphInfo } from '../../lib/chunkedgraph/ids/graph-info.ts';
import { markSuspects, createSuspectMarker } from '../../lib/graphene/suspect.ts';
import { toPointSource } from '../../lib/points/point-input.ts';
import { planPoints } from '../../lib/points/plan.ts';
import { PointStatus } from '../../lib/points/status.ts';
import type { Scale } from '../../lib/precomputed/volume-info.ts';

const { ok, background, outOfBounds, missingChunk, suspect, failed } = PointStatus;

interface World {
  /** Chunk size of the volume, which differs from the graph's on every axis. */
  scale: Scale;
  graphChunk: Vec3;
  atOffset: boolean;
  bits: number;
  /** Nanometres per unit of points. @default voxels of the scale */
  unit?: Vec3;
}

const scaleOf = (part: Partial<Scale> = {}): Scale => ({
  mip: 0,
  key: 'k',
  resolution: [8, 8, 40],
  size: [200, 150, 90],
  voxelOffset: [13, 7, 3],
  chunkSize: [64, 32, 16],
  encoding: 'raw',
  ...part,
});

const graphOf = (
  { graphChunk, atOffset, bits }: World,
  masks: Record<string, number> | undefined = { 1: bits, 2: bits },
) =>
  parseGraphInfo(
    {
      chunks_start_at_voxel_offset: atOffset,
      graph: { chunk_size: graphChunk, n_layers: 5, spatial_bit_masks: masks },
    },
    'u',
  );

/** Supervoxel ID of a voxel, built from its graph chunk: layer | x | y | z | segment. */
function supervoxelAt(
  voxel: Vec3,
  { scale, graphChunk, atOffset, bits }: World,
  segment = 1n,
  layer = 1n,
): bigint {
  let id = layer;
  voxel.forEach(
    (v, axis) =>
      (id =
        (id << BigInt(bits)) |
        BigInt(Math.floor((v - (atOffset ? scale.voxelOffset[axis] : 0)) / graphChunk[axis]))),
  );
  return (id << BigInt(56 - 3 * bits)) | segment;
}

/** Marks points, given in voxels of the scale, with the IDs read there. */
function mark(
  points: readonly Vec3[],
  ids: readonly bigint[],
  world: World,
  given?: readonly number[],
  masks?: Record<string, number>,
): { marked: number; status: number[] } {
  const status = new Uint8Array(points.length);
  const plan = planPoints(toPointSource(points), world.scale, world.unit ?? world.scale.resolution, status);
  status.forEach((code, i) => (status[i] = given?.[i] ?? (code || ok)));
  const marked = runWithoutPause(
    markSuspects(
      plan,
      createSuspectMarker(
        plan,
        world.scale,
        graphOf(world, masks),
        wordsOf(BigUint64Array.from(ids)),
        status,
      ),
    ),
  );
  return { marked, status: [...status] };
}

const world: World = { scale: scaleOf(), graphChunk: [50, 40, 30], atOffset: true, bits: 10 };

describe('markSuspects', () => {
  const worlds = fc
    .record({
      voxelOffset: fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)),
      graphChunk: fc.tuple(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
      ),
      atOffset: fc.boolean(),
      bits: fc.integer({ min: 9, max: 18 }),
    })
    .map(({ voxelOffset, ...rest }): World => ({ ...rest, scale: scaleOf({ voxelOffset }) }));
  const voxels = ({
    scale: {
      voxelOffset: [x, y, z],
      size,
    },
  }: World) =>
    fc.array(
      fc.tuple(
        fc.integer({ min: x, max: x + size[0] - 1 }),
        fc.integer({ min: y, max: y + size[1] - 1 }),
        fc.integer({ min: z, max: z + size[2] - 1 }),
      ),
      { minLength: 1, maxLength: 40 },
    );

  test("marks nothing when every ID is of layer 1 and its point's graph chunk", () =>
    fc.assert(
      fc.property(
        worlds.chain((made) => fc.tuple(fc.constant(made), voxels(made))),
        ([made, points]) => {
          const ids = points.map((point, i) => supervoxelAt(point, made, BigInt(i % 4)));
          expect(mark(points, ids, made)).toEqual({ marked: 0, status: points.map(() => ok) });
        },
      ),
      { seed: 8, numRuns: 300 },
    ));

  test('marks exactly the points whose ID is of another graph chunk', () =>
    fc.assert(
      fc.property(
        worlds.chain((made) => fc.tuple(fc.constant(made), voxels(made), voxels(made))),
        ([made, points, elsewhere]) => {
          const ids = points.map((_, i) => supervoxelAt(elsewhere[i % elsewhere.length], made));
          const status = points.map((point, i) => (supervoxelAt(point, made) === ids[i] ? ok : suspect));
          expect(mark(points, ids, made)).toEqual({
            marked: status.filter((code) => code === suspect).length,
            status,
          });
        },
      ),
      { seed: 9, numRuns: 300 },
    ));

  test.each<[name: string, id: bigint, code: number]>([
    ['an ID of its chunk', supervoxelAt([70, 60, 40], world), ok],
    ['the last segment of its chunk', supervoxelAt([70, 60, 40], world, 2n ** 26n - 1n), ok],
    ['segment 0 of its chunk', supervoxelAt([70, 60, 40], world, 0n), ok],
    ['a layer-2 ID of its chunk', supervoxelAt([70, 60, 40], world, 1n, 2n), suspect],
    ['a root', supervoxelAt([70, 60, 40], world, 1n, 5n), suspect],
    ['an ID one chunk further along x', supervoxelAt([120, 60, 40], world), suspect],
    ['an ID one chunk further along y', supervoxelAt([70, 100, 40], world), suspect],
    ['an ID one chunk further along z', supervoxelAt([70, 60, 70], world), suspect],
    ['a small number', 42n, suspect],
    ['the largest number', 2n ** 64n - 1n, suspect],
  ])('checks %s', (_name, id, code) =>
    expect(mark([[70, 60, 40]], [id], world)).toEqual({ marked: code === suspect ? 1 : 0, status: [code] }),
  );

  test("counts graph chunks from the voxel offset or from voxel 0, as the graph's info says", () => {
    // Voxel 52 is in the first graph chunk if counted from 13, and in the second if counted from 0.
    const points: Vec3[] = [[52, 7, 3]];
    const fromZero: World = { ...world, atOffset: false };
    expect(mark(points, [supervoxelAt([52, 7, 3], world)], world).marked).toBe(0);
    expect(mark(points, [supervoxelAt([52, 7, 3], world)], fromZero).marked).toBe(1);
    expect(mark(points, [supervoxelAt([52, 7, 3], fromZero)], fromZero).marked).toBe(0);
  });

  test('marks every point before voxel 0 when graph chunks are counted from voxel 0', () => {
    const before: World = { ...world, atOffset: false, scale: scaleOf({ voxelOffset: [-10, 0, 0] }) };
    expect(
      mark(
        [
          [-1, 0, 0],
          [0, 0, 0],
        ],
        [1n << 56n, 1n << 56n],
        before,
      ).status,
    ).toEqual([suspect, ok]);
  });

  test('checks points in decimal units by their exact voxel', () => {
    // Voxel 125 of 4.28 nm is 535 nm from 0, and the first of its graph chunk; in doubles it is voxel 124.
    const fine: World = {
      ...world,
      graphChunk: [125, 40, 30],
      unit: [1, 1, 40],
      scale: scaleOf({ voxelOffset: [0, 0, 0], resolution: [4.28, 1.1, 40] }),
    };
    expect(mark([[535, 3.3, 0]], [supervoxelAt([125, 3, 0], fine)], fine)).toEqual({
      marked: 0,
      status: [ok],
    });
    expect(mark([[534, 3.3, 0]], [supervoxelAt([125, 3, 0], fine)], fine)).toEqual({
      marked: 1,
      status: [suspect],
    });
  });

  test('checks only points with the status ok', () => {
    const codes = [background, missingChunk, failed, outOfBounds, ok];
    const { marked, status } = mark(
      codes.map((): Vec3 => [70, 60, 40]),
      codes.map(() => 42n),
      world,
      codes,
    );
    expect([marked, status]).toEqual([1, [background, missingChunk, failed, outOfBounds, suspect]]);
  });

  test("checks nothing when the graph's info does not say how its IDs are built", () =>
    expect(mark([[70, 60, 40]], [42n], world, undefined, {})).toEqual({ marked: 0, status: [ok] }));

  test('uses the bits of layer 2 when those of layer 1 are missing', () => {
    const id = supervoxelAt([70, 60, 40], world);
    expect(
      mark(
        [
          [70, 60, 40],
          [120, 60, 40],
        ],
        [id, id],
        world,
        undefined,
        { 2: 10 },
      ).status,
    ).toEqual([ok, suspect]);
  });
});
