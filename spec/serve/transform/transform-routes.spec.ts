/** The transform service's API over HTTP. Its clients are in interop/transform.ts. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Vec3 } from '../../../lib/base/vec3.ts';
import { createService, type Service } from '../../../lib/serve/create-service.ts';
import { buildPrecomputed, createMockBucket, serveMocks, type ServedMocks } from '../../../mocks/index.ts';
import { worldBucket, worldGraph, OFFSET } from '../../../testing/graph-world.ts';
import { supervoxel } from '../../../testing/tiny-volume.ts';

/** A label beyond 2^53 that tells its voxel. */
const label = (x: number, y: number, z: number): bigint =>
  (x + y + z) % 5 === 0 ? 0n : (1n << 60n) + BigInt(x + 100 * (y + 100 * z));
const WIDE = buildPrecomputed({
  labels: label,
  size: [24, 20, 12],
  voxelOffset: [8, 4, 2],
  resolution: [16, 16, 40],
  chunkSize: [8, 8, 8],
  mips: 2,
});
const NARROW = buildPrecomputed({
  labels: (x, y, z) => x + 100 * (y + 100 * z),
  dataType: 'uint32',
  size: [24, 20, 12],
  resolution: [10, 10, 40],
  chunkSize: [8, 8, 8],
});

let mocks: ServedMocks, service: Service;
const warnings: string[] = [];
const wide = createMockBucket({ files: WIDE.files });
beforeAll(async () => {
  mocks = await serveMocks({
    '/wide': wide,
    '/narrow': createMockBucket({ files: NARROW.files }),
    '/image': createMockBucket({
      files: buildPrecomputed({ labels: () => 1, dataType: 'float32', size: [8, 8, 8] }).files,
    }),
    '/bucket': worldBucket(),
    '/segmentation': worldGraph({ dataDir: '{HOST}/bucket' }),
  });
  const path = (name: string): string => `precomputed://${mocks.url}/${name}`;
  service = await createService({
    volumes: [
      { name: 'flywire_190410', path: path('wide') },
      { name: 'wide', path: path('wide') },
      { name: 'narrow', path: path('narrow') },
      { name: 'fafb-ffn1-20200412', path: path('narrow') },
      { name: 'banc', path: path('narrow'), voxelSize: [5, 5, 40] },
      { name: 'image', path: path('image') },
      { name: 'graph', path: `graphene://${mocks.url}/segmentation/table/${worldGraph().table}` },
    ],
    open: { workers: 0, retries: 0, lruBytes: 0, logger: { warn: (message) => void warnings.push(message) } },
    port: 0,
    maxPoints: 1000,
  });
});
afterAll(async () => {
  await service.close();
  await mocks.close();
});

interface Answer {
  status: number;
  statusText: string;
  type: string | null;
  headers: Headers;
  bytes: Uint8Array;
  json: () => { detail?: unknown; error?: { message: string } };
}
async function send(
  path: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const reply = await fetch(service.url + path, { method: 'POST', body: body as string, headers });
  const bytes = new Uint8Array(await reply.arrayBuffer());
  return {
    status: reply.status,
    statusText: reply.statusText,
    type: reply.headers.get('content-type'),
    headers: reply.headers,
    bytes,
    json: () =>
      JSON.parse(Buffer.from(bytes).toString()) as { detail?: unknown; error?: { message: string } },
  };
}
const float32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const uint64 = (bytes: Uint8Array): bigint[] => [...new BigUint64Array(bytes.slice().buffer)];
const binary = (dataset: string, scale: number | string, format = 'array_float_Nx3'): string =>
  `/query/dataset/${dataset}/s/${scale}/values_binary/format/${format}`;
const columns = (points: readonly (readonly number[])[]): string =>
  JSON.stringify({ x: points.map(([x]) => x), y: points.map(([, y]) => y), z: points.map(([, , z]) => z) });

