/**
 * Compares CloudVolume and CAVEclient with graphene-points on a running PyChunkedGraph server: see README.md.
 */
import { readFileSync } from 'node:fs';
import { compareCaveClient } from './caveclient.ts';
import { compareCloudVolume } from './cloudvolume.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';
import type { World } from './worlds.ts';

/** The JSON that describes the server. */
interface Ready {
  url: string;
  table: string;
  layers: number;
  base_timestamp: number;
  supervoxels: string[];
  edits: { timestamp: number }[];
}

interface Info {
  data_dir: string;
  scales: { voxel_offset: [number, number, number]; size: [number, number, number] }[];
}

/** @param ready The JSON that describes the server: a file or a URL. */
export const pcg =
  (ready: string | undefined): Part =>
  async ({ python, comparison }) => {
    if (ready === undefined)
      throw new Error(
        'the part pcg needs a running server: set --pcg-ready to the file or the URL of the JSON that describes it',
      );
    const world = await worldOf(
      JSON.parse(
        /^https?:/.test(ready) ? await (await fetch(ready)).text() : readFileSync(ready, 'utf8'),
      ) as Ready,
    );
    await using cave = new PythonClient(python, 'caveclient_client.py');
    await compareCaveClient(cave, world, comparison);
    await using cloudvolume = new PythonClient(python, 'cloudvolume_client.py');
    await compareCloudVolume(cloudvolume, world, comparison);
  };

async function worldOf({
  url: origin,
  table,
  layers,
  base_timestamp: base,
  supervoxels,
  edits,
}: Ready): Promise<World> {
  const infoUrl = `${origin}/segmentation/table/${table}/info`;
  const { data_dir: dataDir, scales } = (await (await fetch(infoUrl)).json()) as Info;
  const [{ voxel_offset: min, size }] = scales;
  return {
    name: 'PyChunkedGraph',
    origin,
    table,
    layers,
    dataDir,
    cloudPath: `graphene://${origin}/segmentation/table/${table}`,
    box: { min, max: [min[0] + size[0], min[1] + size[1], min[2] + size[2]] },
    supervoxels: BigUint64Array.from(supervoxels, BigInt),
    baseMs: Math.round(base * 1000),
    editsMs: edits.map(({ timestamp }) => Math.round(timestamp * 1000)),
    [Symbol.asyncDispose]: async () => undefined, // the server keeps running
  };
}
