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
  ])('refuses %j: %s', (path, code, words) => {
    expect(() => normalizeCloudPath(path)).toThrow(
      expect.objectContaining({ name: 'PathError', code, message: expect.stringContaining(words) }),
    );
  });
});
