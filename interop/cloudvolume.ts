/**
 * Compares CloudVolume with graphene-points: Precomputed volumes voxel by voxel, graphene volumes at many
 * timestamps.
 */
import type { GrapheneVolume, PointsResult } from 'graphene-points';
import { createMockBucket, serveMocks } from 'graphene-points/mocks';
import { fixtureVolumes, VOLUMES_FOLDER } from '../testing/fixtures.ts';
import { seeded, type Random } from '../testing/random.ts';
import type { Comparison } from './comparison.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';
import { centres, compareEveryVoxel } from './volumes.ts';
import {
  openWorld,
  serveDemoWorld,
  serveFixtureWorld,
  servePcgWorld,
  serveStormWorld,
  type World,
} from './worlds.ts';

const POINTS = 1000;
const NO_ROOT_YET =
  'for a supervoxel without a root yet, CloudVolume returns the ID that the server echoes, or 0; graphene-points returns no_root';
const ROUNDS_UP =
  'CloudVolume rounds timestamps up to whole seconds and so sees edits made after the timestamp; graphene-points is exact to the millisecond';

/**
 * CloudVolume mixes up the channels of jpeg and png, cannot read png of 16 bits, and needs a package of 30 MB for jxl.
 * The fixtures hold the right values.
 */
const NOT_COMPARED = [
  'img_jpeg_u8_3ch',
  'img_png_u8_3ch',
  'img_png_u16',
  'img_jxl_u8',
  'img_jxl_u8_lossless',
];

export const cloudvolume: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'cloudvolume_client.py');
  await using served = await serveMocks({ '/': createMockBucket({ folder: VOLUMES_FOLDER }) });
  for (const { name } of fixtureVolumes().filter((volume) => !NOT_COMPARED.includes(volume.name)))
    await compareEveryVoxel(client, 'precomputed://', `${served.url}/${name}`, name, comparison);

  const worlds = [
    serveDemoWorld,
    () => serveFixtureWorld('graphene_cseg_u64'),
    () => serveFixtureWorld('graphene_crackle_u64_origin'),
    servePcgWorld,
    () => serveStormWorld(6, 300),
  ];
  for (const serve of worlds) {
    await using world = await serve();
    await compareCloudVolume(client, world, comparison);
  }
};

export async function compareCloudVolume(
  client: PythonClient,
  world: World,
  comparison: Comparison,
): Promise<void> {
  const { name, cloudPath: path, box, layers } = world;
  const random = seeded(1),
    ids = BigUint64Array.of(0n, ...world.supervoxels, ...world.supervoxels.subarray(0, 100));
  await using volume = await openWorld(world);
  comparison.same(`${name}: bounds`, box, volume.bounds());

  for (const seconds of wholeSeconds(world)) {
    const what = `${name} at ${seconds}`,
      timestamp = new Date(1000 * seconds);
    const points = randomPoints(random, world),
      voxels = Float64Array.from(points);
    const found = await volume.scatteredPoints(voxels, { timestamp });
    comparison.values(
      `${what}: supervoxels of scattered_points`,
      await client.call('scattered_points', { path, mip: 0, points, agglomerate: false }),
      found.supervoxelIds,
    );
    compareRoots(
      `${what}: roots of scattered_points`,
      await client.call('scattered_points', { path, mip: 0, points, agglomerate: true, timestamp: seconds }),
      found,
      comparison,
    );
    for (const stopLayer of [undefined, 2, 3, layers]) {
      const theirs = await client.call<BigUint64Array>('get_roots', {
        path,
        ids,
        timestamp: seconds,
        ...(stopLayer !== undefined && { stop_layer: stopLayer }),
      });
      compareRoots(
        `${what}: get_roots to layer ${stopLayer}`,
        theirs,
        { ...(await volume.roots(ids, { timestamp, stopLayer })), supervoxelIds: ids },
        comparison,
      );
    }
    if (1000 * seconds >= world.baseMs)
      await compareCutout(client, volume, world, random, timestamp, comparison);
  }
  await compareFractions(client, volume, world, ids, comparison);
  await compareLeaves(client, volume, world, random, comparison);
}

/** Compares leaves of old and new roots: nodes of every layer, in the whole volume and in a box. */
async function compareLeaves(
  client: PythonClient,
  volume: GrapheneVolume,
  world: World,
  random: Random,
  comparison: Comparison,
): Promise<void> {
  const { name, cloudPath: path, box, layers } = world;
  const times = [world.baseMs, ...world.editsMs.filter((_, k, all) => k % Math.ceil(all.length / 5) === 0)];
  const supervoxels = BigUint64Array.from({ length: 4 }, () => random.pick([...world.supervoxels]));
  const roots = new Set(
    (await Promise.all(times.map((ms) => volume.roots(supervoxels, { timestamp: new Date(ms) })))).flatMap(
      ({ rootIds }) => [...rootIds],
    ),
  );
  for (const root of roots)
    for (const { min, max } of [box, boxWithin(world, random)])
      for (const stopLayer of [undefined, 2, 3, layers]) {
        const theirs = await client.call<BigUint64Array>('get_leaves', {
          path,
          root,
          box: [...min, ...max],
          ...(stopLayer !== undefined && { stop_layer: stopLayer }),
        });
        comparison.sets(
          `${name}: get_leaves of ${root} to layer ${stopLayer} in ${min.join()} to ${max.join()}`,
          theirs,
          await volume.graph.leaves(root, { bounds: { min, max }, stopLayer }),
        );
      }
}

