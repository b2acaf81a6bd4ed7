/** The findings of the doctor, for servers that work and for servers that do not. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InfoError } from '../../lib/base/errors.ts';
import { lookUpNearMiddle } from '../../lib/doctor/check-look-up.ts';
import type { PrecomputedVolume } from '../../lib/graphene/precomputed-volume.ts';
import type { Finding } from '../../lib/doctor/findings.ts';
import { diagnose, type DoctorOptions } from '../../lib/doctor/diagnose.ts';
import {
  createMockBucket,
  mockCave,
  serveMocks,
  type Fault,
  type MockUser,
  type ServedMocks,
} from '../../mocks/index.ts';
import { secretsFolder } from '../support/clouds.ts';
import { BEFORE, worldBucket, worldGraph, WORLD } from '../../testing/graph-world.ts';
import { tinyFiles } from '../../testing/tiny-volume.ts';
import { runCli } from '../cli/run-cli.ts';

nock.restore();

const TOKEN = 'good-token-0123456789',
  USERS: Record<string, MockUser> = {
    [TOKEN]: {},
    'poor-token-0123456789': { permissions: [] },
    'tos-token-0123456789': { missingTos: { id: 3, name: 'rules' } },
  };
const HOME = { CLOUD_VOLUME_DIR: process.env.CLOUD_VOLUME_DIR, CAVE_TOKEN: process.env.CAVE_TOKEN };
const cave = mockCave({ datastack: 'world_v1', table: 'world', tokens: USERS, versions: { 7: BEFORE } }),
  graph = worldGraph({ tokens: USERS }),
  bucket = worldBucket();
let served: ServedMocks, folder: string;

beforeAll(
  async () => void (served = await serveMocks({ ...cave, '/segmentation': graph, '/bucket': bucket })),
);
afterAll(() => served.close());
beforeEach(() => {
  folder = secretsFolder({ 'cave-secret.json': { token: TOKEN } });
  chmodSync(join(folder, 'secrets'), 0o700);
  chmodSync(file('cave-secret.json'), 0o600);
  process.env.CLOUD_VOLUME_DIR = folder;
  delete process.env.CAVE_TOKEN;
  for (const { faults } of [cave['/info'], graph, bucket]) faults.length = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(HOME)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

test('the doctor says which package a volume needs, if none of its scales can be read without it', async () => {
  const error = new InfoError(
    'UNSUPPORTED',
    'encoding jxl needs a package; to install it: npm install PACKAGE',
  );
  const volume = { scales: [{ error }] } as unknown as PrecomputedVolume;
  expect(await lookUpNearMiddle(volume, 0, undefined)).toEqual({
    name: 'look-up',
    verdict: 'fail',
    said: error.message,
  });
});

const file = (name: string): string => join(folder, 'secrets', name);
const graphPath = (): string => `graphene://${served.url}/segmentation/table/world`;
const findings = async (path: string | undefined, options: DoctorOptions = {}): Promise<Finding[]> => {
  const found: Finding[] = [];
  for await (const finding of diagnose(path, { retries: 0, ...options })) found.push(finding);
  expect(JSON.stringify(found)).not.toMatch(/(good|poor|tos)-token/);
  return found;
};
const verdicts = (found: readonly Finding[]): string =>
  found.map(({ name, verdict }) => `${name} ${verdict}`).join(', ');
const of = (found: readonly Finding[], name: string): Finding =>
  found.find((finding) => finding.name === name)!;

describe('graphene-points doctor', () => {
  test('finds no problem with a datastack that works', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', 'cave://world_v1', '--server', served.url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').map((line) => line.slice(0, 15).trimEnd())).toEqual([
      'ok    node',
      'ok    secrets',
      'ok    token',
      'ok    datastack',
      'ok    access',
      'ok    clock',
      'ok    bucket',
      'ok    server',
      'ok    supervoxe',
      'ok    look-up',
      'ok    versions',
      '',
    ]);
    for (const said of [
      `the token from ${file('cave-secret.json')}`,
      'voxels of 4,4,40 nm',
      `${served.url}/bucket can be read`,
      'PyChunkedGraph 2.21.1; API versions',
      '1 materialization, the newest 7 of 2024-06-05T10:10:01.202Z',
    ])
      expect(stdout).toContain(said);
    expect(stdout).toMatch(/supervoxel \d{17,} at \[\d+,\d+,\d+\] of mip 0 has root \d{17,}\n/);
    expect(stdout).not.toContain(TOKEN);
  });

  test('prints JSON, and accepts the path of a graph', async () => {
    const { code, stdout } = await runCli(['doctor', graphPath(), '--json']);
    expect(code).toBe(0);
    expect(verdicts(JSON.parse(stdout) as Finding[])).toBe(
      'node ok, secrets ok, token ok, access ok, clock ok, bucket ok, server ok, supervoxels ok, look-up ok',
    );
  });

  test('reads a volume without a graph, and does not report tokens', async () => {
    const found = await findings(`${served.url}/bucket`);
    expect(verdicts(found)).toBe('node ok, secrets ok, bucket ok, look-up ok');
    expect(of(found, 'look-up').said).toMatch(/^\d{17,} at \[/);
    expect(verdicts(await findings(`${served.url}/nothing`))).toBe('node ok, secrets ok, bucket fail');
    expect((await runCli(['doctor', `${served.url}/nothing`])).code).toBe(1);
  });

  test('checks without a path whether the server accepts the token', async () => {
    expect(verdicts(await findings(undefined, { server: served.url }))).toBe(
      'node ok, secrets ok, token ok, access ok',
    );
    writeFileSync(file('cave-secret.json'), '{"token": "bad-token"}');
    const found = await findings(undefined, { server: served.url });
    expect(of(found, 'access')).toMatchObject({
      verdict: 'fail',
      next: `make a token and save it: graphene-points login ${served.url}`,
    });
    rmSync(file('cave-secret.json'));
    expect(verdicts(await findings(undefined, { server: served.url }))).toBe(
      'node ok, secrets warn, token warn',
    );
  });

  test.each<[string, string | undefined, string, string]>([
    ['an invalid token', 'bad-token', 'refused the token from', 'graphene-points login http'],
    ['no permission', 'poor-token-0123456789', 'Missing permission: view', 'ask the owners of the dataset'],
    [
      'terms of service that were not accepted',
      'tos-token-0123456789',
      'https://auth.invalid/api/v1/tos/3/accept',
      'open that page',
    ],
    ['no token', undefined, 'needs a token, and none was sent', 'graphene-points login http'],
  ])('says what to do about %s', async (_, token, said, next) => {
    if (token === undefined) rmSync(file('cave-secret.json'));
    else writeFileSync(file('cave-secret.json'), JSON.stringify({ token }));
    const found = await findings(graphPath());
    expect(found.at(-1)).toEqual({
      name: 'access',
      verdict: 'fail',
      said: expect.stringContaining(said),
      next: expect.stringContaining(next),
    });
    expect(of(found, 'token').verdict).toBe(token === undefined ? 'warn' : 'ok');
  });

  test.each<{
    what: string;
    of: { faults: Fault[] };
    fault: Fault;
    finding: [name: string, verdict: string, said: string];
  }>([
    {
      what: 'a bucket that is closed',
      of: bucket,
      fault: { status: 403 },
      finding: ['bucket', 'fail', '403'],
    },
    {
      what: 'a bucket without an info',
      of: bucket,
      fault: { match: /info/, status: 404, body: 'no' },
      finding: ['bucket', 'warn', 'has no info'],
    },
    {
      what: 'chunks that cannot be read',
      of: bucket,
      fault: { match: /s0\//, status: 500, body: 'disk' },
      finding: ['look-up', 'fail', '500'],
    },
    {
      what: 'roots that cannot be looked up',
      of: graph,
      fault: { match: /roots_binary/, status: 501 },
      finding: ['look-up', 'fail', '501'],
    },
    {
      what: 'unknown server versions',
      of: graph,
      fault: { match: /api\/version/, status: 404 },
      finding: ['server', 'warn', '404'],
    },
    {
      what: 'a graph that is out of reach',
      of: graph,
      fault: { match: /\/info/, reset: true },
      finding: ['access', 'fail', 'connection failed'],
    },
    {
      what: 'a table without a graph',
      of: graph,
      fault: { match: /\/info/, status: 200, body: '{}' },
      finding: ['bucket', 'fail', 'does not describe a chunkedgraph'],
    },
  ])('reports $what', async ({ of: server, fault, finding: [name, verdict, said] }) => {
    server.faults.push(fault);
    expect(of(await findings(graphPath()), name)).toMatchObject({
      verdict,
      said: expect.stringContaining(said),
    });
  });

  test('reports a wrong clock, and in which direction it is wrong', async () => {
    const clock = async (offsetMs: number): Promise<Finding> =>
      of(await findings(graphPath(), { now: () => Date.now() + offsetMs }), 'clock');
    expect(await clock(60_000)).toMatchObject({
      verdict: 'warn',
      said: expect.stringMatching(/this machine is (59|60|61) s ahead of http/),
    });
    expect(await clock(-290_000)).toMatchObject({
      verdict: 'warn',
      said: expect.stringMatching(/this machine is (289|290|291) s behind http/),
    });
    for (const offsetMs of [310_000, -3_600_000]) {
      const found = await clock(offsetMs),
        instants = found.said.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g)!.map((text) => Date.parse(text));
      expect(found.verdict).toBe('fail');
      expect(Math.abs(instants[0] - instants[1] - offsetMs)).toBeLessThan(2000); // both times are named
    }
    expect(await clock(2000)).toMatchObject({ verdict: 'ok' });
  });

  test('reports a volume that holds only background', async () => {
    const files = tinyFiles({ ...WORLD, labelAt: () => 0n });
    await using empty = await serveMocks({ '/bucket': createMockBucket({ files }) });
    expect(of(await findings(`${empty.url}/bucket`), 'look-up')).toMatchObject({
      verdict: 'warn',
      said: expect.stringContaining('only background'),
    });
  });

  test.each<[string, number | undefined, string, string]>([
    ['that others can read', 0o644, 'can read', 'chmod 600 '],
    ['that holds no JSON', undefined, 'does not hold a JSON object', 'move it away'],
  ])('reports a file of secrets %s', async (_, mode, said, next) => {
    writeFileSync(file('lab-google-secret.json'), mode === undefined ? 'broken' : '{}', { mode: 0o600 });
    if (mode !== undefined) chmodSync(file('lab-google-secret.json'), mode);
    const found = await findings(`${served.url}/bucket`);
    expect(found.filter(({ name }) => name === 'secrets').slice(1)).toEqual([
      {
        name: 'secrets',
        verdict: 'warn',
        said: expect.stringContaining(said),
        next: expect.stringContaining(next),
      },
    ]);
  });

  test('reports a folder of secrets that others can open, an invalid token file, and a missing folder', async () => {
    chmodSync(join(folder, 'secrets'), 0o755);
    expect((await findings(`${served.url}/bucket`))[2]).toMatchObject({
      verdict: 'warn',
      next: `chmod 700 ${join(folder, 'secrets')}`,
    });
    writeFileSync(file('cave-secret.json'), '{}');
    expect((await findings(graphPath())).at(-1)).toMatchObject({
      name: 'token',
      verdict: 'fail',
      said: expect.stringContaining('does not contain {"token"'),
    });
    rmSync(join(folder, 'secrets'), { recursive: true });
    expect((await findings(`${served.url}/bucket`))[1]).toMatchObject({
      verdict: 'warn',
      said: `${join(folder, 'secrets')} does not exist`,
    });
    mkdirSync(join(folder, 'secrets'));
  });

  test.each<[string, string, string]>([
    ['an invalid path', 'graphene://nowhere', 'path'],
    ['an unknown datastack', 'cave://other', 'datastack'],
  ])('fails for %s', async (_, path, name) => {
    expect(
      (await findings(path, path.startsWith('cave') ? { server: served.url } : {})).at(-1),
    ).toMatchObject({ name, verdict: 'fail' });
  });

  test.each([
    ['18.20.4', 'fail'],
    ['20.18.3', 'fail'],
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('reports Node %s as %s', async (version, verdict) => {
    expect((await findings('/nowhere', { version }))[0]).toMatchObject({ name: 'node', verdict });
  });
});
