import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import got from 'got';
import nock from 'nock';
import { openGraphene, openPrecomputed } from '../../lib/index.ts';
import { createMockBucket } from '../../mocks/index.ts';
import { nockMocks } from '../../mocks/nock.ts';
import { mountContract, type Mount } from './contract.ts';
import { faultContract } from './fault-contract.ts';

beforeAll(() => nock.disableNetConnect());
// Specs of one worker share Node's http, so the patches of nock are undone for the next file.
afterAll(() => nock.restore());

const mount: Mount = (routes) => {
  const origin = 'https://pcg.example.org';
  const mocks = nockMocks(origin, routes);
  return { origin, unmount: () => mocks.restore() };
};
mountContract('nock', mount);
faultContract('nock', mount);

describe('nockMocks', () => {
  test('leaves no interceptor pending, with or without requests', async () => {
    const mocks = nockMocks('https://mocked.example.org', {
      '/bucket': createMockBucket({ files: { info: Buffer.from('{}') } }),
    });
    expect([nock.isDone(), nock.pendingMocks()]).toEqual([true, []]);
    expect(await got('https://mocked.example.org/bucket/info').text()).toBe('{}');
    expect(await got('https://mocked.example.org/bucket/info').text()).toBe('{}');
    expect([nock.isDone(), nock.pendingMocks()]).toEqual([true, []]);
    mocks.restore();
  });

  test("nock's word about a blocked host is in the error, without the request's query", async () => {
    const open = openPrecomputed('https://other.example.org/v?signature=abc', { retries: 0 });
    await expect(open).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringMatching(/Nock: Disallowed net connect for "other\.example\.org[^?]*$/),
    });
    const graph = openGraphene('graphene://https://other.example.org/segmentation/table/t', {
      token: null,
      retries: 0,
    });
    await expect(graph).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining('Nock: Disallowed net connect for "other.example.org'),
    });
  });

  test('removes only its own interceptors on restore()', async () => {
    const bucket = createMockBucket({ files: { info: Buffer.from('{}') } });
    const mocks = nockMocks('https://mocked.example.org', { '/bucket': bucket });
    nock('https://other.example.org').get('/').reply(200, 'still here');
    expect(await got('https://mocked.example.org/bucket/info').text()).toBe('{}');
    mocks.restore();
    await expect(
      got('https://mocked.example.org/bucket/info', { retry: { limit: 0 } }),
    ).rejects.toMatchObject({ code: 'ERR_NOCK_NO_MATCH' });
    expect(await got('https://other.example.org/').text()).toBe('still here');
    expect(nock.isDone()).toBe(true);
  });
});
