/** Compares the voxels of a mocked graph whose supervoxels split with what TensorStore reads of every generation. */
import { buildWorld, serveWorld, type WorldOptions } from 'graphene-points/mocks';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';

const SIZE = [70, 40, 20] as const,
  OFFSET = [5, 0, 8] as const;
const FIRST_MS = Date.parse('2024-06-02T00:00:00Z');

const CASES: Record<string, Partial<WorldOptions>> = {
  'a fork': { supervoxelSplits: true, mips: 2 },
  'the shared copy': { supervoxelSplits: 'shared' },
  'a fork of many small chunks': {
    supervoxelSplits: true,
    chunkSize: [8, 8, 8],
    graphChunkSize: [32, 32, 16],
    encoding: 'compressed_segmentation',
  },
};

export const supervoxelSplits: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'tensorstore_client.py');
  for (const [what, options] of Object.entries(CASES)) {
    const world = buildWorld({
      labels: (x, y, z) => BigInt(1 + Math.floor(x / 20) + Math.floor(y / 20) + Math.floor(z / 15)),
      size: SIZE,
      voxelOffset: OFFSET,
      chunkSize: [32, 32, 16],
      graphChunkSize: [32, 32, 16],
      base_timestamp: '2024-06-01',
      ...options,
    });
    await using served = await serveWorld(world);
    const spec = await specOf(`${served.url}/segmentation/table/mock/info`);
    // More splits than the manifest has room for: older versions move into the version tree.
    const truth = [everyVoxel(world.supervoxelAt)];
    for (let k = 0; k < 20; k++) {
      const voxel = [5 + ((7 * k) % 60), (11 * k) % 40, 8 + ((5 * k) % 20)] as const,
        axis = k % 3;
      const isPast = (...xyz: number[]): number => (xyz[axis] > voxel[axis] ? 1 : 0);
      try {
        world.splitSupervoxel(voxel, isPast, { at: new Date(FIRST_MS + 1000 * truth.length) });
      } catch (error) {
        if (error instanceof RangeError) continue; // the cut leaves one part
        throw error;
      }
      truth.push(everyVoxel(world.supervoxelAt));
    }
    for (const [k, expected] of truth.entries()) {
      const time = new Date(FIRST_MS + 1000 * k + 500).toISOString();
      for (const version of [String(k + 1), ...(k > 0 ? [time] : [])]) {
        const theirs = await client.call<BigUint64Array>('version', {
          spec: JSON.stringify(spec),
          mip: 0,
          version,
        });
        comparison.values(`${what}, version ${version}`, theirs, expected);
      }
    }
  }
};

/** Returns the TensorStore spec that the info names. */
async function specOf(infoUrl: string): Promise<object> {
  const { graph, data_dir: dataDir } = (await (await fetch(infoUrl)).json()) as {
    graph: { ocdbt_path?: string; ocdbt_kvstore_spec?: object };
    data_dir: string;
  };
  return graph.ocdbt_kvstore_spec ?? { driver: 'ocdbt', base: `${dataDir}/${graph.ocdbt_path}/` };
}

function everyVoxel(labelAt: (voxel: [number, number, number]) => bigint): BigUint64Array {
  const labels = new BigUint64Array(SIZE[0] * SIZE[1] * SIZE[2]);
  let at = 0;
  for (let z = 0; z < SIZE[2]; z++)
    for (let y = 0; y < SIZE[1]; y++)
      for (let x = 0; x < SIZE[0]; x++) labels[at++] = labelAt([x + OFFSET[0], y + OFFSET[1], z + OFFSET[2]]);
  return labels;
}
