import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkOfState } from '../../lib/neuroglancer/state-link.ts';
import { pointsOfState } from '../../lib/neuroglancer/state-points.ts';
import { createMockBucket } from '../../mocks/bucket.ts';
import { serveMocks, type ServedMocks } from '../../mocks/loopback.ts';
import { reply } from '../../mocks/message.ts';
import { mockServer } from '../../mocks/server.ts';
import { buildPrecomputed } from '../../mocks/volume/precomputed.ts';
import { runCli, type CliResult } from './run-cli.ts';

const FIRST = 648518346349538000n;
const built = buildPrecomputed({
  size: [32, 32, 8],
  resolution: [8, 8, 40],
  chunkSize: [16, 16, 8],
  labels: (x, y, z) => (x === 0 ? 0n : FIRST + BigInt(x + 32 * y + 1024 * z)),
});
const labelAt = (x: number, y: number, z: number): string => String(built.valueAt([x, y, z]));

/** What the state server got, and the state that it has. */
const received: { state: unknown; token: string | undefined }[] = [];
let stored = '{}';
const stateServer = mockServer(({ method, path: requested, body, headers }) => {
  const token = headers.authorization as string | undefined;
  const state: unknown = method === 'GET' ? requested : JSON.parse(new TextDecoder().decode(body));
  received.push({ state, token });
  const answer = method === 'GET' ? stored : '"https://elsewhere.example/nglstate/api/v1/4711"';
  return reply(200, 'application/json', answer);
});
let served: ServedMocks, path: string, folder: string;
beforeAll(async () => {
  served = await serveMocks({
    '/bucket': createMockBucket({ files: built.files }),
    '/nglstate': stateServer,
  });
  path = `${served.url}/bucket`;
});
afterAll(() => served.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'states-'));
  received.length = 0;
});
afterEach(() => rm(folder, { recursive: true }));

const lookup = (
  points: string,
  flags: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<CliResult> =>
  runCli(['lookup', path, '--points', points, ...flags], { env: { CLOUD_VOLUME_DIR: folder, ...env } });
const stateOf = (dimensions: object, ...annotations: object[]): object => ({
  dimensions,
  layers: [
    { type: 'image', name: 'em', source: 'precomputed://gs://bucket/em' },
    { type: 'annotation', name: 'spines', source: 'local://annotations', annotations },
  ],
});
const NM_8_8_40 = { x: [8e-9, 'm'], y: [8e-9, 'm'], z: [4e-8, 'm'] };
const STATE = stateOf(
  NM_8_8_40,
  { type: 'point', id: 'a', point: [3.5, 4, 5], description: 'head, "big"', segments: [['7', '8']] },
  { type: 'line', id: 'b', pointA: [20, 21, 2], pointB: [0.5, 1, 1] },
);
const EXPECTED = [
  'layer,id,part,x,y,z,description,tags,segments,value,status',
  `spines,a,point,3.5,4,5,"head, ""big""",,7 8,${labelAt(3, 4, 5)},ok`,
  `spines,b,pointA,20,21,2,,,,${labelAt(20, 21, 2)},ok`,
  'spines,b,pointB,0.5,1,1,,,,0,background',
];
const save = async (name: string, json: unknown): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, JSON.stringify(json));
  return file;
};
const linesOf = ({ stdout }: CliResult): string[] => stdout.trimEnd().split('\n');

