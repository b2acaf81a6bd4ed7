/**
 * The effects of faults on clients, for every mount of the mocks. loopback.spec.ts and nock.spec.ts run it.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import got, { type RequestError, type Response } from 'got';
import { createMockBucket } from '../../mocks/bucket.ts';
import type { Fault } from '../../mocks/faults.ts';
import { mockServer } from '../../mocks/server.ts';
import { seeded } from '../../testing/random.ts';
import type { Mount, Mounted } from './contract.ts';

const object = Uint8Array.from({ length: 300 }, (_, k) => (k * 7) & 255);
const NOW = Date.UTC(2024, 5, 5);
const sent = Buffer.from(object);

export function faultContract(name: string, mount: Mount): void {
  describe(`faults on ${name}`, () => {
    const make = () => ({
      bucket: createMockBucket({ files: { object } }),
      echo: mockServer(({ body }) => ({ status: 200, headers: {}, body })),
    });
    let mocks = make();
    let mounted: Mounted;
    beforeEach(async () => {
      mocks = make();
      mounted = await mount({ '/bucket': mocks.bucket, '/echo': mocks.echo });
    });
    afterEach(() => mounted.unmount());

    const options = {
      responseType: 'buffer',
      decompress: false,
      throwHttpErrors: false,
      followRedirect: false,
      retry: { limit: 0 },
    } as const;
    const send = (headers: Record<string, string> = {}): Promise<Response<Buffer>> =>
      got(`${mounted.origin}/bucket/object`, {
        ...options,
        headers: { 'accept-encoding': 'identity', ...headers },
      });
    const post = (path: string, body: string): Promise<Response<Buffer>> =>
      got.post(mounted.origin + path, { ...options, body });
    const failure = (): Promise<RequestError> =>
      send().then(
        () => Promise.reject(new Error('there was an answer')),
        (error: unknown) => error as RequestError,
      );

    const whole: {
      name: string;
      fault: Fault;
      status: number;
      headers?: Record<string, string | undefined>;
      body: Buffer | string;
    }[] = [
      {
        name: 'a status alone',
        fault: { status: 404 },
        status: 404,
        headers: { 'content-length': '0', etag: undefined },
        body: '',
      },
      {
        name: 'a status, headers and a body',
        fault: { status: 429, headers: { 'retry-after': '7' }, body: 'slow down' },
        status: 429,
        headers: { 'retry-after': '7' },
        body: 'slow down',
      },
      {
        name: 'headers of their own',
        fault: { headers: { etag: '"other"' } },
        status: 200,
        headers: { etag: '"other"', 'accept-ranges': 'bytes' },
        body: sent,
      },
      {
        name: 'a web page',
        fault: { html: true },
        status: 502,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        body: '<html>\n<head><title>502</title></head>\n<body><center><h1>502</h1></center><hr><center>proxy</center></body>\n</html>\n',
      },
      {
        name: 'a web page in place of an answer',
        fault: { html: true, status: 200, body: '<!doctype html>' },
        status: 200,
        headers: { 'content-type': 'text/html; charset=utf-8' },
        body: '<!doctype html>',
      },
      {
        name: 'a cut body with a matching length',
        fault: { cut: 100 },
        status: 200,
        headers: { 'content-length': '100' },
        body: sent.subarray(0, 100),
      },
      {
        name: 'a Content-Length that is too small',
        fault: { lengthOff: -40 },
        status: 200,
        headers: { 'content-length': '260' },
        body: sent.subarray(0, 260),
      },
      {
        name: 'a Date that differs',
        fault: { skewMs: -90_000, clock: () => NOW },
        status: 200,
        headers: { date: 'Tue, 04 Jun 2024 23:58:30 GMT' },
        body: sent,
      },
      { name: 'a delay', fault: { delayMs: 1 }, status: 200, body: sent },
    ];
    test.each(whole)('answer with $name', async ({ fault, status, headers = {}, body }) => {
      mocks.bucket.faults.push(fault);
      const answer = await send();
      expect([answer.statusCode, answer.rawBody.toString('latin1')]).toEqual([
        status,
        body.toString('latin1'),
      ]);
      expect(Object.fromEntries(Object.keys(headers).map((key) => [key, answer.headers[key]]))).toEqual(
        headers,
      );
    });

    test.each([
      { name: 'a reset', fault: { reset: true }, logged: { status: 0, responseBytes: 0 } },
      {
        name: 'a reset in the middle of the body',
        fault: { truncate: 100 },
        logged: { status: 200, responseBytes: 100 },
      },
      {
        name: 'a Content-Length that is too large',
        fault: { lengthOff: 5 },
        logged: { status: 200, responseBytes: 300 },
      },
    ] as { name: string; fault: Fault; logged: object }[])(
      'end the connection: $name',
      async ({ fault, logged }) => {
        mocks.bucket.faults.push({ ...fault, times: 1 });
        expect(await failure()).toMatchObject({ code: 'ECONNRESET' });
        expect((await send()).statusCode).toBe(200);
        expect(mocks.bucket.log.requests).toMatchObject([logged, { status: 200, responseBytes: 300 }]);
      },
    );

    test.each([
      { fault: { truncate: 0 }, ends: 'ECONNRESET' },
      { fault: { truncate: 100 }, ends: 'ECONNRESET' },
      { fault: { stall: 0 }, ends: 'AbortError' },
      { fault: { stall: 100 }, ends: 'AbortError' },
    ] as { fault: Fault; ends: string }[])(
      'come after the head of the answer: $fault',
      async ({ fault, ends }) => {
        mocks.bucket.faults.push(fault);
        const abort = new AbortController(),
          bytes = fault.truncate ?? (fault.stall as number);
        const answer = got.stream(`${mounted.origin}/bucket/object`, {
          signal: abort.signal,
          retry: { limit: 0 },
        });
        let received = 0;
        const ended = new Promise<string>((resolve) =>
          answer
            .on('data', (part: Buffer) => void (received += part.length))
            .on('error', (error: Error & { code?: string }) =>
              resolve(error.name === 'AbortError' ? error.name : String(error.code)),
            )
            .on('end', () => resolve('the end')),
        );
        const { statusCode, headers } = await new Promise<Response>((resolve) =>
          answer.once('response', resolve),
        );
        expect([statusCode, headers['content-length']]).toEqual([200, '300']);
        while (fault.stall !== undefined && received < bytes) await new Promise(setImmediate);
        if (fault.stall !== undefined) abort.abort();
        expect([await ended, received, mocks.bucket.log.requests[0].responseBytes]).toEqual([
          ends,
          bytes,
          bytes,
        ]);
      },
    );

    test.each([{ stall: true }, { stall: 100 }] as Fault[])('keep a client waiting: %j', async (fault) => {
      mocks.bucket.faults.push(fault);
      const abort = new AbortController();
      const answer = got.stream(`${mounted.origin}/bucket/object`, {
        signal: abort.signal,
        retry: { limit: 0 },
      });
      let bytes = 0;
      const ended = new Promise<string>((resolve) =>
        answer
          .on('data', (part: Buffer) => void (bytes += part.length))
          .on('error', (error) => resolve(error.name))
          .on('end', () => resolve('the end')),
      );
      while (mocks.bucket.log.count() === 0 || (typeof fault.stall === 'number' && bytes < fault.stall))
        await new Promise(setImmediate);
      abort.abort();
      expect([await ended, bytes]).toEqual(['AbortError', fault.stall === true ? 0 : 100]);
      if (typeof fault.stall === 'number') expect(mocks.bucket.log.requests[0].responseBytes).toBe(100);
    });

    test('change some bytes, the same ones for the same seed', async () => {
      const changed = async (fault: Fault): Promise<number[]> => {
        mocks.bucket.faults.splice(0, 1, fault);
        const { rawBody } = await send();
        expect(rawBody.length).toBe(300);
        return [...rawBody.keys()].filter((k) => rawBody[k] !== object[k]);
      };
      const first = await changed({ corrupt: 3 });
      expect(first).toHaveLength(3);
      expect([await changed({ corrupt: 3 }), await changed({ corrupt: 3, seed: 1 })]).toEqual([
        first,
        expect.not.arrayContaining(first),
      ]);
      expect(await changed({ corrupt: 10_000 })).toHaveLength(300);
      expect((await send({ range: 'bytes=0-9' })).rawBody.length).toBe(10);
    });

    test('hide ranges', async () => {
      mocks.bucket.faults.push({ ignoreRange: true, times: 1 });
      expect([
        (await send({ range: 'bytes=0-3' })).statusCode,
        (await send({ range: 'bytes=0-3' })).statusCode,
      ]).toEqual([200, 206]);
    });

    test('refuse only requests that are too large', async () => {
      mocks.echo.faults.push({ match: /^\/ids\?/, largerThan: 4, status: 413 });
      const statuses = await Promise.all([
        post('/echo/ids?a=1', '1234'),
        post('/echo/ids?a=1', '12345'),
        post('/echo/other?a=1', '12345'),
        post('/echo/ids', '12345'),
      ]);
      expect(statuses.map(({ statusCode }) => statusCode)).toEqual([200, 413, 200, 200]);
    });

    test('limit a rate, with the right Retry-After', async () => {
      let now = NOW;
      mocks.echo.faults.push({ rate: { requests: 2, perMs: 2500 }, clock: () => now, status: 429 });
      const at = async (ms: number): Promise<unknown[]> => {
        now = NOW + ms;
        const { statusCode, headers } = await post('/echo', '');
        return [statusCode, headers['retry-after']];
      };
      expect([
        await at(0),
        await at(100),
        await at(200),
        await at(2499),
        await at(2500),
        await at(2501),
        await at(2600),
      ]).toEqual([
        [200, undefined],
        [200, undefined],
        [429, '3'],
        [429, '1'],
        [200, undefined],
        [429, '1'],
        [200, undefined],
      ]);
    });

    test('hit a share of the requests, the same ones for the same seed', async () => {
      const statuses = async (fault: Fault): Promise<string> => {
        mocks.echo.faults.splice(0, 1, fault);
        let line = '';
        for (let k = 0; k < 40; k++) line += (await post('/echo', '')).statusCode === 503 ? '!' : '.';
        return line;
      };
      const first = await statuses({ probability: 0.3, status: 503 }),
        random = seeded(0);
      expect(first).toBe(Array.from({ length: 40 }, () => (random.below(10) < 3 ? '!' : '.')).join(''));
      expect(await statuses({ probability: 0.3, status: 503, seed: 0 })).toBe(first);
      expect(await statuses({ probability: 0.3, status: 503, seed: 5 })).not.toBe(first);
      expect(await statuses({ probability: 0, status: 503 })).toBe('.'.repeat(40));
    });

    test('apply one at a time: the first that is not used up', async () => {
      mocks.echo.faults.push(
        { times: 1, status: 500 },
        { match: ({ body }) => body.length > 0, times: 2, status: 501 },
        { times: 1, status: 503 },
      );
      const statuses: number[] = [];
      for (const body of ['', '', 'a', 'b', 'c', '']) statuses.push((await post('/echo', body)).statusCode);
      expect(statuses).toEqual([500, 503, 501, 501, 200, 200]);
    });
  });
}
