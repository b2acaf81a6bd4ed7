/** What a server's data_dir may name, and the error when it names something else. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { openGraphene } from '../../lib/index.ts';
import { GRAPH_INFO } from '../../testing/graph-world.ts';

beforeAll(() => nock.disableNetConnect());
afterEach(() => nock.cleanAll());
afterAll(() => nock.restore());

const open = (dataDir: unknown) => {
  nock('https://h.example.org')
    .get('/segmentation/table/t/info')
    .reply(200, JSON.stringify({ ...GRAPH_INFO, data_dir: dataDir }));
  return openGraphene('graphene://https://h.example.org/segmentation/table/t', { token: null, retries: 0 });
};

describe('a data_dir', () => {
  test.each([
    [
      'matrix://bucket/ws',
      'PathError',
      'FORBIDDEN_ADDRESS',
      /matrix:\/\/ is not supported.*s3:\/\/BUCKET\/PATH.*endpoint.*dataDir/,
    ],
    [
      'tigerdata://bucket/ws',
      'PathError',
      'FORBIDDEN_ADDRESS',
      /tigerdata:\/\/ is not supported.*endpoint.*dataDir/,
    ],
    ['precomputed://ftp://bucket/ws', 'PathError', 'FORBIDDEN_ADDRESS', /ftp:\/\/ is not supported/],
    [
      's3+https://s3.example.org/bucket/ws',
      'PathError',
      'FORBIDDEN_ADDRESS',
      /may not name the endpoint of a bucket.*dataDir/,
    ],
    [
      's3://https://s3.example.org/bucket/ws',
      'PathError',
      'FORBIDDEN_ADDRESS',
      /may not name the endpoint of a bucket/,
    ],
    ['', 'InfoError', 'BAD_INFO', /data_dir is empty; pass the path of the watershed as dataDir/],
    ['  ', 'InfoError', 'BAD_INFO', /data_dir is empty/],
    [null, 'InfoError', 'BAD_INFO', /has no data_dir/],
    ['file:///etc', 'PathError', 'FORBIDDEN_ADDRESS', /may not point at local files/],
    ['/etc', 'PathError', 'FORBIDDEN_ADDRESS', /may not point at local files/],
    ['mem://x', 'PathError', 'FORBIDDEN_ADDRESS', /may not point at local files/],
    [
      'graphene://https://h.example.org/segmentation/table/t',
      'PathError',
      'BAD_PATH',
      /is a chunkedgraph and not a bucket/,
    ],
    ['gs://bucket/ws|zip:', 'PathError', 'UNSUPPORTED_SCHEME', /\|zip: is not supported/],
  ])('%j is refused with an error that says why', async (dataDir, name, code, message) => {
    await expect(open(dataDir)).rejects.toMatchObject({
      name,
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each([
    'gs://bucket/ws',
    ' GS://bucket/ws/ ',
    'precomputed://gs://bucket/ws',
    'gs://bucket/ws/|neuroglancer-precomputed:',
    's3+https://bucket.s3.us-west-2.amazonaws.com/ws',
  ])('%j is opened', async (dataDir) => {
    await (await open(dataDir)).close();
  });
});
