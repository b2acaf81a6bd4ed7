/** A mocked server whose supervoxels split: voxels, IDs, rows, info and answers are those of version 3. */
import { describe, expect, test } from '@jest/globals';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import {
  buildWorld,
  mockRequest,
  type MockServer,
  type World,
  type WorldOptions,
} from '../../mocks/index.ts';
import { OcdbtDatabase } from '../../mocks/ocdbt/ocdbt-database.ts';

const MERGED = Date.parse('2024-06-01T00:00:00Z'),
  SPLIT = Date.parse('2024-06-02T00:00:00.123Z');
/** Two objects, each of two supervoxels in two graph chunks. */
const labels = (_x: number, y: number): bigint => (y < 16 ? 1n : 2n);
const splitWorld = (options: Partial<WorldOptions> = {}): World =>
  buildWorld({
    labels,
    size: [64, 32, 16],
    voxelOffset: [4, 0, 8],
    chunkSize: [32, 32, 16],
    table: 'splits',
    supervoxelSplits: true,
    clock: () => Date.parse('2024-06-09T00:00:00Z'),
    ...options,
  });
const OLD_VOXEL = [4, 0, 8] as const,
  PART_VOXEL = [10, 12, 9] as const,
  FAR_VOXEL = [60, 3, 10] as const;
/** Cuts at y = 8 within the first graph chunk. */
const byY = (_x: number, y: number): number => (y < 8 ? 0 : 1);

async function ask(server: MockServer, path: string, body?: Uint8Array | string): Promise<Uint8Array> {
  const reply = await server.handle(
    mockRequest('POST', `/segmentation/api/v1/table/splits/${path}`, {
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    }),
  );
  expect([path, reply.status]).toEqual([path, 200]);
  return reply.body;
}
const roots = async ({ graph }: World, ids: readonly bigint[], ms: number): Promise<bigint[]> => [
  ...idsFromBytes(await ask(graph, `roots_binary?timestamp=${ms / 1000}`, bytesOf(BigUint64Array.from(ids)))),
];
/** Whether roots are latest after all edits of a millisecond. */
const areLatest = async ({ graph }: World, ids: readonly bigint[], ms: number): Promise<boolean[]> =>
  (
    JSON.parse(
      new TextDecoder().decode(
        await ask(graph, `is_latest_roots?timestamp=${(ms + 1) / 1000}`, `{"node_ids":[${ids.join()}]}`),
      ),
    ) as { is_latest: boolean[] }
  ).is_latest;

