/** The requests for a few points in a large raw chunk, over HTTP and from the command line. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openPrecomputed } from '../../lib/index.ts';
import { createMockBucket, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { runCli } from './run-cli.ts';

/** A chunk of 2 MiB in which voxel k has the value k + 1. */
const chunk = new Uint8Array(BigUint64Array.from({ length: 64 ** 3 }, (_, k) => BigInt(k + 1)).buffer);
const scale = {
  key: 's0',
  encoding: 'raw',
  resolution: [8, 8, 40],
  size: [64, 64, 64],
  chunk_sizes: [[64, 64, 64]],
};
const info = new TextEncoder().encode(
  JSON.stringify({ type: 'segmentation', data_type: 'uint64', num_channels: 1, scales: [scale] }),
);
const name = 's0/0-64_0-64_0-64';
const bucket = createMockBucket({
  files: {
    'plain/info': info,
    [`plain/${name}`]: chunk,
    'gzip/info': info,
    [`gzip/${name}.gz`]: gzipSync(chunk, { level: 0 }),
  },
});

let served: ServedMocks;
beforeAll(async () => void (served = await serveMocks({ '/bucket': bucket })));
afterAll(() => served.close());
beforeEach(() => bucket.log.clear());

/** The ranges of the chunk that were requested, in order; undefined for the whole chunk. */
const requestedRanges = () => bucket.log.matching(name).map(({ headers }) => headers.range);
const POINTS = 'x,y,z\n0,0,32\n63,63,63\n',
  ROWS = 'x,y,z,value,status\n0,0,32,131073,ok\n63,63,63,262144,ok\n';
const TRIAL = 'bytes=0-262143',
  PARTS = ['bytes=1048576-1048583', 'bytes=2097144-2097151'];

describe('a few points in a large raw chunk', () => {
  test.each([
    { volume: 'plain', flags: [], ranges: [TRIAL, ...PARTS] },
    { volume: 'plain', flags: ['--no-range-reads'], ranges: [undefined] },
    { volume: 'plain', flags: ['--lru-bytes', '10MB'], ranges: [undefined] },
    { volume: 'plain', flags: ['--snap-nm', '8'], ranges: [undefined] },
    { volume: 'gzip', flags: [], ranges: [TRIAL, undefined] },
    { volume: 'gzip', flags: ['--no-range-reads'], ranges: [undefined] },
  ])('are looked up in a $volume chunk with $flags', async ({ volume, flags, ranges }) => {
    const { code, stdout } = await runCli(
      ['lookup', `${served.url}/bucket/${volume}`, '--points', '-', '--quiet', ...flags],
      { stdin: POINTS },
    );
    const rows =
      flags[0] === '--snap-nm'
        ? ROWS.replace(',status', ',snapped_nm,status').replaceAll(',ok', ',0,ok')
        : ROWS;
    expect([code, stdout, requestedRanges().toSorted()]).toEqual([0, rows, ranges.toSorted()]);
  });

  test('need fewer bytes once it is known that the chunk is not compressed', async () => {
    await using volume = await openPrecomputed(`${served.url}/bucket/plain`);
    const points = [
      [0, 0, 32],
      [63, 63, 63],
    ];
    await volume.scatteredPoints(points);
    bucket.log.clear();
    const { values, stats } = await volume.scatteredPoints(points);
    expect(values).toEqual(BigUint64Array.of(131_073n, 262_144n));
    expect(requestedRanges().toSorted()).toEqual(PARTS);
    expect(stats).toMatchObject({ requests: 2, bytes: 16 });
  });

  test('accept only true or false for rangeReads', async () => {
    await expect(openPrecomputed(`${served.url}/bucket/plain`, { rangeReads: 1 } as object)).rejects.toThrow(
      new TypeError('rangeReads is true or false, not 1'),
    );
  });
});