/** Positions in voxels of 4 × 4 × 40 nm, and the label of each at 16 × 16 × 40 nm. */
const POSITIONS: Vec3[] = [
  [32, 16, 2],
  [35.75, 19.9, 2.5],
  [36, 16, 2],
  [127, 95, 13],
  [128, 95, 13],
  [31.9, 16, 2],
  [127, 95, -0.5],
  [NaN, 20, 3],
  [40, Infinity, 3],
  [100, 60, 9],
];
const EXPECTED = [
  label(8, 4, 2),
  label(8, 4, 2),
  label(9, 4, 2),
  label(31, 23, 13),
  0n,
  0n,
  0n,
  0n,
  0n,
  label(25, 15, 9),
];

describe('GET /info', () => {
  test.each(['/info', '/info/'])('lists the datasets as %s', async (path) =>
    expect(await (await fetch(service.url + path)).json()).toEqual({
      flywire_190410: {
        scales: [2, 3],
        voxel_size: [4, 4, 40],
        description: 'segmentation',
        dtype: 'uint64',
      },
      wide: { scales: [0, 1], voxel_size: [16, 16, 40], description: 'segmentation', dtype: 'uint64' },
      narrow: { scales: [0], voxel_size: [10, 10, 40], description: 'segmentation', dtype: 'uint32' },
      banc: { scales: [1], voxel_size: [5, 5, 40], description: 'segmentation', dtype: 'uint32' },
      graph: { scales: [0], voxel_size: [8, 8, 40], description: 'supervoxels', dtype: 'uint64' },
    }),
  );

  test('leaves out what its clients would misread, and the service says so when it starts', () => {
    expect(warnings.filter((warning) => warning.includes('/info'))).toEqual([
      expect.stringMatching(/^fafb-ffn1-20200412 .* 4 × 4 × 40 nm/),
      expect.stringMatching(/^image .* holds no labels/),
    ]);
  });
});

describe('values_binary', () => {
  test('answers rows of positions, without a Content-Type', async () => {
    const answer = await send(binary('flywire_190410', 2), float32(...POSITIONS.flat()));
    expect([answer.status, answer.type]).toEqual([200, 'application/octet-stream']);
    expect(uint64(answer.bytes)).toEqual(EXPECTED);
  });

  test('answers columns of positions', async () => {
    const body = float32(...[0, 1, 2].flatMap((axis) => POSITIONS.map((position) => position[axis])));
    expect(uint64((await send(binary('flywire_190410', 2, 'array_float_3xN'), body)).bytes)).toEqual(
      EXPECTED,
    );
  });

  test('reads the scale of the URL, at positions in voxels of mip 0', async () => {
    // The mip keeps the first voxel of each 2 × 2, counted from the volume's first voxel.
    expect(uint64((await send(binary('flywire_190410', 3), float32(47, 31, 2))).bytes)).toEqual([
      label(10, 6, 2),
    ]);
    expect(uint64((await send(binary('wide', 1), float32(11, 7, 2))).bytes)).toEqual([label(10, 6, 2)]);
  });

  test('answers in the type of the volume', async () => {
    const { bytes } = await send(binary('narrow', 0), float32(3, 2, 1, -1, 2, 1));
    expect([...new Uint32Array(bytes.slice().buffer)]).toEqual([10203, 0]);
  });

  test('takes positions in the unit that the service was given', async () => {
    const { bytes } = await send(binary('banc', 1), float32(7, 5, 1));
    expect([...new Uint32Array(bytes.slice().buffer)]).toEqual([10203]);
  });

  test('answers the supervoxels of a graph', async () => {
    const body = float32(OFFSET[0] + 9, OFFSET[1], OFFSET[2]);
    expect(uint64((await send(binary('graph', 0), body)).bytes)).toEqual([supervoxel([1, 0, 0], 1)]);
  });

  test.each([undefined, new Uint8Array(0)])('answers no positions with no values: %p', async (body) => {
    const { status, bytes } = await send(binary('narrow', 0), body);
    expect([status, bytes.length]).toEqual([200, 0]);
  });

  test('answers 0 for chunks that are not stored', async () => {
    const key = Object.keys(WIDE.files).find((name) => name.endsWith('8-16_4-12_2-10'))!;
    const stored = wide.get(key)!;
    wide.delete(key);
    try {
      expect(uint64((await send(binary('wide', 0), float32(8, 4, 2, 16, 4, 2))).bytes)).toEqual([
        0n,
        label(16, 4, 2),
      ]);
    } finally {
      wide.put(key, stored.bytes);
    }
  });
});

