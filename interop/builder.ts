/**
 * Compares CloudVolume and TensorStore with graphene-points on volumes that `buildPrecomputed` writes: every
 * voxel.
 */
import { buildPrecomputed, createMockBucket, serveMocks } from 'graphene-points/mocks';
import { BUILT_CASES } from '../testing/built-volumes.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';
import { compareEveryVoxel } from './volumes.ts';

export const builder: Part = async ({ python, comparison }) => {
  await using cloudvolume = new PythonClient(python, 'cloudvolume_client.py');
  await using tensorstore = new PythonClient(python, 'tensorstore_client.py');
  for (const [k, { name, options, cloudVolumeOnly }] of BUILT_CASES.entries()) {
    await using served = await serveMocks({
      [`/${k}`]: createMockBucket({ files: buildPrecomputed(options).files }),
    });
    const url = `${served.url}/${k}`; // a port may be reused, and clients cache by URL
    await compareEveryVoxel(cloudvolume, 'precomputed://', url, `${name}, CloudVolume`, comparison);
    if (!cloudVolumeOnly) await compareEveryVoxel(tensorstore, '', url, `${name}, TensorStore`, comparison);
  }
};