describe('the split of a supervoxel', () => {
  const split = (options: Partial<WorldOptions> = {}) => {
    const world = splitWorld(options),
      old = world.supervoxelAt(OLD_VOXEL),
      far = world.supervoxelAt(FAR_VOXEL);
    return { world, old, far, made: world.splitSupervoxel(OLD_VOXEL, byY, { at: new Date(SPLIT) }) };
  };

  test('gives the voxels new IDs in the same graph chunk', () => {
    const { world, old, made } = split();
    expect(made.supervoxelIds).toHaveLength(2);
    expect(made.supervoxelIds).not.toContain(old);
    expect(made.supervoxelIds.map((id) => id >> 26n)).toEqual([old >> 26n, old >> 26n]);
    expect([world.supervoxelAt(OLD_VOXEL), world.supervoxelAt(PART_VOXEL)]).toEqual(made.supervoxelIds);
    expect(world.volume.valueAt(OLD_VOXEL)).toBe(old); // the volume at data_dir stays
    expect(world.supervoxelsOf(1)).toEqual([...made.supervoxelIds, world.supervoxelAt(FAR_VOXEL)]);
    expect([made.generation, world.generation()]).toEqual([2, 2]);
  });

  test('gives the parts the parents of the old supervoxel, which keeps a replaced root', async () => {
    const { world, old, far, made } = split(),
      [first, second] = made.supervoxelIds,
      ids = [old, first, second, far];
    const [before] = made.oldRootIds;
    expect(await roots(world, ids, SPLIT - 1)).toEqual([before, before, before, before]);
    const after = await roots(world, ids, SPLIT);
    expect(after[0]).toBe(before);
    expect(after[1]).not.toBe(after[2]);
    expect(after[3]).toBe(after[1]); // the far supervoxel touches both parts alike
    expect(new Set(after.slice(1))).toEqual(new Set(made.newRootIds));
    expect(await areLatest(world, [before, ...made.newRootIds], SPLIT)).toEqual([false, true, true]);
    expect(await areLatest(world, [before, ...made.newRootIds], SPLIT - 1)).toEqual([true, false, false]);
  });

  test('replaces the old supervoxel in the lists of children, also of earlier nodes', () => {
    const { world, old, far, made } = split();
    const { graph } = world.graph,
      leaves = (root: bigint): bigint[] => {
        const below = (node: number): number[] =>
          graph.isSupervoxel(node) ? [node] : [...graph.nodes.childrenOf(node)].flatMap(below);
        return [...graph.nodes.idsOf(below(graph.nodes.findId(root)))].sort();
      };
    expect(leaves(made.oldRootIds[0])).toEqual([...made.supervoxelIds, far].sort());
    expect(made.newRootIds.flatMap(leaves).sort()).toEqual([...made.supervoxelIds, far].sort());
    expect(made.newRootIds.flatMap(leaves)).not.toContain(old);
  });

  test('keeps later edits right: a merge, and its undo', async () => {
    const { world, old, far, made } = split(),
      [first, second] = made.supervoxelIds,
      other = world.supervoxelAt([10, 20, 9]);
    const merged = world.graph.merge([second, other], { at: new Date(SPLIT + 1000) });
    const partition = async (ms: number): Promise<number[]> => {
      const found = await roots(world, [first, far, second, other], ms);
      return found.map((root) => found.indexOf(root));
    };
    expect(await partition(SPLIT + 1000)).toEqual([0, 0, 2, 2]);
    world.graph.undo(merged.operationId!, { at: new Date(SPLIT + 2000) });
    expect(await partition(SPLIT + 2000)).toEqual([0, 0, 2, 3]);
    const undone = world.graph.undo(made.operationId!, { at: new Date(SPLIT + 3000) });
    expect(await partition(SPLIT + 3000)).toEqual([0, 0, 0, 3]);
    expect(undone.newRootIds).toHaveLength(1);
    expect(await roots(world, [old], SPLIT + 3000)).toEqual(made.oldRootIds);
  });

  test('can be split again, and a neighbour that was merged before keeps its edges', async () => {
    const world = splitWorld({ edits: [{ timestamp: new Date(MERGED), merge: [OLD_VOXEL, [10, 20, 9]] }] });
    const one = world.splitSupervoxel(OLD_VOXEL, byY, { at: new Date(SPLIT) }),
      two = world.splitSupervoxel(OLD_VOXEL, (x) => (x < 20 ? 0 : 1), { at: new Date(SPLIT + 1000) });
    const ids = [
      one.supervoxelIds[0],
      one.supervoxelIds[1],
      ...two.supervoxelIds,
      world.supervoxelAt(FAR_VOXEL),
    ];
    const at = async (ms: number) => {
      const found = await roots(world, ids, ms);
      return [found, await areLatest(world, found, ms)] as const;
    };
    const [, firstLatest] = await at(SPLIT);
    expect(firstLatest).toEqual([true, true, true, true, true]);
    const [, secondLatest] = await at(SPLIT + 1000);
    expect(secondLatest).toEqual([false, true, true, true, true]);
    expect(world.generation()).toBe(3);
  });

  test('leaves the parts in one object when the edit does not end', async () => {
    const world = splitWorld(),
      old = world.supervoxelAt(OLD_VOXEL),
      made = world.splitSupervoxel(OLD_VOXEL, byY, { at: new Date(SPLIT), separate: false });
    expect([made.operationId, made.newRootIds]).toEqual([null, []]);
    const found = await roots(world, [old, ...made.supervoxelIds], SPLIT);
    expect(new Set(found).size).toBe(1);
    expect(await areLatest(world, found, SPLIT)).toEqual([true, true, true]);
  });

  test('happens within a split whose points lie in one supervoxel, over HTTP', async () => {
    const world = splitWorld(),
      old = world.supervoxelAt(OLD_VOXEL);
    const nm = ([x, y, z]: readonly [number, number, number]): string => [8 * x, 8 * y, 40 * z].join();
    const reply = JSON.parse(
      new TextDecoder().decode(
        await ask(
          world.graph,
          'split?int64_as_str=1',
          `{"sources":[[${old},${nm([8, 2, 9])}]],"sinks":[[${old},${nm([8, 13, 9])}]]}`,
        ),
      ),
    ) as { new_root_ids: string[] };
    expect(reply.new_root_ids).toHaveLength(2);
    const [first, second] = [world.supervoxelAt(OLD_VOXEL), world.supervoxelAt(PART_VOXEL)];
    expect(new Set([old, first, second]).size).toBe(3);
    const found = await roots(world, [first, second], Date.parse('2024-06-09T01:00:00Z'));
    expect(found.map(String).sort()).toEqual([...reply.new_root_ids].sort());
  });

  test('is refused where it is none', () => {
    const world = splitWorld();
    expect(() => world.splitSupervoxel(OLD_VOXEL, () => 0)).toThrow(RangeError);
    expect(() => world.splitSupervoxel([0, 0, 0], byY)).toThrow(RangeError);
    const plain = splitWorld({ supervoxelSplits: false });
    expect(() => plain.splitSupervoxel(OLD_VOXEL, byY)).toThrow(TypeError);
    expect(plain.generation()).toBeUndefined();
  });
});

