/** Every option of every call is checked by name and value before any request, and documented once. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FUNCTION } from '../../lib/base/value-kinds.ts';
import type { AnyOptionTable } from '../../lib/base/option-table.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS, ROOT_CACHE_OPTIONS } from '../../lib/graphene/opening-options.ts';
import {
  READ_OPTIONS,
  ROOT_OPTIONS,
  SCATTERED_OPTIONS,
  SNAP_OPTIONS,
} from '../../lib/graphene/reading-options.ts';
import {
  openGraphene,
  openPrecomputed,
  type GrapheneVolume,
  type PrecomputedVolume,
} from '../../lib/index.ts';
import { createPace, type Pace } from '../../lib/failures/pace.ts';
import {
  CALL_OPTIONS,
  EDIT_OPTIONS,
  LEAVES_OPTIONS,
  REQUEST_OPTIONS,
  TIMED_OPTIONS,
  WINDOW_OPTIONS,
} from '../../lib/chunkedgraph/api/call-options.ts';
import { BOUNDS_OPTIONS } from '../../lib/chunkedgraph/api/check-arguments.ts';
import { CHUNK_OF_POINT_OPTIONS } from '../../lib/chunkedgraph/ids/id-arithmetic.ts';
import { STORAGE_OPTIONS } from '../../lib/storage/bucket-options.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { worldBucket, worldGraph } from '../../testing/graph-world.ts';

const graph = worldGraph(),
  bucket = worldBucket();
let served: ServedMocks, volume: GrapheneVolume, plain: PrecomputedVolume;
const POINT = [17, 8, 4];
const path = (): string => `graphene://${served.url}/segmentation/table/world`;

beforeAll(async () => {
  served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  volume = await openGraphene(path(), { token: null });
  plain = await openPrecomputed(`${served.url}/bucket`);
});
afterAll(async () => {
  await volume.close();
  await plain.close();
  await served.close();
});

const CALLS: Record<string, [table: AnyOptionTable, call: (options: object) => Promise<unknown>]> = {
  openPrecomputed: [OPEN_OPTIONS, (options) => openPrecomputed(`${served.url}/bucket`, options)],
  openGraphene: [GRAPHENE_OPTIONS, (options) => openGraphene(path(), { token: null, ...options })],
  'plain.scatteredPoints': [READ_OPTIONS, (options) => plain.scatteredPoints([POINT], options)],
  scatteredPoints: [SCATTERED_OPTIONS, (options) => volume.scatteredPoints([POINT], options)],
  supervoxelAt: [SCATTERED_OPTIONS, (options) => volume.supervoxelAt(POINT, options)],
  rootAt: [SCATTERED_OPTIONS, (options) => volume.rootAt(POINT, options)],
  roots: [ROOT_OPTIONS, (options) => volume.roots([1n], options)],
  rootOf: [ROOT_OPTIONS, (options) => volume.rootOf(1n, options)],
  storage: [STORAGE_OPTIONS, (storage) => openPrecomputed('gs://bucket/v', { storage })],
  rootCache: [ROOT_CACHE_OPTIONS, (rootCache) => openGraphene(path(), { token: null, rootCache })],
  snap: [SNAP_OPTIONS, (snap) => volume.scatteredPoints([POINT], { snap: snap as { radiusNm: number } })],
};
/** Options that the call itself sets. */
const FIXED: Record<string, readonly string[]> = {
  supervoxelAt: ['onError', 'agglomerate'],
  rootAt: ['onError'],
  rootOf: ['onError'],
};

describe.each(Object.entries(CALLS))('options of %s', (called, [table, call]) => {
  const names = Object.keys(table).filter((name) => !FIXED[called]?.includes(name));

  test.each(names)('%s: refuses an invalid value by name, before any request', async (name) => {
    const before = [graph, bucket].map(({ log }) => log.requests.length);
    for (const value of [Symbol('odd'), NaN, () => undefined]) {
      if (table[name].kind === FUNCTION && typeof value === 'function') continue;
      const error: unknown = await call({ [name]: value }).catch((thrown: unknown) => thrown);
      if (name === 'timestamp') expect(error).toMatchObject({ code: 'BAD_TIMESTAMP' });
      else {
        expect([TypeError, RangeError]).toContain((error as Error).constructor);
        expect((error as Error).message).toMatch(new RegExp(`^(\\w+\\.)?${name} (is|must be) `));
      }
    }
    expect([graph, bucket].map(({ log }) => log.requests.length)).toEqual(before);
  });

  test('refuses a misspelt option', () =>
    expect(call({ [names[0].toUpperCase()]: 1 })).rejects.toEqual(
      new TypeError(`there is no option "${names[0].toUpperCase()}"; did you mean ${names[0]}?`),
    ));
});

const SECRET = 'a-secret-0123456789';

