/** A service on a mocked graph, for the checks of its page. */
import { buildWorld, serveMocks, type World } from 'graphene-points/mocks';
import { createService, type Service } from '../lib/serve/create-service.ts';
import { seeded } from '../testing/random.ts';

/** When two objects are merged. */
export const BEFORE_MERGE = '2024-06-05T00:00:00',
  MERGE = '2024-06-05T12:00:00Z',
  AFTER_MERGE = '2024-06-06T00:00:00';

export const SIZE = [256, 256, 64] as const;
export const RESOLUTION = [8, 8, 40] as const;
const MERGED = [
  [2, 1, 1],
  [42, 1, 1],
] as const;

/** Blocks of 40 x 32 x 16 voxels; one voxel in eleven is background. */
export const labelAt = (x: number, y: number, z: number): bigint =>
  (7 * x + 3 * y + z) % 11 === 0
    ? 0n
    : BigInt(1 + Math.floor(x / 40) + 7 * (Math.floor(y / 32) + 8 * Math.floor(z / 16)));

export interface PageWorld extends AsyncDisposable {
  readonly world: World;
  readonly service: Service;
  /** The two objects that are merged. */
  readonly merged: readonly [bigint, bigint];
}

/** Serves the volume under a name that is hostile to a page that does not escape it. */
export async function startPageWorld(name = '<b id=hacked>slabs'): Promise<PageWorld> {
  const world = buildWorld({
    labels: labelAt,
    size: SIZE,
    chunkSize: [64, 64, 32],
    graphChunkSize: [128, 128, 64],
    resolution: RESOLUTION,
    base_timestamp: '2024-01-01',
    edits: [{ timestamp: MERGE, merge: [MERGED[0], MERGED[1]] }],
  });
  const served = await serveMocks(world.routes);
  const service = await createService({
    volumes: [{ name, path: world.cloudPath(served.url) }],
    open: { token: null },
    port: 0,
  });
  return {
    world,
    service,
    merged: [labelAt(...MERGED[0]), labelAt(...MERGED[1])],
    [Symbol.asyncDispose]: async () => {
      await service.close();
      await served.close();
    },
  };
}

/** Makes seeded places: whole voxels, of which one in twenty is outside the volume. */
export function makePlaces(count: number, seed = 7): [number, number, number][] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const isOutside = random.below(20) === 0;
    return [random.below(SIZE[0]) + (isOutside ? SIZE[0] : 0), random.below(SIZE[1]), random.below(SIZE[2])];
  });
}
