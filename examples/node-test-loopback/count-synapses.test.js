import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { buildWorld, serveWorld } from 'graphene-points/mocks';
import { countSynapses } from './count-synapses.js';

// Two neurons, x below and above 20, with a gap of background. A proofreader merges them at 10:10.
const world = buildWorld({
  labels: (x) => (x === 20 ? 0n : x < 20 ? 1n : 2n),
  size: [40, 20, 10],
  chunkSize: [16, 16, 10],
  edits: [
    {
      timestamp: '2024-06-05T10:10:00Z',
      merge: [
        [19, 5, 5],
        [21, 5, 5],
      ],
    },
  ],
});
const points = [
  [1, 1, 1],
  [18, 9, 3],
  [20, 9, 3],
  [30, 2, 2],
]; // the third is background

let served;
before(async () => void (served = await serveWorld(world)));
afterEach(() => {
  world.graph.faults.length = 0;
  world.graph.log.clear();
});
after(() => served.close());

const sizes = (counts) => [...counts.values()].sort();

test('counts synapses by neuron, before and after a merge', async () => {
  assert.deepEqual(
    sizes(await countSynapses(served.cloudPath, points, { timestamp: '2024-06-05T10:09:59Z' })),
    [1, 2],
  );
  assert.deepEqual(
    sizes(await countSynapses(served.cloudPath, points, { timestamp: '2024-06-05T10:10:00Z' })),
    [3],
  );
});

test('sends one request for the roots of all points', async () => {
  await countSynapses(served.cloudPath, points, { timestamp: '2024-06-05' });
  assert.equal(world.graph.log.count('roots_binary'), 1);
});

test('retries two failed requests', async () => {
  world.graph.faults.push({ match: /roots_binary/, times: 2, status: 503, headers: { 'retry-after': '0' } });
  assert.deepEqual(sizes(await countSynapses(served.cloudPath, points, { timestamp: '2024-06-05' })), [1, 2]);
  assert.deepEqual(
    world.graph.log.matching('roots_binary').map(({ status }) => status),
    [503, 503, 200],
  );
});

test('throws when the server refuses, and does not count 0 synapses', async () => {
  world.graph.faults.push({ match: /roots_binary/, status: 403 });
  await assert.rejects(countSynapses(served.cloudPath, points, { timestamp: '2024-06-05' }), {
    code: 'PARTIAL',
  });
});
