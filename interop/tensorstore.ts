/** Compares TensorStore with graphene-points: every voxel of all fixture volumes that it can read. */
import { createMockBucket, serveMocks } from 'graphene-points/mocks';
import { fixtureVolumes, VOLUMES_FOLDER } from '../testing/fixtures.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';
import { compareEveryVoxel } from './volumes.ts';

const READ_BY_TENSORSTORE = ['raw', 'compressed_segmentation'];

export const tensorstore: Part = async ({ python, comparison }) => {
  await using served = await serveMocks({ '/': createMockBucket({ folder: VOLUMES_FOLDER }) });
  await using client = new PythonClient(python, 'tensorstore_client.py');
  for (const { name } of fixtureVolumes({ encodings: READ_BY_TENSORSTORE }))
    await compareEveryVoxel(client, '', `${served.url}/${name}`, name, comparison);
};