describe('the info', () => {
  const infoOf = async (world: World): Promise<{ graph: Record<string, unknown>; data_dir: string }> => {
    const { body } = await world.graph.handle(
      mockRequest('GET', '/segmentation/table/splits/info', { origin: 'http://h:1' }),
    );
    return JSON.parse(new TextDecoder().decode(body)) as never;
  };
  test('names the fork of the graph, and the unsplit volume', async () => {
    const { graph, data_dir: dataDir } = await infoOf(splitWorld());
    expect(dataDir).toBe('http://h:1/bucket');
    expect(graph).toMatchObject({
      ocdbt_seg: true,
      ocdbt_kvstore_spec: {
        driver: 'ocdbt',
        base: {
          driver: 'kvstack',
          layers: [
            { base: 'http://h:1/bucket/ocdbt/base/' },
            { exact: 'manifest.ocdbt', base: 'http://h:1/bucket/ocdbt/splits/manifest.ocdbt' },
            { prefix: 'splits_d/', base: 'http://h:1/bucket/ocdbt/splits/splits_d/' },
          ],
        },
      },
    });
  });
  test('names the shared copy as earlier servers do', async () => {
    const { graph } = await infoOf(splitWorld({ supervoxelSplits: 'shared' }));
    expect(graph).toMatchObject({ ocdbt_seg: true, ocdbt_path: 'ocdbt/base' });
    expect(graph).not.toHaveProperty('ocdbt_kvstore_spec');
  });
  test('says nothing of OCDBT by default', async () => {
    const world = splitWorld({ supervoxelSplits: undefined });
    expect((await infoOf(world)).graph).not.toHaveProperty('ocdbt_seg');
    expect(Object.keys(world.volume.files).filter((key) => key.startsWith('ocdbt/'))).toEqual([]);
  });
});

test('unknown IDs alone are answered with 0, not echoed', async () => {
  const unknown = (1n << 56n) | 12_345n;
  expect(await roots(splitWorld(), [unknown], SPLIT)).toEqual([0n]);
  expect(await roots(splitWorld({ supervoxelSplits: false }), [unknown], SPLIT)).toEqual([unknown]);
});

describe('a commit', () => {
  test('adds one data file and replaces the manifest, and a fork writes elsewhere', () => {
    const base = new OcdbtDatabase(),
      text = (value: string) => new TextEncoder().encode(value);
    const first = base.commit(new Map([['a', text('1')]]), 1000),
      fork = base.fork('own/'),
      second = fork.commit(new Map([['b', text('2'.repeat(200))]]), 2000);
    expect(Object.keys(first)).toEqual([expect.stringMatching(/^d\/[0-9a-f]{32}$/), 'manifest.ocdbt']);
    expect(Object.keys(second)).toEqual([expect.stringMatching(/^own\/[0-9a-f]{32}$/), 'manifest.ocdbt']);
    expect([base.generation, fork.generation]).toEqual([1, 2]);
  });
  test('needs at least one key', () =>
    expect(() => new OcdbtDatabase().commit(new Map(), 0)).toThrow(RangeError));
});
