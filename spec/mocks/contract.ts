/** The contract of every mount of the mocks. loopback.spec.ts and nock.spec.ts run it. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import got, { type Method, type Response } from 'got';
import { bytesOf, idsFromBytes } from '../../lib/base/uint64.ts';
import { createMockBucket, createMockChunkedGraph, type MockRoutes } from '../../mocks/index.ts';
import { pcgGraph } from '../../testing/pcg-graph.ts';

export interface Mounted {
  origin: string;
  unmount(): void | Promise<void>;
}

export type Mount = (routes: MockRoutes) => Mounted | Promise<Mounted>;

const A = 72127962782105601n,
  ROOT_OF_A = 288230376151712042n;
const roots = '/segmentation/api/v1/table/test_pcg/roots_binary';
// Bytes that are not UTF-8, with zeros: they would not survive as text.
const object = Uint8Array.from({ length: 300 }, (_, k) => (k * 7) & 255);

export function mountContract(name: string, mount: Mount): void {
  describe(`mocks on ${name}`, () => {
    const make = () => ({
      graph: createMockChunkedGraph({
        ...pcgGraph,
        dataDir: '{HOST}/bucket',
        info: { ...pcgGraph.info, data_dir: '{DATA_DIR}' },
      }),
      bucket: createMockBucket({
        files: { info: Buffer.from('{}'), 'a/object': object, 'a/packed.gz': gzipSync(object) },
      }),
      longer: createMockBucket({ files: { info: Buffer.from('"longer"') } }),
    });
    let mocks = make();
    let mounted: Mounted;
    beforeEach(async () => {
      mocks = make();
      mounted = await mount({
        '/segmentation': mocks.graph,
        '/bucket': mocks.bucket,
        '/bucket/nested': mocks.longer,
      });
    });
    afterEach(() => mounted.unmount());

    const send = (
      path: string,
      {
        method = 'GET',
        headers = {},
        body,
      }: { method?: Method; headers?: Record<string, string>; body?: Uint8Array } = {},
    ): Promise<Response<Buffer>> =>
      got(mounted.origin + path, {
        method,
        headers: { 'accept-encoding': 'identity', ...headers },
        body: body && Buffer.from(body),
        responseType: 'buffer',
        decompress: false,
        throwHttpErrors: false,
        followRedirect: false,
        retry: { limit: 0 },
      });

    test('carries binary bodies both ways', async () => {
      const { statusCode, headers, rawBody } = await send(roots, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: bytesOf(BigUint64Array.of(A, 0n, 2n ** 64n - 1n)),
      });
      expect([statusCode, headers['content-type'], headers['content-length']]).toEqual([
        200,
        'text/html; charset=utf-8',
        '24',
      ]);
      expect([...idsFromBytes(rawBody)]).toEqual([ROOT_OF_A, 0n, 0n]);
      expect(mocks.graph.log.idsPerBatch()).toEqual([3]);
    });

    test('carries gzip bodies both ways', async () => {
      const { headers, rawBody } = await send(roots, {
        method: 'POST',
        headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' },
        body: gzipSync(bytesOf(BigUint64Array.of(A))),
      });
      expect(headers['content-encoding']).toBe('gzip');
      expect([...idsFromBytes(gunzipSync(rawBody))]).toEqual([ROOT_OF_A]);
      expect(mocks.graph.log.requests[0].ids).toBe(1);
    });

    test.each([
      ['application/json', 'hello'],
      ['application/json', '{"node_ids":'],
      ['text/plain', 'hello'],
    ])('has the mock refuse a body of type %s that is not JSON: %s', async (type, body) => {
      const { statusCode, rawBody } = await send('/segmentation/api/v1/table/test_pcg/roots', {
        method: 'POST',
        headers: { 'content-type': type },
        body: Buffer.from(body),
      });
      // The real server answers the same.
      expect([statusCode, (JSON.parse(rawBody.toString()) as { message: string }).message]).toEqual([
        500,
        expect.stringMatching(/^Expecting/),
      ]);
      expect(mocks.graph.log.requests.map(({ headers }) => headers['content-type'])).toEqual([type]);
    });

    test('sends a Date, unless the mock sets one', async () => {
      const before = Math.floor(Date.now() / 1000) * 1000,
        { headers } = await send('/bucket/info');
      expect(Date.parse(headers.date!)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(headers.date!)).toBeLessThanOrEqual(Date.now());
      mocks.bucket.faults.push({ headers: { date: 'Tue, 04 Jun 2024 23:58:30 GMT' } });
      expect((await send('/bucket/info')).headers.date).toBe('Tue, 04 Jun 2024 23:58:30 GMT');
    });

    test.each([204, 304])('sends no body and no length with status %d', async (status) => {
      mocks.bucket.faults.push({ status, body: 'more' });
      const { statusCode, headers, rawBody } = await send('/bucket/a/object');
      expect([statusCode, headers['content-length'], rawBody.length]).toEqual([status, undefined, 0]);
    });

    test('carries the query and an empty body', async () => {
      expect(
        (await send(`${roots}?timestamp=0`, { method: 'POST', body: bytesOf(BigUint64Array.of(A)) })).rawBody,
      ).toEqual(Buffer.from(bytesOf(BigUint64Array.of(A))));
      expect((await send(roots, { method: 'POST' })).rawBody.length).toBe(0);
      expect(
        mocks.graph.log.requests.map(({ query, bodyBytes, responseBytes }) => [
          query,
          bodyBytes,
          responseBytes,
        ]),
      ).toEqual([
        ['timestamp=0', 8, 8],
        ['', 0, 0],
      ]);
    });

    test('tells the graph where it is mounted', async () => {
      const info = JSON.parse((await send('/segmentation/table/test_pcg/info')).rawBody.toString()) as {
        data_dir: string;
      };
      expect(info.data_dir).toBe(`${mounted.origin}/bucket`);
    });

    test('strips the prefix, the longest one first', async () => {
      expect((await send('/bucket/info')).rawBody.toString()).toBe('{}');
      expect((await send('/bucket/nested/info')).rawBody.toString()).toBe('"longer"');
      expect([mocks.bucket.log.requests[0].path, mocks.longer.log.requests[0].path]).toEqual([
        '/info',
        '/info',
      ]);
      expect((await send('/buckets/info')).statusCode).toBe(404);
    });

    test.each([
      { range: 'bytes=10-19', status: 206, from: 10, to: 20, contentRange: 'bytes 10-19/300' },
      { range: 'bytes=290-', status: 206, from: 290, to: 300, contentRange: 'bytes 290-299/300' },
      { range: 'bytes=-7', status: 206, from: 293, to: 300, contentRange: 'bytes 293-299/300' },
      { range: 'bytes=250-9999', status: 206, from: 250, to: 300, contentRange: 'bytes 250-299/300' },
      { range: 'bytes=0-1,5-6', status: 200, from: 0, to: 300, contentRange: undefined },
    ])('answers $range with $status', async ({ range, status, from, to, contentRange }) => {
      const { statusCode, headers, rawBody } = await send('/bucket/a/object', { headers: { range } });
      expect([statusCode, headers['content-range']]).toEqual([status, contentRange]);
      expect(rawBody).toEqual(Buffer.from(object.subarray(from, to)));
    });

    test('answers a range past the end with 416 and the true length', async () => {
      const { statusCode, headers } = await send('/bucket/a/object', { headers: { range: 'bytes=300-' } });
      expect([statusCode, headers['content-range']]).toEqual([416, 'bytes */300']);
    });

    test('answers HEAD with the length and no body', async () => {
      const { statusCode, headers, rawBody } = await send('/bucket/a/object', { method: 'HEAD' });
      expect([statusCode, headers['content-length'], rawBody.length]).toEqual([200, '300', 0]);
    });

    test('serves NAME.gz as NAME, packed only for clients that accept gzip', async () => {
      const packed = await send('/bucket/a/packed', { headers: { 'accept-encoding': 'gzip, br' } });
      expect([packed.headers['content-encoding'], gunzipSync(packed.rawBody)]).toEqual([
        'gzip',
        Buffer.from(object),
      ]);
      const plain = await send('/bucket/a/packed');
      expect([plain.headers['content-encoding'], plain.rawBody]).toEqual([undefined, Buffer.from(object)]);
    });
  });
}
