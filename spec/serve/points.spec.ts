import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BEFORE, MERGED_AT, OFFSET, rootOf } from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';
import { startServiceWorld, type ServiceWorld } from './service-world.ts';

let world: ServiceWorld;
beforeAll(async () => void (world = await startServiceWorld()));
afterAll(() => world.close());

interface Answered {
  timestamp: string | null;
  supervoxel_id: (string | null)[];
  root_id?: (string | null)[];
  status: string[];
  error: { message: string };
}
const ask = async (path: string, body: unknown): Promise<{ status: number; json: Answered }> => {
  const reply = await fetch(world.service.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, json: (await reply.json()) as Answered };
};

/** A point of supervoxel 1 of chunk (1, 0), one of background, one out of bounds. */
const POINTS = [
  [OFFSET[0] + 9, OFFSET[1], OFFSET[2]],
  [OFFSET[0], OFFSET[1], OFFSET[2]],
  [0, 0, 0],
];

describe('the service', () => {
  test('answers supervoxels, roots and statuses in the order of the points', async () => {
    const { status, json } = await ask(`/v1/world/points?timestamp=${BEFORE}`, { points: POINTS });
    expect(status).toBe(200);
    expect(json).toEqual({
      timestamp: BEFORE,
      supervoxel_id: [String(supervoxel([1, 0, 0], 1)), null, null],
      root_id: [String(rootOf(0, 1)), null, null],
      status: ['ok', 'background', 'out_of_bounds'],
    });
  });

  test('answers the roots of another timestamp', async () => {
    const { json } = await ask(`/v1/world/points?timestamp=${MERGED_AT}`, { points: [POINTS[0]] });
    expect(json.root_id).not.toEqual([String(rootOf(0, 1))]);
  });

  test('answers supervoxels of a volume without a graph', async () => {
    const { json } = await ask('/v1/watershed/points', { points: POINTS });
    expect(json.supervoxel_id[0]).toBe(String(supervoxel([1, 0, 0], 1)));
    expect(json).not.toHaveProperty('root_id');
  });

  test.each([
    ['/v1/nothing/points', { points: [] }, 404],
    ['/v1/world/points?when=now', { points: [] }, 400],
    ['/v1/world/points?resolution=4,4', { points: [] }, 400],
    ['/v1/world/points?timestamp=yesterday', { points: [[1, 2, 3]] }, 400],
    ['/v1/world/points', { points: [[1, 2]] }, 400],
    ['/v1/watershed/points?timestamp=now', { points: [] }, 400],
  ])('refuses %s with %j', async (path, body, expected) => {
    const { status, json } = await ask(path, body);
    expect(status).toBe(expected);
    expect(json.error.message).not.toBe('');
  });
});
