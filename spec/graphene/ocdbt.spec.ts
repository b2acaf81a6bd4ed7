/** Graphs whose supervoxels can split, and whose info does not say where their voxels are. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openGraphene, type GrapheneVolume, type OpenGrapheneOptions } from '../../lib/index.ts';
import { serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { runCli } from '../cli/run-cli.ts';
import { GRAPH_INFO, worldBucket, worldGraph } from '../../testing/graph-world.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

const { graph, app } = GRAPH_INFO;
const INFOS: Record<string, object> = {
  'in graph': {
    ...GRAPH_INFO,
    graph: { ...graph, ocdbt_seg: true, ocdbt_path: 'ocdbt/base', ocdbt_kvstore_spec: { driver: 'ocdbt' } },
  },
  'next to graph': { ...GRAPH_INFO, ocdbt_seg: true },
  'in app': { ...GRAPH_INFO, app: { ...app, ocdbt_seg: true } },
  'as text': { ...GRAPH_INFO, graph: { ...graph, ocdbt_seg: 'true' } },
};
const ID = supervoxel([0, 0, 0], 1);

/** The requests to the graph server after the info, by the last part of their paths. */
const requestsOf = async (
  info: object,
  options: OpenGrapheneOptions,
  act: (volume: GrapheneVolume) => Promise<unknown>,
): Promise<string[]> => {
  const server = worldGraph({ info: info as typeof GRAPH_INFO });
  const mocks = await serveMocks({ '/segmentation': server, '/bucket': worldBucket() });
  const volume = await openGraphene(`graphene://${mocks.url}/segmentation/table/world`, {
    token: null,
    logger: { warn: () => undefined },
    ...options,
  });
  server.log.clear();
  await act(volume);
  await volume.close();
  await mocks.close();
  return server.log.requests.map(({ path }) => path.split('/').at(-1)!);
};

describe('requests of a look-up', () => {
  const points = (volume: GrapheneVolume) => volume.scatteredPoints([[17, 8, 4]]),
    nodes = (volume: GrapheneVolume) => volume.roots([ID], { stopLayer: 2 });
  test('are the same as ever where supervoxels cannot split', async () => {
    for (const act of [points, nodes])
      expect(await requestsOf(GRAPH_INFO, {}, act)).toEqual(['roots_binary']);
    for (const ms of [1, Date.now()])
      expect(
        await requestsOf(GRAPH_INFO, { rootCache: true }, (volume) =>
          volume.roots([ID], { timestamp: new Date(ms) }),
        ),
      ).toEqual(['roots_binary']);
  });

  test('include one check of the roots where they can, and one more look-up for a stop layer', async () => {
    const open = { ocdbt: 'ignore' } as const;
    expect(await requestsOf(INFOS['in graph'], open, points)).toEqual(['roots_binary', 'is_latest_roots']);
    expect((await requestsOf(INFOS['in graph'], open, nodes)).sort()).toEqual([
      'is_latest_roots',
      'roots_binary',
      'roots_binary',
    ]);
  });

  test('include the check anywhere with validate', async () => {
    const asked = await requestsOf(GRAPH_INFO, {}, (volume) => volume.roots([ID], { validate: true }));
    expect(asked.slice(0, 2)).toEqual(['roots_binary', 'is_latest_roots']);
  });
});

describe.each(Object.keys(INFOS))('ocdbt_seg %s', (where) => {
  let mocks: ServedMocks, path: string;
  const warnings: string[] = [];
  const open = (options: OpenGrapheneOptions = {}) =>
    openGraphene(path, {
      token: null,
      logger: { warn: (message) => void warnings.push(message) },
      ...options,
    });
  beforeAll(async () => {
    mocks = await serveMocks({
      '/segmentation': worldGraph({ info: INFOS[where] as typeof GRAPH_INFO }),
      '/bucket': worldBucket(),
    });
    path = `graphene://${mocks.url}/segmentation/table/world`;
  });
  afterAll(() => mocks.close());

  test('is an error that names the cause and the option that opens the graph', async () => {
    await expect(open()).rejects.toMatchObject({
      name: 'InfoError',
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/supervoxels of this graph can split.*OCDBT, but .*ocdbt: 'ignore'/),
    });
    expect(warnings).toEqual([]);
  });

  test("is ignored with a warning for ocdbt: 'ignore'", async () => {
    await using volume = await open({ ocdbt: 'ignore' });
    expect((await volume.roots([ID])).rootIds[0]).not.toBe(0n);
    expect(warnings).toEqual([expect.stringMatching(/can split.*opened with its unsplit watershed/)]);
  });

  test('is an error of commands that read voxels, and of no other command', async () => {
    const refused = await runCli(['info', path]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--ocdbt ignore')]);
    const opened = await runCli(['info', path, '--ocdbt', 'ignore']);
    expect([opened.code, opened.stderr]).toEqual([0, expect.stringContaining('warning: info at')]);
    for (const argv of [
      ['roots', path, '--ids', '-'],
      ['latest', path, '--ids', '-'],
      ['graph', 'is-latest', path, String(ID)],
    ]) {
      const { code, stderr } = await runCli(argv, { stdin: `${ID}\n` });
      expect([argv[0], code === 2, stderr]).toEqual([argv[0], false, expect.not.stringContaining('ocdbt')]);
    }
    expect((await runCli(['doctor', path])).stdout).toMatch(/fail +volume +.*ocdbt_seg/);
    expect((await runCli(['doctor', path, '--ocdbt', 'ignore'])).stdout).toMatch(/ok +look-up/);
  });
});

