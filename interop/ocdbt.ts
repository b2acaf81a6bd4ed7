/**
 * Compares TensorStore with graphene-points on OCDBT databases that TensorStore writes: voxels at every
 * generation, from files and over HTTP, and the number of requests for them, each with an empty cache.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openPrecomputed, type TensorStoreSpec } from 'graphene-points';
import { createMockBucket, serveMocks } from 'graphene-points/mocks';
import { WORK } from './environment.ts';
import type { Part } from './part.ts';
import { PythonClient, type Numbers } from './python-client.ts';

const COMMITS = 6;
const POINTS = 200;
const SIZE = [150, 140, 60],
  ORIGIN = [-7, 5, 11];
const FOLDER = 'seg/ws/';

/** Points of a fixed sequence. The last ones are close together. */
function makePoints(seed: number): Float64Array {
  let state = seed * 2654435761 + 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Float64Array.from({ length: 3 * POINTS }, (_, k) => {
    const axis = k % 3;
    return ORIGIN[axis] + (k < 2 * POINTS ? next(SIZE[axis]) : next(40));
  });
}

export const ocdbt: Part = async ({ python, comparison }) => {
  const folder = mkdtempSync(join(WORK, 'ocdbt-'));
  try {
    await using client = new PythonClient(python, 'ocdbt_client.py');
    const latest = await client.call<Record<string, string>>('make', { folder, commits: COMMITS });
    const bucket = createMockBucket({ folder });
    await using served = await serveMocks({ '/': bucket });
    const { requests } = bucket.log;
    const web = (...parts: string[]): TensorStoreSpec => ({
      driver: 'http',
      base_url: `${served.url}/`,
      path: parts.map(encodeURIComponent).join('/'),
    });
    const file = (...parts: string[]): TensorStoreSpec => ({
      driver: 'file',
      path: [folder, ...parts].join('/'),
    });
    const baseOf = (name: string, at: typeof web): TensorStoreSpec =>
      name === 'fork'
        ? {
            driver: 'kvstack',
            layers: [
              { base: at('usual', '') },
              { exact: 'manifest.ocdbt', base: at('fork', 'manifest.ocdbt') },
              { prefix: 'graph_', base: at('fork', 'data', '') },
            ],
          }
        : at(name, '');
    // Generations 1 and 2 have no chunks yet.
    for (const [name, newest] of Object.entries(latest)) {
      let theirRequests = 0,
        ourRequests = 0;
      for (let version = 3; version <= Number(newest); version++) {
        const points = makePoints(version),
          what = `${name}, generation ${version}`;
        const read = async (spec: TensorStoreSpec): Promise<BigUint64Array> => {
          const kvstore = { ...spec, version, path: FOLDER };
          await using volume = await openPrecomputed({ driver: 'neuroglancer_precomputed', kvstore });
          return (await volume.scatteredPoints(points)).values as BigUint64Array;
        };
        try {
          const onDisk: TensorStoreSpec = { driver: 'ocdbt', base: baseOf(name, file) };
          const theirs = await client.call<Numbers>('points', {
            spec: onDisk,
            version: String(version),
            points: BigInt64Array.from(points, BigInt),
          });
          comparison.values(`${what}, file`, theirs, await read(onDisk));
          if (name === 'numbered') continue; // neither side can list over HTTP
          const onWeb: TensorStoreSpec = { driver: 'ocdbt', base: baseOf(name, web) };
          const before = requests.length;
          const theirsOnWeb = await client.call<Numbers>('points', {
            spec: onWeb,
            version: String(version),
            points: BigInt64Array.from(points, BigInt),
          });
          const between = requests.length;
          comparison.values(`${what}, HTTP`, theirsOnWeb, await read(onWeb));
          theirRequests += between - before;
          ourRequests += requests.length - between;
          comparison.same(
            `${what}: at most as many requests as TensorStore`,
            true,
            requests.length - between <= between - before,
          );
        } catch (error) {
          comparison.failed(`${what}: ${String(error)}`);
        }
      }
      if (theirRequests > 0)
        console.log(`ocdbt: ${name}: ${ourRequests} requests, TensorStore ${theirRequests}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
