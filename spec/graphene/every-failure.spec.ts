/**
 * Every public call, with a failure at each of its requests in turn: each call ends with an answer or one of
 * our errors. Jest fails a test with an unhandled rejection.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GRAPH_METHODS } from '../../lib/chunkedgraph/api/graph-methods.ts';
import {
  LookupError,
  openGraphene,
  openPrecomputed,
  type GrapheneVolume,
  type OpenGrapheneOptions,
  type PrecomputedVolume,
  type Store,
} from '../../lib/index.ts';
import {
  buildPrecomputed,
  buildWorld,
  createMockBucket,
  mockCave,
  serveMocks,
  type Fault,
  type MockRoutes,
  type ServedMocks,
} from '../../mocks/index.ts';
import { fakeTimeouts } from '../support/fake-timeouts.ts';
import { nextTurn } from '../support/stub-store.ts';
import { rounds } from '../support/rounds.ts';

class Aborted extends Error {}
type Limits = { signal?: AbortSignal; timeoutMs?: number };
type GraphName = keyof typeof GRAPH_METHODS;

const MERGED = '2024-06-05T10:10:01.203Z',
  BEFORE = '2024-06-05T10:10:01.202Z';
const TIMEOUT_MS = 20;

/** Four slabs along x: objects 1, 2, 3 and 1 again, with background before each. */
const labels = (x: number): bigint => (x % 8 === 0 ? 0n : [1n, 2n, 3n, 1n][Math.floor(x / 8)]);
const shape = { labels, size: [32, 8, 4], chunkSize: [8, 8, 4] } as const;
const POINTS = [
  [1, 1, 1],
  [8, 2, 2],
  [9, 3, 3],
  [17, 4, 0],
];
const IN_1 = [1, 1, 1] as const,
  IN_2 = [9, 1, 1] as const,
  IN_3 = [17, 1, 1] as const;
const newWorld = (): ReturnType<typeof buildWorld> =>
  buildWorld({
    ...shape,
    edits: [{ timestamp: MERGED, merge: [IN_1, IN_2] }],
    multicuts: ([source], [sink]) => [[source, sink]],
  });
const world = newWorld();
const [sv1, sv2, sv3] = [IN_1, IN_2, IN_3].map((voxel) => world.supervoxelAt(voxel));
/** Few chunks have points, or a whole shard would be read at once. */
const sharded = createMockBucket({
  files: buildPrecomputed({
    labels: (x) => (x > 31 ? 1n : labels(x)),
    size: [64, 8, 8],
    chunkSize: [4, 4, 4],
    sharding: { minishard_bits: 1, shard_bits: 1 },
  }).files,
});
const unsharded = createMockBucket({ files: world.volume.files });
const cave = mockCave({ versions: { 1: MERGED } });

const routes: MockRoutes = { ...world.routes, '/sharded': sharded, '/plain': unsharded, ...cave };
let served: ServedMocks, root: bigint, old: bigint, level2: bigint;
/** Time limits of one attempt, and of all attempts. */
let folder: string, folders: string;
const quiet = { logger: { warn: () => undefined }, retries: 0 };

const graphPath = (): string => `graphene://${served.url}/segmentation/table/mock`;
const openGraph = (options: OpenGrapheneOptions = {}, path = graphPath()): Promise<GrapheneVolume> =>
  openGraphene(path, { ...quiet, token: null, allowEdits: true, ...options });
const openCave = (limits: Limits = {}): Promise<GrapheneVolume> =>
  openGraphene({ datastack: 'mock', server: served.url }, { ...quiet, token: null, ...limits });
const plain = (kind: string, options: object = {}): Promise<PrecomputedVolume> =>
  openPrecomputed(`${served.url}/${kind}`, { ...quiet, ...options });

type Open = PrecomputedVolume | GrapheneVolume;

/** A call to attempt, and its preparation, which never fails. */
interface Case<Volume extends Open = Open> {
  begin?: () => Promise<Volume>;
  call: (limits: Limits, volume: Volume) => Promise<unknown>;
  isEdit?: boolean;
  /** Whether one volume serves all attempts: the call sends the same requests each time. */
  keepsNothing?: boolean;
}
const made = <Volume extends Open>(begin: () => Promise<Volume>, call: Case<Volume>['call']): Case =>
  ({ begin, call }) as unknown as Case;
const inGraph = (call: Case<GrapheneVolume>['call'], options?: OpenGrapheneOptions): Case => ({
  ...made(() => openGraph(options), call),
  keepsNothing: true,
});

