import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import { memoryBucket, openGraphene, openPrecomputed } from '../../lib/index.ts';
import { createMockChunkedGraph, type MockChunkedGraph } from '../../mocks/chunkedgraph.ts';
import type { GraphDescription } from '../../mocks/graph-description.ts';
import { mockRequest } from '../../mocks/message.ts';
import { graphFromVolume } from '../../mocks/volume/graph-from-volume.ts';
import { buildWorld, serveWorld, writeWorld, type World } from '../../mocks/world.ts';

type Voxel = [number, number, number];

const CHANGED = '2024-06-05T10:10:01.203Z',
  BEFORE = '2024-06-05T10:10:01.202Z';

async function rootsOf(
  graph: MockChunkedGraph,
  supervoxels: readonly bigint[],
  timestamp: string,
): Promise<bigint[]> {
  const path = `/segmentation/api/v1/table/${graph.table}/roots_binary?timestamp=${Date.parse(timestamp) / 1000}`;
  const { body } = await graph.handle(
    mockRequest('POST', path, { body: bytesOf(BigUint64Array.from(supervoxels)) }),
  );
  return [...idsFromBytes(body)];
}

/**
 * Three slabs of 8 voxels along x. There is background between the first two, and object 1 again at the far
 * end.
 */
const slabs = (x: number): bigint => (x === 8 ? 0n : [1n, 2n, 3n, 1n][Math.floor(x / 8)]);

const slabWorld = (options: Partial<Parameters<typeof buildWorld>[0]> = {}): World =>
  buildWorld({ labels: slabs, size: [32, 5, 3], chunkSize: [16, 4, 4], ...options });

