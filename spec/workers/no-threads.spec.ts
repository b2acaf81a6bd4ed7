/** Where worker threads must not be used, none starts, and no request leaves another thread. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import http from 'node:http';
import type { PrecomputedVolume, Store } from '../../lib/index.ts';
import type { StoreServer } from '../../lib/storage/store.ts';
import { buildPrecomputed, createMockBucket, serveMocks, type ServedMocks } from '../../mocks/index.ts';

let isWorkerFileThere = true;
jest.unstable_mockModule('../../lib/workers/worker-file.ts', () => ({
  findWorkerFile: () =>
    isWorkerFileThere ? `${process.env.SPEC_PROGRAMS}/lib/workers/worker.cjs` : undefined,
}));
const { sdk, sentCommands, startedThreads } = await import('../support/eager-threads.ts');

const { files } = buildPrecomputed({
  labels: (x) => BigInt(x + 1),
  size: [64, 8, 8],
  chunkSize: [8, 8, 8],
  bitstream: 'gzip',
});
const POINTS = Array.from({ length: 8 }, (_, k) => [8 * k + 3, 1, 2] as const);
const LABELS = BigUint64Array.from(POINTS, ([x]) => BigInt(x + 1));

let served: ServedMocks;
const bucket = createMockBucket({ files });
beforeAll(async () => void (served = await serveMocks({ '/b': bucket })));
afterAll(() => served.close());
beforeEach(() => {
  startedThreads.length = sentCommands.length = 0;
});
afterEach(() => {
  isWorkerFileThere = true;
  jest.restoreAllMocks();
});

async function readAll(volume: PrecomputedVolume): Promise<void> {
  const { values } = await volume.scatteredPoints(POINTS);
  expect(values).toEqual(LABELS);
}
const open = (): Promise<PrecomputedVolume> => sdk.openPrecomputed(`${served.url}/b`, { workers: 2 });

describe('no worker thread', () => {
  test('starts for mem://', async () => {
    for (const [key, { bytes, contentEncoding }] of Object.entries(files))
      sdk.memoryBucket('no-threads').put(key, bytes, contentEncoding);
    await using volume = await sdk.openPrecomputed('mem://no-threads', { workers: 2 });
    await readAll(volume);
    expect(startedThreads).toEqual([]);
  });

  test('starts for a store of the caller, even if it names a server', async () => {
    const storage: Store = {
      url: `${served.url}/b`,
      server: { origin: served.url } as unknown as StoreServer,
      read: (key) => Promise.resolve(files[key] && { contentEncoding: undefined, ...files[key] }),
    };
    await using volume = await sdk.openPrecomputed(`${served.url}/b`, { workers: 2, storage });
    await readAll(volume);
    expect(startedThreads).toEqual([]);
  });

  test('starts with workers: 0', async () => {
    await using volume = await sdk.openPrecomputed(`${served.url}/b`, { workers: 0 });
    await readAll(volume);
    expect(startedThreads).toEqual([]);
  });

  test('starts where the program of the threads is missing, as in the output of a bundler', async () => {
    isWorkerFileThere = false;
    await using volume = await open();
    await readAll(volume);
    expect(startedThreads).toEqual([]);
  });

  test.each(['get', 'request'] as const)(
    'starts where http.%s was replaced before the volume was opened',
    async (name) => {
      const original = http[name] as (...args: unknown[]) => http.ClientRequest,
        spy = jest.spyOn(http, name).mockImplementation((...args: unknown[]) => original(...args));
      await using volume = await open();
      await readAll(volume);
      expect(startedThreads).toEqual([]);
      if (name === 'get') expect(spy).toHaveBeenCalled();
    },
  );

  test('gets a request after http.get was replaced', async () => {
    await using volume = await open();
    await readAll(volume);
    expect(startedThreads).toHaveLength(2);
    expect(sentCommands).toHaveLength(8);
    const original = http.get as (...args: unknown[]) => http.ClientRequest;
    const spy = jest.spyOn(http, 'get').mockImplementation((...args: unknown[]) => original(...args));
    await readAll(volume);
    expect(spy).toHaveBeenCalledTimes(8);
    expect(sentCommands.filter(({ kind }) => kind === 'fetch')).toHaveLength(8);
  });

  test('gets a request while nock is active, whenever it was activated', async () => {
    await using early = await open();
    await readAll(early);
    expect(startedThreads).toHaveLength(2);
    const fetches = (): number => sentCommands.filter(({ kind }) => kind === 'fetch').length;
    expect(fetches()).toBe(8);

    const { default: nock } = await import('nock'); // it is active from here on
    const { nockMocks } = await import('../../mocks/nock.ts');
    try {
      nock.disableNetConnect();
      const mocked = createMockBucket({ files });
      {
        using mocks = nockMocks(served.url, { '/b': mocked });
        expect(mocks).toBeDefined();
        await readAll(early);
        await using late = await open();
        await readAll(late);
      }
      expect(mocked.log.requests.filter(({ path }) => path.includes('8_8_40'))).toHaveLength(16);
      expect(fetches()).toBe(8);
      expect(startedThreads).toHaveLength(2);
    } finally {
      nock.enableNetConnect();
      nock.restore();
    }
  });
});