describe('the JSON forms', () => {
  const finite = POSITIONS.filter((position) => position.every(Number.isFinite)),
    expected = EXPECTED.filter((_, k) => POSITIONS[k].every(Number.isFinite)).map(String);

  test.each(['', '/'])('values_array_string_response%s answers text', async (slash) => {
    const { json, type } = await send(
      `/query/dataset/flywire_190410/s/2/values_array_string_response${slash}`,
      columns(finite),
    );
    expect(json()).toEqual({ values: [expected] });
    expect(type).toBe('application/json; charset=utf-8');
  });

  test('values_array answers numbers with all digits', async () => {
    const { bytes } = await send('/query/dataset/flywire_190410/s/2/values_array', columns(finite));
    expect(Buffer.from(bytes).toString()).toBe(`{"values":[[${expected.join(',')}]]}`);
  });

  test('cloud_volume_server takes locations', async () => {
    const { json } = await send(
      '/query/dataset/flywire_190410/s/2/cloud_volume_server',
      JSON.stringify({ locations: finite }),
    );
    expect(json()).toEqual(expected);
  });

  test.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
    'read a body of the type %s',
    async (type) => {
      const { json } = await send(
        '/query/dataset/narrow/s/0/values_array_string_response',
        '{"x":[3],"y":[2],"z":[1]}',
        { 'content-type': type },
      );
      expect(json()).toEqual({ values: [['10203']] });
    },
  );

  test('answer no positions with an empty list', async () => {
    expect((await send('/query/dataset/narrow/s/0/values_array', '{"x":[],"y":[],"z":[]}')).json()).toEqual({
      values: [[]],
    });
    expect((await send('/query/dataset/narrow/s/0/cloud_volume_server', '{"locations":[]}')).json()).toEqual(
      [],
    );
  });

  test('read positions that Python writes as NaN', async () =>
    expect(
      (
        await send('/query/dataset/narrow/s/0/values_array', '{"x":[NaN,3],"y":[2,2],"z":[1,Infinity]}')
      ).json(),
    ).toEqual({ values: [[0, 0]] }));
});

describe('a chunk that cannot be read', () => {
  const key = Object.keys(WIDE.files).find((name) => name.endsWith('8-16_4-12_2-10'))!;
  const whole = WIDE.files[key];
  beforeEach(() => wide.put(key, new Uint8Array(5)));
  afterAll(() => wide.put(key, whole.bytes));

  test.each([
    [binary('wide', 0), float32(8, 4, 2, 16, 4, 2)],
    ['/query/dataset/wide/s/0/values_array_string_response', '{"x":[8,16],"y":[4,4],"z":[2,2]}'],
    ['/query/dataset/wide/s/0/values_array', '{"x":[8,16],"y":[4,4],"z":[2,2]}'],
    ['/query/dataset/wide/s/0/cloud_volume_server', '{"locations":[[8,4,2],[16,4,2]]}'],
  ])('is an error of the whole request, and never a 0: %s', async (path, body) => {
    const { status, statusText, json } = await send(path, body);
    expect(status).toBe(502);
    expect(json().detail).toMatch(
      /^1 of 2 positions could not be read, so there is no answer\. .*8-16_4-12_2-10/,
    );
    expect(statusText).toMatch(/^1 of 2 positions could not be read/); // what fafbseg-py shows
  });
});