describe('buildWorld', () => {
  test('builds a world in five lines, with a merge and a split in one line each', async () => {
    const world = slabWorld({
      edits: [
        {
          timestamp: CHANGED,
          merge: [
            [17, 1, 1],
            [9, 1, 1],
          ],
        },
        { timestamp: '2024-06-06', split: [[[17, 1, 1]], [[9, 1, 1]]] },
      ],
    });
    await using served = await serveWorld(world);
    await using volume = await openGraphene(served.cloudPath, { token: null });
    const partition = async (timestamp: string): Promise<(number | string)[]> => {
      const { rootIds, status } = await volume.at(timestamp).scatteredPoints([
        [0, 0, 0],
        [8, 0, 0],
        [9, 4, 2],
        [17, 0, 0],
        [31, 0, 0],
        [32, 0, 0],
      ]);
      return [...rootIds].map((root, k) =>
        status[k] === 1 ? [...rootIds].indexOf(root) : status[k] === 2 ? 'background' : 'outside',
      );
    };
    expect(await partition(BEFORE)).toEqual([0, 'background', 2, 3, 0, 'outside']);
    expect(await partition(CHANGED)).toEqual([0, 'background', 2, 2, 0, 'outside']);
    expect(await partition('2024-06-07')).toEqual([0, 'background', 2, 3, 0, 'outside']);
    expect(world.graph.log.byRoute()).toEqual({
      'GET /segmentation/table/mock/info': 1,
      'POST /segmentation/api/v1/table/mock/roots_binary': 3,
    });
  });

  describe('edits by root and point in a small world', () => {
    const size = [24, 5, 3] as const;
    const world = (strict: boolean): World =>
      buildWorld({ labels: (x) => (x < 11 ? 1n : 2n), size: [...size], chunkSize: [8, 4, 2], strict });
    const post = async (
      { graph }: World,
      path: string,
      body: unknown,
    ): Promise<{ status: number; json: Record<string, unknown> }> => {
      const text = JSON.stringify(body, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      const answer = await graph.handle(
        mockRequest('POST', `/segmentation/api/v1/table/mock/${path}`, { body: Buffer.from(text) }),
      );
      return {
        status: answer.status,
        json: JSON.parse(Buffer.from(answer.body).toString()) as Record<string, unknown>,
      };
    };
    const inNm = ({ volume }: World, voxel: readonly number[]): number[] =>
      voxel.map((v, axis) => v * volume.info.scales[0].resolution[axis]);
    const rootAt = async (built: World, voxel: Voxel): Promise<bigint> =>
      (await rootsOf(built.graph, [built.supervoxelAt(voxel)], '2099-01-01'))[0];
    const corners = [
      [0, 0],
      [4, 0],
      [0, 2],
      [4, 2],
      [2, 1],
    ].map(([y, z]) => ({ y, z }));

    test.each(corners)('are possible near the edge of a strict volume: y $y, z $z', async ({ y, z }) => {
      const built = world(true),
        left: Voxel = [0, y, z],
        right: Voxel = [23, y, z],
        edge: Voxel[] = [
          [10, y, z],
          [11, y, z],
        ];
      const point = async (voxel: Voxel): Promise<unknown[]> => [
        await rootAt(built, voxel),
        ...inNm(built, voxel),
      ];
      expect(await rootAt(built, left)).not.toBe(await rootAt(built, right));
      expect(await post(built, 'merge', [await point(edge[0]), await point(edge[1])])).toMatchObject({
        status: 200,
      });
      expect(await rootAt(built, left)).toBe(await rootAt(built, right));
      const sides = { sources: [await point(edge[0])], sinks: [await point(edge[1])] };
      expect(await post(built, 'split?mincut=false', sides)).toMatchObject({ status: 200 });
      expect(await rootAt(built, left)).not.toBe(await rootAt(built, right));
    });

    test('refuse a point outside the volume', async () => {
      const built = world(true),
        root = await rootAt(built, [0, 0, 0]),
        other = await rootAt(built, [23, 0, 0]);
      const answer = await post(built, 'merge', [
        [root, ...inNm(built, [-900, 0, 0])],
        [other, ...inNm(built, [23, 0, 0])],
      ]);
      expect([answer.status, answer.json.message]).toEqual([
        400,
        expect.stringContaining('Could not determine supervoxel ID'),
      ]);
    });

    test('fail when the search leaves the volume, as on the real server', async () => {
      const built = world(false);
      const points = await Promise.all(
        (
          [
            [10, 2, 1],
            [11, 2, 1],
          ] as Voxel[]
        ).map(async (voxel) => [await rootAt(built, voxel), ...inNm(built, voxel)]),
      );
      expect(await post(built, 'merge', points)).toMatchObject({
        status: 500,
        json: { message: expect.stringContaining('cannot be outside of inclusive range') },
      });
    });
  });

  test('numbers supervoxels by layer, graph chunk and first voxel', () => {
    const { supervoxelAt, supervoxelsOf, description } = slabWorld({
      voxelOffset: [100, 10, 1],
      labels: (x) => slabs(x - 100),
      graphChunkSize: [16, 8, 8],
    });
    const id = (x: number, segment: number): bigint => (1n << 56n) | (BigInt(x) << 46n) | BigInt(segment);
    expect([
      supervoxelAt([100, 10, 1]),
      supervoxelAt([109, 14, 3]),
      supervoxelAt([116, 10, 1]),
      supervoxelAt([131, 14, 3]),
    ]).toEqual([id(0, 1), id(0, 2), id(1, 1), id(1, 2)]);
    expect([supervoxelAt([108, 10, 1]), supervoxelAt([99, 10, 1])]).toEqual([0n, 0n]);
    expect([supervoxelsOf(1), supervoxelsOf(3n), supervoxelsOf(9)]).toEqual([
      [id(0, 1), id(1, 2)],
      [id(1, 1)],
      [],
    ]);
    expect(description).toMatchObject({
      table: 'mock',
      info: { graph: { chunk_size: [16, 8, 8], n_layers: 3 }, scales: [{ chunk_sizes: [[16, 4, 4]] }] },
    });
  });

  test('cuts objects into supervoxels of a size, and connects them across all borders', async () => {
    const { graph, supervoxelsOf, supervoxelAt } = slabWorld({ labels: () => 7n, supervoxelSize: [4, 2, 3] });
    const ids = supervoxelsOf(7);
    expect(ids).toHaveLength(8 * 3); // 32 / 4; 2, 2 and 1 of 5; one of 3
    expect(
      new Set([
        supervoxelAt([4, 2, 0]),
        supervoxelAt([7, 3, 2]),
        supervoxelAt([8, 2, 0]),
        supervoxelAt([4, 4, 0]),
      ]).size,
    ).toBe(3);
    expect(new Set(await rootsOf(graph, ids, BEFORE)).size).toBe(1);
  });

  test('gives each object one root, whatever its shape', async () => {
    const world = fc.record({
      size: fc.tuple(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
      ),
      chunkSize: fc.tuple(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
      ),
      pick: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 210, maxLength: 210 }),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ size, chunkSize, pick }) => {
        const labels = BigUint64Array.from(pick.slice(0, size[0] * size[1] * size[2]), BigInt);
        const { graph, supervoxelAt, description } = buildWorld({ labels, size, chunkSize });
        const voxels = Array.from(labels, (_, k): Voxel => [
          k % size[0],
          Math.floor(k / size[0]) % size[1],
          Math.floor(k / size[0] / size[1]),
        ]);
        const ids = voxels.map(supervoxelAt);
        const roots = await rootsOf(graph, ids.concat(0n), BEFORE);
        const labelOfRoot = new Map([[0n, 0n]]),
          rootOfLabel = new Map([[0n, 0n]]),
          firstChunkOf = new Map<bigint, string>();
        labels.forEach((label, k) => {
          expect([labelOfRoot.get(roots[k]) ?? label, rootOfLabel.get(label) ?? roots[k]]).toEqual([
            label,
            roots[k],
          ]);
          labelOfRoot.set(roots[k], label);
          rootOfLabel.set(label, roots[k]);
          const place =
            label === 0n ? '' : voxels[k].map((v, axis) => Math.floor(v / chunkSize[axis])).join();
          expect(firstChunkOf.get(ids[k]) ?? place).toBe(place); // in one graph chunk
          firstChunkOf.set(ids[k], place);
        });
        expect([...description.supervoxels!].sort()).toEqual(
          [...new Set(ids)]
            .filter((id) => id > 0n)
            .map(String)
            .sort(),
        );
      }),
      { seed: 6, numRuns: 60 },
    );
  });

  test.each([
    [
      'an edit on background',
      {
        edits: [
          {
            timestamp: 0,
            merge: [
              [0, 0, 0],
              [8, 0, 0],
            ] as const,
          },
        ],
      },
      'an edit at voxel 8,0,0, where there is no supervoxel',
    ],
    [
      'an edit outside',
      { edits: [{ timestamp: 0, split: [[[0, 0, 0]], [[0, 0, 3]]] as Voxel[][] }] },
      'an edit at voxel 0,0,3, where there is no supervoxel',
    ],
    [
      'too many graph chunks',
      { size: [1025, 1, 1] as Voxel, graphChunkSize: [1, 1, 1] as Voxel, labels: () => 1n },
      '1025 x 1 x 1 graph chunks are too many: IDs have room for 1024 along each axis',
    ],
  ])('refuses %s', (_, options, says) => expect(() => slabWorld(options)).toThrow(new RangeError(says)));

  test('requires the tokens of the graph and of the bucket', async () => {
    const world = slabWorld({ token: 'graph-token', bucketToken: 'bucket-token' });
    await using served = await serveWorld(world);
    const open = { token: 'graph-token', storage: { headers: { Authorization: 'Bearer bucket-token' } } };
    await using volume = await openGraphene(served.cloudPath, open);
    expect((await volume.supervoxelAt([0, 0, 0])) >> 56n).toBe(1n);
    const host = new URL(served.url).host;
    expect([world.graph.log.tokensByHost(), world.bucket.log.tokensByHost()]).toEqual([
      { [host]: ['graph-token'] },
      { [host]: ['bucket-token'] },
    ]);
    await expect(openGraphene(served.cloudPath, { token: 'other' })).rejects.toMatchObject({
      name: 'GraphError',
    });
  });
});