describe('a spec of the voxels, which a server names,', () => {
  const openWith = async (spec: unknown, options: OpenGrapheneOptions = {}): Promise<unknown> => {
    const mocks = await serveMocks({
      '/segmentation': worldGraph({
        info: {
          ...GRAPH_INFO,
          graph: { ...graph, ocdbt_seg: true, ocdbt_kvstore_spec: spec },
        } as typeof GRAPH_INFO,
      }),
      '/bucket': worldBucket(),
    });
    try {
      return await openGraphene(`graphene://${mocks.url}/segmentation/table/world`, {
        token: null,
        retries: 0,
        ...options,
      });
    } finally {
      await mocks.close();
    }
  };
  const forkAt = (...bases: string[]) => ({
    driver: 'ocdbt',
    base: {
      driver: 'kvstack',
      layers: bases.map((base, k) => (k === 0 ? { base } : { prefix: `d${k}/`, base })),
    },
  });

  test.each<[string, unknown, object]>([
    ['local files', forkAt('file:///etc/'), { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
    ['a plain path', { driver: 'ocdbt', base: '/etc/' }, { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
    ['memory', forkAt('mem://x/'), { name: 'PathError', code: 'FORBIDDEN_ADDRESS' }],
    [
      'local files in an upper layer',
      forkAt('https://example.com/a/', 'file:///etc/'),
      { name: 'PathError', code: 'FORBIDDEN_ADDRESS' },
    ],
    [
      "the machine's metadata service",
      forkAt('http://169.254.169.254/x/'),
      { name: 'PathError', code: 'FORBIDDEN_ADDRESS' },
    ],
    ['no database', { driver: 'kvstack', layers: [] }, { name: 'InfoError', code: 'UNSUPPORTED' }],
    ['an unknown driver', { driver: 'zip', base: 'gs://b/' }, { name: 'InfoError', code: 'UNSUPPORTED' }],
    ['a text', 'ocdbt', { name: 'InfoError', code: 'UNSUPPORTED' }],
  ])('may not name %s', async (_what, spec, error) => {
    await expect(openWith(spec)).rejects.toMatchObject(error);
  });

  test('gets no credentials that were meant for a bucket', async () => {
    await expect(
      openWith(forkAt('https://example.com/a/'), { storage: { token: 'bucket-token' } }),
    ).rejects.toMatchObject({ name: 'PathError', code: 'INSECURE_TOKEN' });
  });
});

test.each([undefined, null, false, 0])('ocdbt_seg %j opens without a warning', async (said) => {
  const mocks = await serveMocks({
    '/segmentation': worldGraph({
      info: { ...GRAPH_INFO, graph: { ...graph, ocdbt_seg: said } } as typeof GRAPH_INFO,
    }),
    '/bucket': worldBucket(),
  });
  await (await openGraphene(`graphene://${mocks.url}/segmentation/table/world`, { token: null })).close();
  await mocks.close();
});
test('the option is checked, and its flag', async () => {
  await expect(
    openGraphene('graphene://http://127.0.0.1:1/segmentation/table/t', { ocdbt: 'yes' as 'ignore' }),
  ).rejects.toThrow(new TypeError('ocdbt is \'ignore\', not "yes"'));
  expect(
    (await runCli(['info', 'graphene://http://127.0.0.1:1/segmentation/table/t', '--ocdbt', 'yes'])).code,
  ).toBe(2);
  expect((await runCli(['lookup', 'v', '--points', 'p.csv', '--ocdbt', 'ignore'])).stderr).toContain(
    '--ocdbt is for graphene:// and cave:// paths',
  );
});
