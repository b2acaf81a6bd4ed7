import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import got from 'got';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import { DEMO_AFTER, DEMO_BEFORE, demoPointsFile, serveDemo } from '../../mocks/index.ts';

const A = 72057594038355048n,
  B = 72057594039493726n;

describe('the demo', () => {
  test('has one merge between its two timestamps', async () => {
    await using demo = await serveDemo();
    const rootsAt = async (timestamp: string): Promise<bigint[]> => {
      const url = `${demo.url}/segmentation/api/v1/table/demo/roots_binary?timestamp=${Date.parse(timestamp) / 1000}`;
      return [
        ...idsFromBytes(
          await got.post(url, { body: Buffer.from(bytesOf(BigUint64Array.of(A, B))) }).buffer(),
        ),
      ];
    };
    expect(await rootsAt(DEMO_BEFORE)).toEqual([504403158437741433n, 504403158272897301n]);
    const [first, second] = await rootsAt(DEMO_AFTER);
    expect([first >> 56n, first === second, first === 504403158437741433n]).toEqual([7n, true, false]);
  });

  test('names its own bucket, which holds the volume', async () => {
    await using demo = await serveDemo();
    expect(demo.cloudPath).toBe(`graphene://${demo.url}/segmentation/table/demo`);
    const info = await got(`${demo.url}/segmentation/table/demo/info`).json<{ data_dir: string }>();
    expect(info.data_dir).toBe(`${demo.url}/bucket`);
    const chunk = await got(`${info.data_dir}/8_8_40/64-128_32-96_0-32`, {
      decompress: false,
      headers: { 'accept-encoding': 'gzip' },
    });
    expect([chunk.statusCode, chunk.headers['content-encoding'], demo.bucket.log.count('/8_8_40/')]).toEqual([
      200,
      'gzip',
      1,
    ]);
  });

  test('has twelve points', () =>
    expect(readFileSync(demoPointsFile(), 'utf8').trimEnd().split('\n')).toHaveLength(13));
});
