/** Views of one volume with other tokens: what they share, and what they never share. */
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  openGraphene,
  VolumeClosedError,
  type GrapheneVolume,
  type OpenGrapheneOptions,
} from '../../lib/index.ts';
import { parseGraphPath } from '../../lib/chunkedgraph/server/graph-path.ts';
import { mayReceiveToken } from '../../lib/chunkedgraph/server/token.ts';
import { viewWithToken } from '../../lib/graphene/token-view.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import {
  BEFORE,
  MERGED_AT,
  rootOf,
  spreadPoints,
  worldBucket,
  worldGraph,
} from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

const OPERATOR = 'operator-token-0123456789',
  ALICE = 'alice-token-0123456789',
  BOB = 'bob-token-0123456789',
  GUEST = 'guest-token-0123456789';
const graph = worldGraph({
    tokens: { [OPERATOR]: {}, [ALICE]: { id: 2 }, [BOB]: { id: 3 }, [GUEST]: { id: 4, permissions: [] } },
  }),
  bucket = worldBucket();
let served: ServedMocks, volume: GrapheneVolume;
const open = (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, {
    token: OPERATOR,
    rootCache: true,
    lruBytes: 2 ** 20,
    ...options,
  });
const viewOf = (token: string, of = volume): GrapheneVolume =>
  viewWithToken(of, token, { from: 'the request', rootCacheEntries: 1000 });
/** The tokens of the requests for roots, in the order of arrival. */
const rootTokens = (): string[] =>
  graph.log.requests
    .filter(({ path }) => path.endsWith('/roots_binary'))
    .map(({ headers }) => headers.authorization.replace('Bearer ', ''));

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
});
afterAll(() => served.close());
beforeEach(async () => {
  volume = await open();
  graph.log.clear();
  bucket.log.clear();
});
afterEach(() => volume.close());

describe('a view with another token', () => {
  test('gives the answers of the volume, shares its chunks, and sends its own token', async () => {
    const points = spreadPoints(300),
      own = await volume.scatteredPoints(points, { timestamp: BEFORE }),
      chunks = bucket.log.requests.length;
    expect(chunks).toBeGreaterThan(0);
    const seen = await viewOf(ALICE).scatteredPoints(points, { timestamp: BEFORE });
    expect(seen.rootIds).toEqual(own.rootIds);
    expect(seen.supervoxelIds).toEqual(own.supervoxelIds);
    expect(seen.stats).toMatchObject({ requests: 0, rootCacheHits: 0, rootRequests: 1 });
    expect(bucket.log.requests).toHaveLength(chunks);
    expect(rootTokens()).toEqual([OPERATOR, ALICE]);
  });

  test('never gets roots that were looked up with another token', async () => {
    const ids = [supervoxel([3, 4, 0], 1)],
      query = { timestamp: BEFORE, onError: 'status' } as const;
    await volume.roots(ids, query);
    await viewOf(ALICE).roots(ids, query);
    const refused = await viewOf(GUEST).roots(ids, query);
    expect([...refused.rows()]).toMatchObject([
      {
        rootId: 0n,
        status: 'root_failed',
        error: { code: 'FORBIDDEN', message: expect.stringContaining('the token from the request was sent') },
      },
    ]);
    expect(rootTokens()).toEqual([OPERATOR, ALICE, GUEST]);
  });

  test('has a root cache of its own, which answers its own calls', async () => {
    const alice = viewOf(ALICE),
      ids = [supervoxel([3, 4, 0], 1), supervoxel([5, 6, 0], 2)];
    const first = await alice.roots(ids, { timestamp: BEFORE }),
      again = await alice.roots(ids, { timestamp: BEFORE });
    expect([...again.rootIds]).toEqual([rootOf(4, 1), rootOf(6, 2)]);
    expect([first.stats.rootCacheHits, again.stats.rootCacheHits]).toEqual([0, 2]);
    expect([alice.rootCache?.stats.entries, volume.rootCache?.stats.entries]).toEqual([2, 0]);
    await using plain = await open({ rootCache: undefined });
    expect(viewOf(ALICE, plain).rootCache).toBeUndefined();
  });

  test('shares root requests of one turn with calls of the same token only', async () => {
    await using plain = await open({ rootCache: undefined });
    const [alice, bob] = [viewOf(ALICE, plain), viewOf(BOB, plain)];
    const ids = [1, 2, 3, 4].map((row) => [supervoxel([0, row, 0], 1)]);
    const answers = await Promise.all([
      alice.roots(ids[0]),
      bob.roots(ids[1]),
      alice.roots(ids[2]),
      plain.roots(ids[3]),
    ]);
    expect(answers.map(({ rootIds }) => rootIds[0])).toEqual([1, 2, 3, 4].map((row) => rootOf(row, 1)));
    expect(new Set(answers.map(({ timestamp }) => timestamp.getTime())).size).toBe(1);
    expect(rootTokens().sort()).toEqual([ALICE, BOB, OPERATOR]);
    expect(graph.log.idsPerBatch().sort()).toEqual([1, 1, 2]);
  });

  test('is closed without the volume, and closes with it', async () => {
    const [alice, bob] = [viewOf(ALICE), viewOf(BOB)],
      ids = [supervoxel([0, 1, 0], 1)];
    await alice.close();
    await expect(alice.roots(ids)).rejects.toBeInstanceOf(VolumeClosedError);
    await expect(alice.scatteredPoints(spreadPoints(1))).rejects.toBeInstanceOf(VolumeClosedError);
    expect((await bob.roots(ids, { timestamp: MERGED_AT })).rootIds[0]).toBe(rootOf(1, 1));
    expect((await volume.scatteredPoints(spreadPoints(3))).status).toHaveLength(3);
    await volume.close();
    await expect(bob.roots(ids)).rejects.toBeInstanceOf(VolumeClosedError);
    expect(() => viewOf(BOB)).toThrow(VolumeClosedError);
  });

  test('leaves calls of the volume alone that read the same chunks when it is closed', async () => {
    const alice = viewOf(ALICE),
      left = alice.scatteredPoints(spreadPoints(100)),
      kept = volume.scatteredPoints(spreadPoints(100), { timestamp: BEFORE });
    await alice.close();
    await expect(left).rejects.toBeInstanceOf(VolumeClosedError);
    expect((await kept).rootIds[0]).toBe(rootOf(0, 1));
  });

  test('makes no edits, and shows its token nowhere', async () => {
    await using editable = await open({ allowEdits: true });
    const alice = viewOf(ALICE, editable);
    await expect(
      alice.graph.merge(
        { id: supervoxel([0, 1, 0], 1), nm: [20, 17, 5] },
        { id: supervoxel([0, 1, 0], 2), nm: [20, 22, 5] },
      ),
    ).rejects.toMatchObject({ code: 'EDITS_NOT_ALLOWED' });
    expect(inspect(alice, { depth: Infinity, showHidden: true })).not.toContain('alice');
  });
});

test.each([
  ['https://pcg.example.org', true],
  ['http://127.0.0.1:5000', true],
  ['http://[::1]:5000', true],
  ['http://pcg.example.org', false],
  ['http://127.0.0.1.example.org', false],
])('a token may be sent to %s: %s', (origin, expected) => {
  expect(mayReceiveToken(parseGraphPath(`graphene://${origin}/segmentation/table/t`))).toBe(expected);
});