const at = (id: bigint, voxel: readonly number[]): { id: bigint; nm: [number, number, number] } => {
  const [x, y, z] = world.volume.info.scales[0].resolution;
  return { id, nm: [voxel[0] * x, voxel[1] * y, voxel[2] * z] };
};
const bounds = { min: [0, 0, 0], max: [32, 8, 4] } as const;

/** Arguments of each call of `volume.graph`, apart from its options. */
const ARGUMENTS: Record<GraphName, () => unknown[]> = {
  roots: () => [[sv1, sv2]],
  root: () => [sv1],
  isLatestRoots: () => [[old, root]],
  rootTimestamps: () => [[old, root]],
  validNodes: () => [[root, level2]],
  leaves: () => [root],
  leavesMany: () => [[root, level2]],
  children: () => [root],
  l2ChunkChildren: () => [level2],
  subgraph: () => [root],
  level2Graph: () => [root],
  minimalCoveringNodes: () => [[sv1]],
  findPath: () => [at(root, IN_1), at(root, [3, 1, 1])],
  lineageGraph: () => [[old, root]],
  pastIdMapping: () => [[root]],
  deltaRoots: () => [],
  changeLog: () => [root],
  tabularChangeLog: () => [root],
  tabularChangeLogs: () => [[root]],
  mergeLog: () => [root],
  operations: () => [],
  userOperations: () => ['0'],
  operationDetails: () => [[1, 2]],
  oldestTimestamp: () => [],
  lastEdit: () => [root],
  latestRoots: () => [[old, root]],
  originalRoots: () => [[root]],
  suggestLatestRoots: () => [[old]],
  merge: () => [at(sv1, IN_1), at(sv3, IN_3)],
  split: () => [[at(sv1, IN_1)], [at(sv2, IN_2)]],
  splitPreview: () => [[at(sv1, IN_1)], [at(sv2, IN_2)]],
  undo: () => [1],
  redo: () => [1],
  versions: () => [],
  request: () => [`node/${root}/children`],
};
const isEdit = (name: string): boolean => GRAPH_METHODS[name as GraphName].mayEdit?.('') ?? false;
/** A volume requests only once how its server interprets a timestamp. */
const LEARNING = /latest|suggest|minimalCovering|deltaRoots/i;
/** Options that make calls send requests of their own. */
const OPTIONS: Partial<Record<GraphName, object>> = {
  leaves: { verify: true, bounds },
  leavesMany: { verify: true },
  rootTimestamps: { latest: true },
  findPath: { precise: true },
  deltaRoots: { from: '2024-01-01', to: '2024-07-01' },
  lineageGraph: { from: '2024-01-01' },
  suggestLatestRoots: { by: 'level2' },
};

