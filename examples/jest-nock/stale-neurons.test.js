import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import nock from 'nock';
import { openGraphene } from 'graphene-points';
import { buildWorld } from 'graphene-points/mocks';
import { nockMocks } from 'graphene-points/mocks/nock';
import { staleNeurons } from './stale-neurons.js';

const SERVER = 'https://pcg.example.org',
  TOKEN = 'a-token-of-the-test';

// Three neurons side by side. The first two are merged, and split again.
const makeWorld = () =>
  buildWorld({
    labels: (x) => BigInt(1 + Math.floor(x / 10)),
    size: [30, 10, 10],
    chunkSize: [10, 10, 10],
    token: TOKEN,
    edits: [
      {
        timestamp: '2024-06-05',
        merge: [
          [9, 5, 5],
          [10, 5, 5],
        ],
      },
      { timestamp: '2024-06-07', split: [[[9, 5, 5]], [[10, 5, 5]]] },
    ],
  });
const anchors = { a: [5, 5, 5], b: [15, 5, 5], c: [25, 5, 5] };

let world, mocks, neurons;
beforeAll(() => nock.disableNetConnect()); // a request to anything else fails
beforeEach(async () => {
  world = makeWorld();
  mocks = nockMocks(SERVER, world.routes);
  neurons = await saved('2024-06-04');
  world.graph.log.clear();
});
afterEach(() => mocks.restore());
afterAll(() => nock.restore());

async function saved(timestamp) {
  const volume = await openGraphene(world.cloudPath(SERVER), { token: TOKEN });
  try {
    return await Promise.all(
      Object.entries(anchors).map(async ([name, anchor]) => ({
        name,
        anchor,
        root: await volume.at(timestamp).rootAt(anchor),
      })),
    );
  } finally {
    await volume.close();
  }
}

const check = (timestamp, options) =>
  staleNeurons(world.cloudPath(SERVER), neurons, { token: TOKEN, timestamp, ...options });

test('no neuron is stale before the merge', async () =>
  expect(await check('2024-06-04T23:59:59.999Z')).toEqual([]));

test('the merge gives two neurons one new root', async () => {
  const stale = await check('2024-06-05');
  expect(stale.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(stale[0].now).toBe(stale[1].now);
});

test('a split gives new roots, not the old ones', async () => {
  const stale = await check('2024-06-08');
  expect(stale.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(new Set([...neurons.map(({ root }) => root), ...stale.map(({ now }) => now)]).size).toBe(5);
});

test('waits when the server limits the rate of requests', async () => {
  world.graph.faults.push({ match: /roots_binary/, times: 1, status: 429, headers: { 'retry-after': '0' } });
  expect(await check('2024-06-04')).toEqual([]);
  expect(world.graph.log.count('roots_binary')).toBe(2);
});

test('sends the token to the graph server, and not to the bucket', async () => {
  await check('2024-06-05');
  expect(world.graph.log.tokensByHost()).toEqual({ 'pcg.example.org': [TOKEN] });
  expect(world.bucket.log.tokensByHost()).toEqual({});
  await expect(check('2024-06-05', { token: 'expired' })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});