/** Compares roots at fractions of a second: CloudVolume must give the answer of the next whole second. */
async function compareFractions(
  client: PythonClient,
  volume: GrapheneVolume,
  { name, cloudPath: path, editsMs }: World,
  ids: BigUint64Array,
  comparison: Comparison,
): Promise<void> {
  for (const ms of editsMs.filter((edit) => edit % 1000 !== 0).slice(0, 10)) {
    const theirs = await client.call<BigUint64Array>('get_roots', { path, ids, timestamp: (ms - 1) / 1000 });
    const { rootIds } = await volume.roots(ids, { timestamp: new Date(Math.ceil((ms - 1) / 1000) * 1000) });
    comparison.values(`${name}: get_roots 1 ms before ${ms}`, theirs, rootIds);
    const exact = await volume.roots(ids, { timestamp: new Date(ms - 1) });
    if (exact.rootIds.some((root, k) => root !== theirs[k])) comparison.explained(ROUNDS_UP);
  }
}

/** Compares the root IDs at all voxels of a box. */
async function compareCutout(
  client: PythonClient,
  volume: GrapheneVolume,
  world: World,
  random: Random,
  timestamp: Date,
  comparison: Comparison,
): Promise<void> {
  const { name, cloudPath: path } = world,
    { min: from, max: to } = boxWithin(world, random);
  const theirs = await client.call<BigUint64Array>('download', {
    path,
    mip: 0,
    box: [...from, ...to],
    agglomerate: true,
    timestamp: timestamp.getTime() / 1000,
  });
  const ours = await volume.scatteredPoints(centres(from, to), { timestamp });
  comparison.values(
    `${name} at ${timestamp.toISOString()}: agglomerated download of ${from.join()} to ${to.join()}`,
    theirs,
    ours.rootIds,
  );
}

/** Returns a random box inside the world, at most 40 voxels along each side. */
function boxWithin({ box: { min, max } }: World, random: Random): World['box'] {
  const from = min.map((first, axis) => first + random.below(Math.max(1, max[axis] - first - 40)));
  return {
    min: from as [number, number, number],
    max: from.map((first, axis) => Math.min(max[axis], first + 40)) as [number, number, number],
  };
}

function compareRoots(
  what: string,
  theirs: BigUint64Array,
  ours: Pick<PointsResult, 'supervoxelIds' | 'rootIds'> & {
    rows(): Iterable<{ index: number; status: string }>;
  },
  comparison: Comparison,
): void {
  const normalized = theirs.slice();
  for (const { index, status } of ours.rows())
    if (status === 'no_root' && (theirs[index] === ours.supervoxelIds[index] || theirs[index] === 0n)) {
      normalized[index] = 0n;
      comparison.explained(NO_ROOT_YET);
    }
  comparison.values(what, normalized, ours.rootIds);
}

/** Returns the corners of the volume and random voxels, some of them twice. */
function randomPoints(random: Random, { box: { min, max } }: World): Int32Array {
  const points: number[] = [];
  for (let corner = 0; corner < 8; corner++)
    points.push(...min.map((first, axis) => ((corner >> axis) & 1 ? max[axis] - 1 : first)));
  while (points.length < 3 * POINTS) {
    const earlier = 3 * random.below(points.length / 3);
    points.push(
      ...(random.below(10) === 0
        ? points.slice(earlier, earlier + 3)
        : min.map((first, axis) => first + random.below(max[axis] - first))),
    );
  }
  return Int32Array.from(points);
}

/** Returns timestamps before the graph, around some edits and a day after the last, in whole seconds. */
function wholeSeconds({ baseMs, editsMs }: World): number[] {
  const base = Math.floor(baseMs / 1000),
    newest = editsMs[editsMs.length - 1] ?? baseMs;
  const every = Math.ceil(editsMs.length / 12);
  const around = editsMs
    .filter((_, k) => k % every === 0)
    .flatMap((ms) => [Math.ceil(ms / 1000) - 1, Math.floor(ms / 1000), Math.ceil(ms / 1000)]);
  return [
    ...new Set([...(base > 0 ? [base - 1, base] : []), ...around, Math.ceil(newest / 1000) + 86_400]),
  ].sort((a, b) => a - b);
}