const CASES: Record<string, Case> = {
  openPrecomputed: { call: (limits) => plain('plain', limits) },
  openGraphene: { call: (limits) => openGraph(limits) },
  'openGraphene of a datastack': { call: openCave },
  'openGraphene at a version': {
    call: (limits) =>
      openGraphene(
        { datastack: 'mock', server: served.url },
        { ...quiet, token: null, timestamp: 'mat_1', ...limits },
      ),
  },
  'scatteredPoints of plain chunks': {
    ...made(
      () => plain('plain'),
      (limits, volume) => volume.scatteredPoints(POINTS, limits),
    ),
    keepsNothing: true,
  },
  'scatteredPoints of plain chunks, with a memory cache': made(
    () => plain('plain', { lruBytes: 1e6 }),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'scatteredPoints of shards': made(
    () => plain('sharded'),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'scatteredPoints with snap': {
    ...made(
      () => plain('plain'),
      (limits, volume) => volume.scatteredPoints(POINTS.slice(0, 2), { snap: { radiusNm: 100 }, ...limits }),
    ),
    keepsNothing: true,
  },
  'scatteredPoints of plain chunks, with a disk cache': made(
    () => plain('plain', { cacheDir: folder }),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'scatteredPoints of shards, with a disk cache': made(
    () => plain('sharded', { cacheDir: folder }),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'scatteredPoints of cached shards that are revalidated': made(
    () => kept('sharded', POINTS),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'scatteredPoints with cached shard indices that are revalidated': made(
    () => kept('sharded', POINTS.slice(0, 1)),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'scatteredPoints of cached chunks that are revalidated': made(
    () => kept('plain', POINTS.slice(0, 3)),
    (limits, volume) => volume.scatteredPoints(POINTS, limits),
  ),
  'two calls at once that share reads': made(
    () => plain('sharded'),
    (limits, volume) =>
      Promise.all([volume.scatteredPoints(POINTS, limits), volume.scatteredPoints(POINTS, limits)]),
  ),
  'scatteredPoints with roots': inGraph((limits, volume) => volume.scatteredPoints(POINTS, limits)),
  'scatteredPoints at a version': made(openCave, (limits, volume) =>
    volume.scatteredPoints(POINTS, { timestamp: 'mat_1', ...limits }),
  ),
  'scatteredPoints without roots': inGraph((limits, volume) =>
    volume.scatteredPoints(POINTS, { agglomerate: false, ...limits }),
  ),
  supervoxelAt: inGraph((limits, volume) => volume.supervoxelAt(IN_1, limits)),
  rootAt: inGraph((limits, volume) => volume.rootAt(IN_1, limits)),
  rootOf: inGraph((limits, volume) => volume.rootOf(sv1, limits)),
  'roots in batches': inGraph((limits, volume) => volume.roots([sv1, sv2, sv3], limits), {
    rootBatchSize: 1,
  }),
  'roots that are validated': made(openGraph, (limits, volume) =>
    volume.roots([root, level2, sv1], { validate: true, ...limits }),
  ),
  'roots from a filled root cache': made(
    async () => {
      const volume = await openGraph({ rootCache: { extendToCreation: true } });
      await volume.roots([sv1, sv2], { timestamp: MERGED });
      return volume;
    },
    (limits, volume) => volume.roots([sv1, sv2, sv3], limits),
  ),
  'two look-ups at once that share a request': inGraph((limits, volume) =>
    Promise.all([volume.roots([sv1, sv2], limits), volume.roots([sv2, sv3], limits)]),
  ),
  'versions of a datastack': made(openCave, ({ signal }, volume) => volume.datastack!.versions({ signal })),
  'timestampOf a version': made(openCave, ({ signal }, volume) =>
    volume.datastack!.timestampOf('newest', { signal }),
  ),
  ...Object.fromEntries(
    Object.entries(ARGUMENTS).map(([name, given]) => [
      `graph.${name}`,
      {
        begin: async () => {
          const volume = await openGraph();
          if (name === 'redo') await volume.graph.undo(1);
          return volume;
        },
        call: (limits, volume) =>
          ((volume as GrapheneVolume).graph[name as GraphName] as (...args: unknown[]) => Promise<unknown>)(
            ...given(),
            { ...OPTIONS[name as GraphName], ...limits },
          ),
        isEdit: isEdit(name),
        keepsNothing: !isEdit(name) && !LEARNING.test(name),
      },
    ]),
  ),
};

/** A volume whose chunks are in the disk cache and are revalidated. */
async function kept(kind: string, points: number[][]): Promise<PrecomputedVolume> {
  const options = { cacheDir: folder, revalidate: 'always' };
  await using first = await plain(kind, options);
  await first.scatteredPoints(points);
  return plain(kind, options);
}

/** The failure of a request, and how a call ends whose request is never answered. */
const FAILURES: Record<string, { fault: Fault; end?: 'abort' | 'deadline' | 'close' }> = {
  'status 500': { fault: { status: 500 } },
  'a reset connection': { fault: { reset: true } },
  'a body that ends early': { fault: { truncate: 1 } },
  'an abort': { fault: { stall: true }, end: 'abort' },
  'a deadline': { fault: { stall: true }, end: 'deadline' },
  'closing the volume': { fault: { stall: true }, end: 'close' },
};

beforeAll(async () => {
  folders = await mkdtemp(join(tmpdir(), 'gp-every-failure-'));
  served = await serveMocks(routes);
  await using volume = await openGraph();
  root = await volume.graph.root(sv1);
  old = await volume.graph.root(sv1, { timestamp: BEFORE });
  level2 = await volume.graph.root(sv1, { stopLayer: 2 });
});
afterAll(async () => {
  await served.close();
  // A call that has ended may still write to the cache.
  await rm(folders, { recursive: true, maxRetries: 5 });
});
beforeEach(fakeTimeouts);
afterEach(() => void jest.useRealTimers());

let attempts = 0;

/** Prepares an attempt. */
async function prepare({ begin, isEdit }: Case): Promise<Open | undefined> {
  routes['/segmentation'] = isEdit ? newWorld().graph : world.graph;
  folder = join(folders, String(++attempts));
  return begin?.();
}

/**
 * Makes one attempt.
 * @param place Number of the request that fails.
 * @returns The number of requests, and the outcome.
 */
async function attempt(
  { call }: Case,
  volume: Open | undefined,
  place: number,
  { fault, end }: (typeof FAILURES)[string],
): Promise<{ requests: number; outcome: PromiseSettledResult<unknown> }> {
  const controller = new AbortController();
  let requests = 0;
  const ends = {
    abort: () => controller.abort(new Aborted()),
    deadline: () => jest.advanceTimersByTime(TIMEOUT_MS),
    close: () => void volume?.close(),
  };
  const hit: Fault = {
    ...fault,
    match: () => {
      if (++requests !== place) return false;
      if (end) setImmediate(ends[end]);
      return true;
    },
  };
  const servers = [...new Set(Object.values(routes))];
  for (const { faults } of servers) faults.unshift(hit);
  const limits = { signal: controller.signal, ...(end === 'deadline' && { timeoutMs: TIMEOUT_MS }) };
  const [outcome] = await Promise.allSettled([call(limits, volume as Open)]);
  for (const { faults } of servers) faults.splice(faults.indexOf(hit), 1);
  if (outcome.status === 'fulfilled' && typeof (outcome.value as Open | null)?.close === 'function')
    await (outcome.value as Open).close();
  await nextTurn(); // an unhandled rejection is reported by now
  return { requests, outcome };
}

/** Calls without a volume cannot be closed, and the calls below have no deadline. */
const canEnd = (name: string, { begin }: Case, end: string | undefined): boolean =>
  end === 'close' ? begin !== undefined : end !== 'deadline' || !/^(versions|timestampOf)/.test(name);

/**
 * `npm test` tries each failure on every second call, and there on every third request of a long call, and its first and
 * last ones; `npm run fuzz` tries all.
 */
const STEP = rounds(1) > 1 ? 1 : 3;

/** Number of requests of each call when nothing fails. */
const requests: Record<string, number> = {};
describe('a call without a failure', () => {
  test.each(Object.entries(CASES))('succeeds: %s', async (name, one) => {
    const volume = await prepare(one);
    const attempted = await attempt(one, volume, Infinity, { fault: {} });
    await volume?.close();
    // The server finds no path this near the edge of the volume.
    if (attempted.outcome.status === 'rejected' && name !== 'graph.findPath') throw attempted.outcome.reason;
    expect(attempted.requests).toBeGreaterThan(0);
    requests[name] = attempted.requests;
  });
});

describe.each(Object.entries(FAILURES))('%s, at each request in turn', (failureName, failure) => {
  const first = Object.keys(FAILURES).indexOf(failureName);
  const cases = Object.entries(CASES)
    .filter((_case, k) => STEP === 1 || (first + k) % 2 === 0)
    .filter(([name, one]) => canEnd(name, one, failure.end));
  test.each(cases)('ends the call with an answer or one of our errors: %s', async (name, one) => {
    const missed: number[] = [];
    let volume: Open | undefined;
    for (let place = 1; place <= requests[name]; place++) {
      if (place > 3 && place < requests[name] && place % STEP !== 0) continue;
      if (place === 1 || !one.keepsNothing || failure.end === 'close') {
        await volume?.close();
        volume = await prepare(one);
      }
      const { outcome, requests: made } = await attempt(one, volume, place, failure);
      if (made < place) missed.push(place);
      const error: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
      if (error && !(error instanceof LookupError || error instanceof Aborted))
        throw new Error(`request ${place}: an error that is not ours`, { cause: error });
    }
    await volume?.close();
    expect(missed).toEqual([]);
  });
});

describe('a store that throws', () => {
  const files = world.volume.files;
  /** A store that fails at one of its reads. */
  const failing = (place: number, fail: () => never | Promise<never> | null): Store & { reads: number } => ({
    url: 'mem://every-failure',
    reads: 0,
    read(key) {
      if (++this.reads === place) return fail() as never;
      const file = files[key];
      return Promise.resolve(file && { bytes: file.bytes, contentEncoding: file.contentEncoding });
    },
  });
  const broken = new Error('no disk');
  test.each<[string, () => never | Promise<never> | null]>([
    [
      'at once',
      () => {
        throw broken;
      },
    ],
    ['later', () => Promise.reject(broken)],
    ['nothing, but answers null', () => null],
  ])('%s, at each read in turn', async (_name, fail) => {
    const look = async (storage: Store): Promise<unknown> => {
      await using volume = await openPrecomputed('mem://every-failure', { ...quiet, storage });
      return await volume.scatteredPoints(POINTS, { snap: { radiusNm: 100 } });
    };
    const sound = failing(Infinity, fail);
    await look(sound);
    const ended: number[] = [];
    for (let place = 1; place <= sound.reads; place++) {
      await look(failing(place, fail)).catch(() => undefined);
      await nextTurn();
      ended.push(place);
    }
    expect(ended.length).toBeGreaterThan(POINTS.length - 1);
  });
});
