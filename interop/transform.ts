/**
 * Compares fafbseg-py, R's requests and plain Python at our `serve` with the voxels that CloudVolume reads. The
 * clients have only another URL.
 */
import { request as httpRequest } from 'node:http';
import type { Vec3 } from '../lib/base/vec3.ts';
import { createService } from '../lib/serve/create-service.ts';
import { buildPrecomputed, createMockBucket, serveMocks, type BuiltPrecomputed } from 'graphene-points/mocks';
import { seeded, type Random } from '../testing/random.ts';
import type { Comparison } from './comparison.ts';
import type { Part } from './part.ts';
import { PythonClient, type Numbers } from './python-client.ts';

const POINTS = 500;

/** A dataset of the service, and how its clients see it. */
interface Dataset {
  name: string;
  volume: BuiltPrecomputed;
  /** Nanometres per unit of a position. */
  unit: Vec3;
  /** The number of mip 0. */
  first: number;
}

const label = (x: number, y: number, z: number): bigint =>
  (x + 2 * y + z) % 7 === 0
    ? 0n
    : (1n << 56n) + BigInt(((x >> 2) + 1) * 1_000_003 + ((y >> 2) << 12) + (z >> 1));

const DATASETS: Dataset[] = [
  {
    name: 'flywire_190410',
    unit: [4, 4, 40],
    first: 2,
    volume: buildPrecomputed({
      labels: (x, y, z) => (x < 60 ? label(x, y, z) : 0n),
      size: [90, 70, 20],
      voxelOffset: [10, 6, 3],
      resolution: [16, 16, 40],
      chunkSize: [32, 32, 8],
      encoding: 'compressed_segmentation',
      mips: 3,
      skipEmpty: true,
    }),
  },
  {
    name: 'fafb-ffn1-20200412',
    unit: [4, 4, 40],
    first: 0,
    volume: buildPrecomputed({
      labels: (x, y, z) => Number(label(x, y, z) & 0xffffffffn),
      dataType: 'uint32',
      size: [90, 70, 20],
      resolution: [4, 4, 40],
      chunkSize: [32, 32, 8],
      sharding: true,
      mips: 2,
    }),
  },
  {
    name: 'wclee_aedes_brain',
    unit: [16, 16, 45],
    first: 0,
    volume: buildPrecomputed({
      labels: label,
      size: [40, 40, 10],
      resolution: [16, 16, 45],
      chunkSize: [16, 16, 8],
    }),
  },
];

export const transform: Part = async ({ python, comparison }) => {
  await using fafbseg = new PythonClient(python, 'transform_client.py');
  await using cloudvolume = new PythonClient(python, 'cloudvolume_client.py');
  await using served = await serveMocks(
    Object.fromEntries(
      DATASETS.map(({ name, volume }) => [`/${name}`, createMockBucket({ files: volume.files })]),
    ),
  );
  const service = await createService({
    volumes: DATASETS.map(({ name }) => ({ name, path: `precomputed://${served.url}/${name}` })),
    open: { logger: { warn: () => undefined } },
    port: 0,
  });
  try {
    const random = seeded(20);
    for (const dataset of DATASETS)
      for (const scale of scalesOf(dataset)) {
        const path = `precomputed://${served.url}/${dataset.name}`,
          voxels = await cloudvolume.call<Numbers>('whole', { path, mip: scale.mip });
        await compareClients(fafbseg, service.url, dataset, { ...scale, voxels }, random, comparison);
      }
    comparison.same(
      'GET /info by fafbseg',
      Object.fromEntries(
        DATASETS.map((dataset) => [
          dataset.name,
          {
            scales: scalesOf(dataset).map(({ number }) => number),
            voxel_size: dataset.unit,
            description: 'segmentation',
            dtype: 'uint64',
          },
        ]),
      ),
      await fafbseg.call('info', { url: service.url }),
    );
  } finally {
    await service.close();
  }
};

interface Scale {
  mip: number;
  /** The number in requests. */
  number: number;
  resolution: Vec3;
  size: Vec3;
  offset: Vec3;
}

const scalesOf = ({ volume, first }: Dataset): Scale[] =>
  volume.info.scales.map(({ resolution, size, voxel_offset: offset }, mip) => ({
    mip,
    number: first + mip,
    resolution,
    size,
    offset,
  }));