test.each<[called: string, options: object, error: Error]>([
  ['rootAt', { signal: 'x' }, new TypeError('signal is an AbortSignal, not "x"')],
  ['openGraphene', { signal: 'x' }, new TypeError('signal is an AbortSignal, not "x"')],
  [
    'openPrecomputed',
    { logger: {} },
    new TypeError('logger is an object with a method warn(message), not an object'),
  ],
  ['openGraphene', { token: 5 }, new TypeError('token is a string, or null for none, not a number')],
  ['openGraphene', { checkSupervoxels: 'no' }, new TypeError('checkSupervoxels is true or false, not "no"')],
  ['openPrecomputed', { retries: '3' }, new RangeError('retries must be a whole number from 0, not "3"')],
  ['openPrecomputed', { retries: 3n }, new RangeError('retries must be a whole number from 0, not 3')],
  [
    'openPrecomputed',
    { timeoutMs: 2 ** 31 },
    new RangeError('timeoutMs must be at most 2147483647, not 2147483648'),
  ],
  [
    'scatteredPoints',
    { resolution: [4, 4] },
    new RangeError('resolution must be three positive numbers, nanometres along x, y, z, not [4, 4]'),
  ],
  ['plain.scatteredPoints', { onProgress: 5 }, new TypeError('onProgress is a function, not 5')],
  ['scatteredPoints', { snap: null }, new TypeError('snap is an object with a radiusNm, not null')],
  ['snap', {}, new RangeError('snap.radiusNm must be a positive number of nanometres, not undefined')],
  [
    'openPrecomputed',
    { storage: 5 },
    new TypeError('storage is credentials of the bucket, or a store, not 5'),
  ],
  [
    'storage',
    { headers: 5 },
    new TypeError('storage.headers is an object of header names and strings, not a number'),
  ],
  [
    'storage',
    { headers: { 'x-a': 5 } },
    new TypeError('storage.headers["x-a"] is a string without line ends, not a number'),
  ],
  [
    'storage',
    { headers: { 'x-a': `${SECRET}\r\nx-b: 1` } },
    new TypeError(
      'storage.headers["x-a"] is a string without line ends, not a string with characters that a header may not have',
    ),
  ],
  [
    'storage',
    { headers: { 'x a': SECRET } },
    new TypeError('storage.headers has "x a", which is not the name of a header'),
  ],
  [
    'storage',
    { token: `${SECRET} x` },
    new TypeError('storage.token is a string without spaces, not a string with spaces or special characters'),
  ],
])('%s refuses %j', async (called, options, error) => {
  const thrown: unknown = await CALLS[called][1](options).catch((reason: unknown) => reason);
  expect(thrown).toEqual(error);
  expect((thrown as Error).constructor).toBe(error.constructor);
  expect((thrown as Error).message).not.toContain(SECRET);
});

test('graph.ids checks options by name and value', () => {
  expect(() => volume.graph.ids.chunkOfPoint([1, 2, 3], { Layer: 2 } as object)).toThrow(
    new TypeError('there is no option "Layer"; did you mean layer?'),
  );
  expect(() => volume.graph.ids.chunkOfPoint([1, 2, 3], { layer: '2' as never })).toThrow(
    new RangeError('layer must be a whole number, not "2"'),
  );
});

describe('the docs of an interface', () => {
  const lib = new URL('../../lib/', import.meta.url);
  const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(new URL(file, lib), 'utf8'));
  /** The text after `@default` of each option of an interface, wherever in lib it is declared. */
  const defaultsOf = (name: string): [option: string, fallback: string | undefined][] => {
    const interfaces = sources.flatMap((source) =>
      Array.from(
        source.matchAll(new RegExp(`^export interface ${name}\\b[^{]*\\{$(.*?)^\\}$`, 'gms')),
        ([, body]) => body,
      ),
    );
    expect(interfaces).toHaveLength(1);
    return Array.from(
      interfaces[0].matchAll(/^ {2}(?:\/\*\*((?:(?!\*\/).)*)\*\/\s+)?(\w+)\??:/gms),
      ([, docs = '', option]) => [
        option,
        /@default (.*)$/s
          .exec(docs.replace(/\s*\n\s*\*?\s*/g, ' '))?.[1]
          .replaceAll('`', '')
          .trim(),
      ],
    );
  };

  test.each<[name: string, table: AnyOptionTable]>([
    ['OpenOptions', OPEN_OPTIONS],
    ['OpenGrapheneOptions', GRAPHENE_OPTIONS],
    ['ReadPointsOptions', READ_OPTIONS],
    ['RootOptions', ROOT_OPTIONS],
    ['ScatteredPointsOptions', SCATTERED_OPTIONS],
    ['RootCacheSettings', ROOT_CACHE_OPTIONS],
    ['RootCacheOptions', ROOT_CACHE_OPTIONS],
    ['BucketOptions', STORAGE_OPTIONS],
    ['StorageOptions', STORAGE_OPTIONS],
    ['CallOptions', CALL_OPTIONS],
    ['TimedOptions', TIMED_OPTIONS],
    ['WindowOptions', WINDOW_OPTIONS],
    ['GraphRequestOptions', REQUEST_OPTIONS],
    ['LeavesOptions', LEAVES_OPTIONS],
    ['EditOptions', EDIT_OPTIONS],
    ['Bounds', BOUNDS_OPTIONS],
    ['ChunkOfPointOptions', CHUNK_OF_POINT_OPTIONS],
  ])('give %s the defaults of its table', (name, table) => {
    const documented = defaultsOf(name);
    expect(documented.length).toBeGreaterThan(0);
    for (const [option, fallback] of documented)
      expect([option, table[option].default]).toEqual([option, fallback]);
  });
});

test("a caller's pace gets the turns, rates and batch sizes of storage and graph", async () => {
  const own = createPace(),
    requested = new Set<string>();
  const pace: Pace = {
    take: (host, stop) => (requested.add(`take ${host}`), own.take(host, stop)),
    allow: (host, perSecond, signal) => (requested.add(`allow ${host}`), own.allow(host, perSecond, signal)),
    batchSize: (host, endpoint) => (requested.add(`${endpoint} of ${host}`), own.batchSize(host, endpoint)),
  };
  await using paced = await openGraphene(path(), { token: null, pace, rateLimit: 1000 });
  expect(await paced.rootAt(POINT)).toBe(await volume.rootAt(POINT));
  const { host } = new URL(served.url);
  expect(requested).toEqual(
    new Set([`take ${host}`, `allow ${host}`, `roots of ${host}`, `is_latest_roots of ${host}`]),
  );
});