describe('a request that cannot be answered', () => {
  const path = ['path', 'dataset'];
  test.each([
    [binary('nothing', 0), '', 422, path],
    [binary('__proto__', 0), '', 422, path],
    [binary('constructor', 0), '', 422, path],
    [binary('..%2F..%2Fetc%2Fpasswd', 0), '', 400, 'the path has an empty segment'],
    [binary('image', 0), '', 400, 'image cannot be queried: it holds no labels'],
    [binary('fafb-ffn1-20200412', 0), '', 400, 'fafb-ffn1-20200412 cannot be queried: its clients'],
    [binary('flywire_190410', 0), '', 400, 'Scale 0 not found: flywire_190410 has 2, 3'],
    [binary('wide', -1), '', 400, 'Scale -1 not found: wide has 0, 1'],
    [binary('wide', '1e0'), '', 422, ['path', 'scale']],
    [binary('wide', 'x'), '', 422, ['path', 'scale']],
    [binary('wide', 0, 'array_float_2xN'), '', 422, ['path', 'format']],
    [binary('wide', 0), 'x'.repeat(13), 400, 'the body has 13 bytes, which is not a multiple of 12'],
    ['/query/dataset/wide/s/0/values_array', '{"x":[1]', 422, ['body', 8]],
    ['/query/dataset/wide/s/0/values_array', '', 422, ['body', 0]],
    ['/query/dataset/wide/s/0/values_array', '{"x":[1],"y":[2],"z":["3"]}', 422, ['body', 'z', 0]],
    ['/query/dataset/wide/s/0/cloud_volume_server', '{"locations":[[1,2]]}', 422, ['body', 'locations', 0]],
  ])('%s with %j gets %i', async (url, body, status, expected) => {
    const answer = await send(url, body),
      { detail, error } = answer.json();
    expect(answer.status).toBe(status);
    if (typeof expected === 'string') expect(detail).toContain(expected);
    else expect(detail).toEqual([{ loc: expected, msg: expect.any(String), type: expect.any(String) }]);
    expect(error?.message).not.toBe('');
  });

  test.each([
    [{ 'content-encoding': 'gzip' }, 415, 'content encoding gzip'],
    [{ 'content-type': 'application/x-msgpack' }, 415, 'msgpack is not read here'],
  ])('is refused rather than misread: %j', async (headers, status, text) => {
    const answer = await send(binary('wide', 0), float32(8, 4, 2), headers);
    expect([answer.status, answer.json().detail]).toEqual([status, expect.stringContaining(text)]);
  });

  test('is refused with more positions than the service takes', async () => {
    const answer = await send(binary('wide', 0), new Uint8Array(12 * 1001));
    expect([answer.status, answer.json().detail]).toEqual([413, expect.stringContaining('(1000) exceeded')]);
  });

  test('is refused before its body arrives, if that is too large', async () => {
    const received = await talk(
      [
        `POST ${binary('wide', 0)} HTTP/1.1\r\nHost: ${new URL(service.url).host}\r\nContent-Length: 300000000\r\n\r\n`,
      ],
      ['"detail":'],
    );
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
  });
});

test('a large body is sent after 100 Continue, as curl and R do', async () => {
  const body = '{"x":[3],"y":[2],"z":[1]}',
    head = [
      'POST /query/dataset/narrow/s/0/values_array_string_response HTTP/1.1',
      `Host: ${new URL(service.url).host}`,
      'User-Agent: libcurl/8.5.0 r-curl/6.2.2 httr/1.4.7',
      'Accept-Encoding: deflate, gzip',
      'Accept: application/json, text/xml, application/xml, */*',
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
    ];
  const received = await talk([`${head.join('\r\n')}\r\n\r\n`, body], ['100 Continue', '10203']);
  expect(received).toContain('{"values":[["10203"]]}');
});

/** Sends parts of a request; each but the first is sent when the answer has the text before. */
async function talk(parts: readonly string[], waitFor: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  let received = '',
    step = 0;
  socket.write(parts[0]);
  for await (const chunk of socket) {
    received += String(chunk);
    if (!received.includes(waitFor[step])) continue;
    step++;
    if (step === waitFor.length) break;
    socket.write(parts[step]);
  }
  return received;
}