describe('lookup --points STATE', () => {
  test('reads the points of a state in a file, a link or standard input', async () => {
    const file = await save('state.json', STATE);
    for (const result of [
      await lookup(file),
      await lookup(linkOfState(STATE)!),
      await lookup(await save('state.txt', STATE), ['--format', 'neuroglancer']),
      await runCli(['lookup', path, '--points', '-', '--format', 'neuroglancer'], {
        stdin: JSON.stringify(STATE),
      }),
    ]) {
      expect(linesOf(result)).toEqual(EXPECTED);
      expect(result.code).toBe(0);
    }
  });

  test('reads several states into one table, in the unit of the first', async () => {
    const other = stateOf(
      { x: [4, 'nm'], y: [4, 'nm'], z: [40, 'nm'] },
      { type: 'point', id: 'c', point: [40, 42, 2] },
    );
    const result = await lookup(await save('a.json', STATE), ['--points', await save('b.json', other)]);
    expect(linesOf(result)).toEqual([...EXPECTED, `spines,c,point,20,21,2,,,,${labelAt(20, 21, 2)},ok`]);
  });

  test('gives the coordinates in another unit, and another format', async () => {
    const result = await lookup(await save('state.json', STATE), [
      '--resolution',
      '1,1,1',
      '--out-format',
      'jsonl',
    ]);
    const [first] = linesOf(result).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ layer: 'spines', id: 'a', status: 'ok' });
    expect([first.x, first.y, first.z].map(Number)).toEqual([28, 32, 200]);
  });

  test('reads a state from a state server, and sends no token to one that only the link names', async () => {
    stored = JSON.stringify(STATE);
    const address = `${served.url}/nglstate/api/v1/5`;
    for (const link of [address, `https://v.example/#!middleauth+${address}`]) {
      const result = await lookup(link, [], { CAVE_TOKEN: 'a-secret-token' });
      expect(linesOf(result)).toEqual(EXPECTED);
      expect(result.stderr).toContain(`no token is sent to ${served.url}`);
      expect(result.stderr).not.toContain('a-secret-token');
    }
    expect(received.map(({ token }) => token)).toEqual([undefined, undefined]);
    const secrets = join(folder, 'secrets'),
      { host } = new URL(served.url);
    await mkdir(secrets, { recursive: true });
    await writeFile(join(secrets, `${host}-cave-secret.json`), '{"token":"a-token-of-this-host"}');
    expect(linesOf(await lookup(address))).toEqual(EXPECTED);
    expect(received.at(-1)).toMatchObject({ token: 'Bearer a-token-of-this-host' });
  });

  test('names the layer and the annotation that it cannot read', async () => {
    const bad = stateOf(NM_8_8_40, { type: 'point', id: 'broken', point: [1, 2] });
    const result = await lookup(await save('bad.json', bad));
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(
      /bad\.json: layer spines: annotation broken has a point that is not 3 finite numbers/,
    );
  });

  test('refuses what does not fit a state', async () => {
    const file = await save('state.json', STATE),
      table = await save('points.csv', 'x');
    const messages = [
      [await lookup(file, ['--columns', 'a,b,c']), '--columns is for tables'],
      [await lookup(file, ['--layer', 'none']), 'no annotation layer none'],
      [await lookup(file, ['--points', table]), 'is not a Neuroglancer state'],
      [await lookup(table, ['--layer', 'spines']), '--layer is for Neuroglancer states'],
      [await lookup(await save('table.json', [{ x: 1, y: 2, z: 3 }])), 'is JSON, which is not read'],
      [await lookup(join(folder, 'absent.json'), ['--format', 'neuroglancer']), 'absent.json'],
    ] as const;
    for (const [{ code, stderr }, message] of messages) {
      expect(stderr).toContain(message);
      expect(code).toBe(2);
    }
  });

  test('is an input of a job', async () => {
    const file = await save('state.json', STATE),
      out = join(folder, 'out.csv');
    const job = ['job', 'run', '--job', join(folder, 'job'), '--volume', path, file, '--out', out];
    const { code, stderr } = await runCli(job, { env: { CLOUD_VOLUME_DIR: folder } });
    expect([code, stderr]).toEqual([0, expect.anything()]);
    expect((await readFile(out, 'utf8')).trimEnd().split('\n')).toEqual(EXPECTED);
  });
});

describe('lookup --neuroglancer', () => {
  const POINTS = 'x,y,z\n3,4,5\n20,21,2\n0,1,1\n99,1,1\n20,21,2\n,,\n';
  let table: string, out: string;
  beforeEach(async () => {
    table = join(folder, 'points.csv');
    out = join(folder, 'out.csv');
    await writeFile(table, POINTS);
  });

  test('writes a state with the points and their IDs, and prints its link', async () => {
    const file = join(folder, 'state.json');
    const { stderr } = await lookup(table, [
      '--out',
      out,
      '--neuroglancer',
      file,
      '--viewer-site',
      'https://v.example',
    ]);
    const text = await readFile(file, 'utf8'),
      state = JSON.parse(text) as { layers: object[] };
    expect(state.layers[0]).toMatchObject({
      source: `precomputed://${path}`,
      segments: [labelAt(20, 21, 2), labelAt(3, 4, 5)],
    });
    const read = pointsOfState(text);
    expect([...read.points]).toEqual([3, 4, 5, 20, 21, 2, 0, 1, 1, 99, 1, 1, 20, 21, 2]);
    expect(read.description).toEqual([undefined, undefined, 'background', 'out_of_bounds', undefined]);
    const [link] = /https:\/\/v\.example\/#!\S+/.exec(stderr)!;
    expect(pointsOfState(link)).toEqual(read);
    expect((await readdir(folder)).sort()).toEqual(['out.csv', 'points.csv', 'state.json']);
  });

  test('says what the state leaves out', async () => {
    const flags = ['--out', out, '--neuroglancer', '-', '--neuroglancer-points', '2', '--color-by', 'status'];
    const { stderr, stdout } = await lookup(table, flags);
    expect(stderr).toContain('the state shows 2 of 6 points');
    expect(pointsOfState(stdout).annotation).toEqual(['0', '1']);
  });

  test('stores the state on the server that is named, only if that is asked for', async () => {
    const flags = ['--out', out, '--neuroglancer-post', served.url, '--viewer-site', 'https://v.example'];
    const { stderr } = await lookup(table, flags, { CAVE_TOKEN: 'a-secret-token' });
    expect(stderr).toContain(`https://v.example/#!middleauth+${served.url}/nglstate/api/v1/4711`);
    expect(received.map(({ token }) => token)).toEqual(['Bearer a-secret-token']);
    expect(pointsOfState(received[0].state as object).annotation).toEqual(['0', '1', '2', '3', '4']);
  });

  test('refuses flags that do not fit, before anything is requested', async () => {
    const messages = [
      [await lookup(table, ['--neuroglancer', '-']), 'name --out'],
      [await lookup(table, ['--neuroglancer', table]), 'would overwrite'],
      [await lookup(table, ['--color-by', 'root']), '--color-by is for --neuroglancer'],
      [await lookup(table, ['--neuroglancer', 's.json', '--viewer-site', 'x']), 'is a web address'],
      [await lookup(table, ['--neuroglancer', join(folder, 'no', 's.json')]), 's.json'],
    ] as const;
    for (const [{ code, stderr }, message] of messages) {
      expect(stderr).toContain(message);
      expect(code).toBe(2);
    }
  });
});
