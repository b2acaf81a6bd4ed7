import { describe, expect, test } from '@jest/globals';
import { normalizeCloudPath } from '../../../lib/graphene/resolve/cloud-path.ts';

describe('cloudPath', () => {
  test.each([
    ['gs://b/p', 'gs://b/p'],
    [' \tgs://b/p\n', 'gs://b/p'],
    ['GS://Bucket/P', 'gs://Bucket/P'],
    ['precomputed://GS://b/p', 'gs://b/p'],
    ['Precomputed://https://h/p', 'https://h/p'],
    ['gs://b/p/|neuroglancer-precomputed:', 'gs://b/p/'],
    ['gs://b/p/|Precomputed:|', 'gs://b/p/'],
    ['gs://b/p | neuroglancer-precomputed: ', 'gs://b/p'],
    ['v|neuroglancer-precomputed:', 'v'],
    ['middleauth+https://h/p/|neuroglancer-precomputed:', 'middleauth+https://h/p/'],
    ['https://h/segmentation/table/t/|graphene:', 'graphene://https://h/segmentation/table/t'],
    [
      'Middleauth+HTTPS://h/segmentation/table/t|graphene:',
      'graphene://middleauth+https://h/segmentation/table/t',
    ],
    ['graphene://https://h/segmentation/table/t/|graphene:', 'graphene://https://h/segmentation/table/t'],
    [
      'Graphene://Middleauth+https://h/segmentation/table/T',
      'graphene://middleauth+https://h/segmentation/table/T',
    ],
    ['CAVE://minnie65_public', 'cave://minnie65_public'],
    ['folder|with a bar', 'folder|with a bar'],
    ['a|b:/c|d', 'a|b:/c|d'],
    ['s3://https://host/b/p', 's3://https://host/b/p'],
    ['HTTPS://h/db/|ocdbt:|neuroglancer-precomputed:', 'https://h/db/|ocdbt:'],
    ['https://h/db|ocdbt:@v12/|neuroglancer-precomputed:', 'https://h/db/|ocdbt:@v12'],
    [
      'gs://b/db/ | ocdbt:@2024-06-05T10:10:01.203Z/seg/ws%201/ | precomputed:',
      'gs://b/db/|ocdbt:@2024-06-05T10:10:01.203Z/seg/ws%201',
    ],
    ['precomputed://file:///x/|ocdbt:seg/', 'file:///x/|ocdbt:seg'],
    ['db/|OCDBT:in/|ocdbt:@v2', 'db/|ocdbt:in|ocdbt:@v2'],
    [
      '{ "driver": "neuroglancer_precomputed", "kvstore": { "driver": "ocdbt", "base": "gs://b/db" }, "path": "ws" }',
      'gs://b/db/|ocdbt:ws',
    ],
    [
      '{"driver":"ocdbt","version":3,"path":"a","base":{"driver":"http","base_url":"https://h/x?q=1","path":"d b"}}',
      'https://h/x/d%20b/?q=1|ocdbt:@v3/a',
    ],
    ['{"driver":"neuroglancer_precomputed","kvstore":"gs://b/v/","open":true}', 'gs://b/v/'],
    ['{"driver":"file","path":"/v"}', '/v'],
    ['{"driver":"gcs","bucket":"b","path":"v/","context":{}}', 'gs://b/v/'],
    ['{"driver":"s3","bucket":"b","path":"v","endpoint":"http://h:9/"}', 's3+http://h:9/b/v'],
    [
      '{"driver":"ocdbt","base":{"driver":"kvstack","layers":[{"base":"gs://b/a/"},{"base":"gs://b/m","exact":"m"},{"base":"gs://b/f/","prefix":"f_","strip_prefix":1}]},"path":"ws"}',
      '{"driver":"ocdbt","base":{"driver":"kvstack","layers":[{"base":"gs://b/a/"},{"base":"gs://b/m","exact":"m"},{"base":"gs://b/f/","prefix":"f_","strip_prefix":1}],"path":""},"path":"ws"}',
    ],
  ])('%j is %s', (path, meant) => expect(normalizeCloudPath(path)).toBe(meant));

  test.each([
    [
      'gs://b/v.zip|zip:v/|neuroglancer-precomputed:',
      'UNSUPPORTED_SCHEME',
      '|zip:v/|neuroglancer-precomputed:',
    ],
    ['gs://b/v|zarr3:', 'UNSUPPORTED_SCHEME', '|zarr3: is not supported'],
    ['gs://b/v|neuroglancer-precomputed:#type=mesh', 'UNSUPPORTED_SCHEME', '#type=mesh'],
    ['graphene://https://h/segmentation/table/t|neuroglancer-precomputed:', 'BAD_PATH', 'is a chunkedgraph'],
    [undefined as unknown as string, 'BAD_PATH', 'a string'],
    ['gs://b/db/|ocdbt:@12/|neuroglancer-precomputed:', 'BAD_PATH', 'names no version'],
    ['gs://b/db/|ocdbt:@v0/', 'BAD_PATH', 'names no version'],
    ['gs://b/db/|ocdbt:@2024-02-31T00:00:00Z/', 'BAD_PATH', 'names no version'],
    ['gs://b/db/|ocdbt:%ff/', 'BAD_PATH', 'not percent-encoded UTF-8'],
    ['gs://b/db/|ocdbt:|zarr:', 'UNSUPPORTED_SCHEME', '|ocdbt:|zarr: is not supported'],
    ['gs://b/db/|ocdbt:|graphene:', 'UNSUPPORTED_SCHEME', 'is not supported'],
    ['gs://b/db.zip|zip:x/|ocdbt:', 'UNSUPPORTED_SCHEME', 'is not supported'],
    ['{"driver":', 'BAD_PATH', 'not the JSON of a TensorStore spec'],
    ['{"driver":"zarr3","kvstore":"gs://b/v"}', 'UNSUPPORTED_SCHEME', '"zarr3" is not supported'],
    ['{"driver":"neuroglancer_precomputed"}', 'BAD_PATH', 'no kvstore'],
    ['{"driver":"neuroglancer_precomputed","kvstore":"gs://b/v","scale_index":2}', 'BAD_PATH', 'option mip'],
    ['{"driver":"ocdbt"}', 'BAD_PATH', 'no base'],
    ['{"driver":"ocdbt","base":"gs://b/","version":0}', 'BAD_PATH', 'is not a version'],
    ['{"driver":"ocdbt","base":"gs://b/","versoin":3}', 'BAD_PATH', '"versoin"'],
    ['{"driver":"gcs","bucket":"b","gcs_user_project":"p"}', 'BAD_PATH', 'storage.requesterPays'],
    ['{"driver":"kvstack","layers":{}}', 'BAD_PATH', 'no list'],
    ['{"driver":"kvstack","layers":[{"base":"gs://b/","suffix":"x"}]}', 'BAD_PATH', '"suffix"'],
  ])('refuses %j: %s', (path, code, words) => {
    expect(() => normalizeCloudPath(path)).toThrow(
      expect.objectContaining({ name: 'PathError', code, message: expect.stringContaining(words) }),
    );
  });
});