async function compareClients(
  fafbseg: PythonClient,
  url: string,
  { name, unit }: Dataset,
  scale: Scale & { voxels: Numbers },
  random: Random,
  comparison: Comparison,
): Promise<void> {
  const what = `${name}, scale ${scale.number}`,
    points = pointsAround(random, scale, unit),
    expected = expectedLabels(points, scale, unit),
    texts = Array.from(expected, String);
  const at = { url, points, segmentation: name, mip: scale.number };
  comparison.values(
    `${what}: get_segids, voxels`,
    expected,
    await fafbseg.call('get_segids', { ...at, coordinates: 'voxel' }),
  );
  comparison.values(
    `${what}: get_segids in pieces`,
    expected,
    await fafbseg.call('get_segids', { ...at, coordinates: 'voxel', limit_request: 77 }),
  );
  const inNm = points.map((value, k) => (value + 0.5) * unit[k % 3]);
  comparison.values(
    `${what}: get_segids, nm`,
    expected,
    await fafbseg.call('get_segids', { ...at, points: inNm, coordinates: 'nm' }),
  );
  if (scale.mip === 0)
    comparison.values(
      `${what}: get_segids at the finest scale`,
      expected,
      await fafbseg.call('get_segids', { ...at, mip: -1, coordinates: 'voxel' }),
    );
  if (name === 'flywire_190410')
    comparison.values(
      `${what}: flywire.locs_to_supervoxels`,
      expected,
      await fafbseg.call('locs_to_supervoxels', { url, points, mip: scale.number, dataset: 'public' }),
    );

  const below = `${url}/query/dataset/${name}/s/${scale.number}`,
    column = (axis: number): number[] => Array.from(points.filter((_, k) => k % 3 === axis)),
    columns = { x: column(0), y: column(1), z: column(2) };
  comparison.same(
    `${what}: cloud_volume_server`,
    texts,
    await fafbseg.call('post', {
      url: `${below}/cloud_volume_server`,
      json: { locations: columns.x.map((x, k) => [x, columns.y[k], columns.z[k]]) },
    }),
  );
  comparison.same(
    `${what}: values_array`,
    [texts],
    await postValues(fafbseg, `${below}/values_array`, columns),
  );
  comparison.same(
    `${what}: values_array_string_response/`,
    [texts],
    await postValues(fafbseg, `${below}/values_array_string_response/`, columns),
  );

  // jsonlite::toJSON writes numbers with four decimals at most, and httr sends text and bytes without a Content-Type.
  const inR = JSON.stringify(columns);
  const answer = JSON.parse(String(await asR(`${below}/values_array_string_response`, Buffer.from(inR)))) as {
    values: string[][];
  };
  comparison.same(`${what}: flywire_supervoxels of R`, texts, answer.values.flat());
  const written = Float32Array.from([...columns.x, ...columns.y, ...columns.z]); // as.vector of a matrix, by writeBin
  const binary = await asR(`${below}/values_binary/format/array_float_3xN`, Buffer.from(written.buffer));
  comparison.values(
    `${what}: flywire_supervoxels_binary of R`,
    expected,
    new BigUint64Array(new Uint8Array(binary).buffer),
  );
}

async function postValues(client: PythonClient, url: string, json: object): Promise<unknown> {
  return (await client.call<{ values: unknown }>('post', { url, json })).values;
}

/** Sends a body as httr 1.4 does: httr::POST(url, body = text or raw). */
function asR(url: string, body: Buffer): Promise<Buffer> {
  const headers = {
    'User-Agent': 'libcurl/8.5.0 r-curl/6.2.2 httr/1.4.7',
    'Accept-Encoding': 'deflate, gzip',
    Accept: 'application/json, text/xml, application/xml, */*',
    'Content-Length': body.length,
  };
  return new Promise((resolve, reject) => {
    httpRequest(url, { method: 'POST', headers }, (reply) => {
      const parts: Buffer[] = [];
      reply
        .on('data', (part: Buffer) => parts.push(part))
        .on('end', () =>
          reply.statusCode === 200
            ? resolve(Buffer.concat(parts))
            : reject(new Error(`${reply.statusCode}: ${String(Buffer.concat(parts))}`)),
        );
    })
      .on('error', reject)
      .end(body);
  });
}

/** Returns whole positions in and around the scale, xyz interleaved. */
function pointsAround(random: Random, { resolution, size, offset }: Scale, unit: Vec3): Float64Array {
  const factor = resolution.map((nm, axis) => nm / unit[axis]);
  return Float64Array.from({ length: 3 * POINTS }, (_, k) => {
    const axis = k % 3,
      margin = 2,
      voxels = size[axis] + 2 * margin;
    return Math.floor((offset[axis] - margin) * factor[axis]) + random.below(voxels * factor[axis]);
  });
}

/** The voxels that hold the positions, from the whole scale as CloudVolume reads it; 0 outside. */
function expectedLabels(
  points: Float64Array,
  { resolution, size, offset, voxels }: Scale & { voxels: Numbers },
  unit: Vec3,
): BigUint64Array {
  return BigUint64Array.from({ length: points.length / 3 }, (_, k) => {
    const [x, y, z] = [0, 1, 2].map(
      (axis) => Math.floor(points[3 * k + axis] / (resolution[axis] / unit[axis])) - offset[axis],
    );
    const isInside = [x, y, z].every((place, axis) => place >= 0 && place < size[axis]);
    return isInside ? BigInt(voxels[x + size[0] * (y + size[1] * z)]) : 0n;
  });
}
