/**
 * Compares a whole CAVEclient, started by the name of a datastack: its settings, versions, and edits made
 * through it.
 */
import { openGraphene } from 'graphene-points';
import { buildWorld, mockCave, serveMocks } from 'graphene-points/mocks';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';
import { TOKEN } from './worlds.ts';

const MERGED = '2024-06-05T10:10:01.203Z';
const VERSIONS = { 1: '2024-06-05T10:10:01.202Z', 2: MERGED, 7: '2024-09-01T00:00:00Z' };
const DATASTACK = 'slabs';

interface Started {
  datastack: string;
  segmentation: string;
  resolution: string[];
  versions: string[];
  timestamps: Record<string, string>;
}

/** Five slabs of 8 voxels along x, cut by the graph chunks of 16; the first two are merged. */
export const cave: Part = async ({ python, comparison }) => {
  const world = buildWorld({
    labels: (x) => BigInt(1 + Math.floor(x / 8)),
    size: [40, 32, 16],
    chunkSize: [16, 16, 16],
    table: 'slab_table',
    token: TOKEN,
    base_timestamp: '2024-01-01',
    edits: [
      {
        timestamp: MERGED,
        merge: [
          [7, 1, 1],
          [8, 1, 1],
        ],
      },
    ],
  });
  await using served = await serveMocks({
    ...world.routes,
    ...mockCave({
      datastack: DATASTACK,
      table: 'slab_table',
      versions: VERSIONS,
      tokens: { [TOKEN]: { admin: true } },
    }),
  });
  await using volume = await openGraphene(world.cloudPath(served.url), { token: TOKEN });
  await using client = new PythonClient(python, 'caveclient_client.py');
  const at = { server: served.url, datastack: DATASTACK };

  const found = await client.call<Started>('start', at);
  comparison.same('settings of the client', found, {
    datastack: DATASTACK,
    segmentation: world.cloudPath(served.url),
    resolution: [4, 4, 40],
    versions: Object.keys(VERSIONS),
    timestamps: Object.fromEntries(
      Object.entries(VERSIONS).map(([version, time]) => [version, new Date(time)]),
    ),
  });

  const ids = BigUint64Array.from([1, 2, 3, 4, 5].flatMap((label) => world.supervoxelsOf(label)));
  for (const [version, timestamp] of Object.entries(VERSIONS))
    comparison.values(
      `get_roots of version ${version}`,
      await client.call('roots_of_version', { ...at, version: Number(version), ids }),
      (await volume.roots(ids, { timestamp })).rootIds,
    );

  // The client edits the graph; then the answers of both are compared.
  const point = ([x, y, z]: [number, number, number]): unknown => ({ shape: [3], values: [x, y, z] });
  const theirs = <T>(method: string, args: Record<string, unknown> = {}): Promise<T> =>
    client.call('call_chunkedgraph', { server: served.url, table: 'slab_table', method, ...args });
  const [a, b] = [world.supervoxelAt([18, 1, 1]), world.supervoxelAt([30, 1, 1])];
  const roots = async (): Promise<bigint[]> => [
    ...(await volume.graph.roots([a, b], { timestamp: volume.now() })),
  ];
  const merged = await theirs<{ operation_id: string; new_root_ids: string[] }>('do_merge', {
    supervoxels: [a, b],
    coords: [point([18, 1, 1]), point([30, 1, 1])],
    resolution: [8, 8, 40],
  });
  comparison.same(
    'roots after do_merge',
    [merged.new_root_ids[0], merged.new_root_ids[0]],
    await rootsOnceSeen(roots, merged.new_root_ids),
  );
  const undone = await theirs<{ operation_id: string; new_root_ids: string[] }>('undo_operation', {
    operation_id: Number(merged.operation_id),
  });
  comparison.same(
    'roots after undo_operation',
    [...undone.new_root_ids].sort(),
    (await rootsOnceSeen(roots, undone.new_root_ids)).map(String).sort(),
  );
  const details = await theirs<Record<string, { roots: string[] }>>('get_operation_details', {
    operation_ids: [Number(merged.operation_id), Number(undone.operation_id)],
  });
  const ours = await volume.graph.operationDetails(Object.keys(details).map(Number));
  for (const [id, { roots: newRoots }] of Object.entries(details))
    comparison.sets(`new roots of operation ${id}`, newRoots.map(BigInt), ours.get(Number(id))!.newRoots);
};

/**
 * Looks up roots until all of them are among `expected`, for at most a second. A local clock that is a
 * millisecond late does not see a new edit at once.
 */
async function rootsOnceSeen(roots: () => Promise<bigint[]>, expected: readonly string[]): Promise<bigint[]> {
  for (let left = 20; ; left--) {
    const found = await roots();
    if (left === 0 || found.every((root) => expected.includes(String(root)))) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