describe('graphFromVolume', () => {
  const put = (name: string, { volume }: World): string => {
    for (const [key, { bytes, contentEncoding }] of Object.entries(volume.files))
      memoryBucket(name).put(key, bytes, contentEncoding);
    return `mem://${name}`;
  };

  test('finds the graph of a world again', async () => {
    const world = slabWorld({
      labels: (x, y) => BigInt(1 + ((Math.floor(x / 5) + Math.floor(y / 2)) % 3)),
      graphChunkSize: [8, 8, 8],
      encoding: 'compressed_segmentation',
      bitstream: 'gzip',
      sharding: false,
    });
    const objectOf = new Map(
      [1, 2, 3].flatMap((label) => world.supervoxelsOf(label).map((id) => [id, label] as const)),
    );
    const read = await graphFromVolume(put('of-a-world', world), {
      join: (a, b) => objectOf.get(a) === objectOf.get(b),
      graphChunkSize: [8, 8, 8],
    });
    expect(read.info).toEqual(world.description.info);
    expect([...read.supervoxels!].sort()).toEqual([...world.description.supervoxels!].sort());
    expect(createMockChunkedGraph(read).table).toBe('mock');
    const inRows = (edges: GraphDescription['edges']): string[] =>
      (edges as string[][]).map((edge) => [...edge].sort().join()).sort();
    const touching = inRows(read.edges),
      all = inRows(world.description.edges);
    expect(touching.length).toBeGreaterThan(5);
    expect(touching.filter((edge) => !all.includes(edge))).toEqual([]);
  });

  test('connects all supervoxels that touch, and none across background', async () => {
    const world = slabWorld();
    const { supervoxelAt: at } = world;
    const read = await graphFromVolume(put('that-touches', world));
    const graph = createMockChunkedGraph({ ...read });
    const [a, b, c, d] = await rootsOf(
      graph,
      [at([0, 0, 0]), at([9, 0, 0]), at([17, 0, 0]), at([31, 4, 2])],
      BEFORE,
    );
    expect([b === c, c === d, a === b]).toEqual([true, true, false]);
  });

  test('uses the given members of the graph info', async () => {
    const { info } = await graphFromVolume(put('with-layers', slabWorld()), { graph: { n_layers: 6 } });
    expect(info.graph).toMatchObject({ n_layers: 6, chunk_size: [16, 4, 4], n_bits_for_layer_id: 8 });
  });
});

test('writeWorld writes the volume and the graph', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graphene-points-'));
  try {
    const world = slabWorld({
      bitstream: 'zstd',
      edits: [
        {
          timestamp: CHANGED,
          merge: [
            [0, 0, 0],
            [9, 0, 0],
          ],
        },
      ],
      table: 'written',
    });
    writeWorld(folder, world);
    const graph = createMockChunkedGraph(
      JSON.parse(readFileSync(join(folder, 'graph.json'), 'utf8')) as GraphDescription,
    );
    const ids = [world.supervoxelAt([0, 0, 0]), world.supervoxelAt([9, 0, 0])];
    expect([await rootsOf(graph, ids, BEFORE), await rootsOf(graph, ids, CHANGED)]).toEqual([
      await rootsOf(world.graph, ids, BEFORE),
      await rootsOf(world.graph, ids, CHANGED),
    ]);
    await using volume = await openPrecomputed(join(folder, 'volume'));
    expect([
      ...(
        await volume.scatteredPoints([
          [0, 0, 0],
          [9, 3, 2],
        ])
      ).values,
    ]).toEqual(ids);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
