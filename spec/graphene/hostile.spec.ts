/**
 * Hostile servers: their replies cost bounded memory and time, end in a typed error, and never get a token
 * sent elsewhere.
 */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openGraphene, openPrecomputed } from '../../lib/index.ts';
import { BEFORE, GRAPH_INFO, WORLD } from '../../testing/graph-world.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';
import { tinyInfo } from '../../testing/tiny-volume.ts';

const TOKEN = 'secret-token-0123456789';
const servers: LoopbackServer[] = [];
afterEach(async () => void (await Promise.all(servers.splice(0).map((server) => server.close()))));

type Answer = (response: ServerResponse) => void;
/**
 * Starts a server that answers by the first matching part of the path.
 * @returns Its origin, requests and bytes sent.
 */
async function hostile(answers: Record<string, Answer>) {
  const sent = { bytes: 0 };
  const server = await serve((request, response) => {
    response.on('error', () => undefined);
    const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
    response.write = ((chunk: Uint8Array) => (
      (sent.bytes += chunk.length),
      write(chunk)
    )) as typeof response.write;
    const found = Object.keys(answers).find((part) => request.url!.includes(part));
    if (found === undefined) response.writeHead(404).end();
    else answers[found](response);
  });
  servers.push(server);
  return {
    server,
    sent,
    graph: `graphene://${server.origin}/segmentation/table/world`,
    plain: `${server.origin}/v`,
  };
}

const json =
  (value: unknown): Answer =>
  (response) =>
    void response.end(JSON.stringify(value));
const MEGABYTE = new Uint8Array(1 << 20).fill(0x20);
/** Sends as much as the client accepts. */
const endless: Answer = (response) => {
  const more = (): void => {
    while (!response.destroyed && response.write(MEGABYTE));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
};
const claims =
  (bytes: number): Answer =>
  (response) => {
    response.setHeader('content-length', bytes);
    endless(response);
  };
/** Sends a byte now and then: never silent, never finished. */
const drip: Answer = (response) => {
  const timer = setInterval(() => response.write(Uint8Array.of(0x20)), 5);
  response.on('close', () => clearInterval(timer));
};
const bomb = gzipSync(new Uint8Array(256 << 20));
const explode: Answer = (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
/** A gzip bomb within the size limit of a stored chunk: only inflating it shows its size. */
const smallBomb = gzipSync(new Uint8Array(1 << 20));
const explodeSmall: Answer = (response) =>
  void response.writeHead(200, { 'content-encoding': 'gzip' }).end(smallBomb);
/** A short deadline for servers that drip, a long one for all others. */
const patience = (answer: Answer): number => (answer === drip ? 200 : 20_000);
const quiet = { retries: 0, logger: { warn: () => undefined } };
const info = { ...GRAPH_INFO, data_dir: '{}' };

describe('an info', () => {
  test.each<[string, Answer, object]>([
    ['without an end', endless, { code: expect.stringMatching(/TOO_LARGE|BAD_REPLY/) }],
    ['of a gigabyte', claims(2 ** 30), { code: expect.stringMatching(/TOO_LARGE|BAD_REPLY/) }],
    ['that is a gzip bomb', explode, { code: expect.stringMatching(/BAD_INFO|BAD_REPLY/) }],
    [
      'with a scale key that climbs',
      json({ ...info, scales: [{ ...tinyInfo(WORLD).scales[0], key: '../../x' }] }),
      { name: 'InfoError', code: 'UNSUPPORTED' },
    ],
    [
      'with keys such as __proto__',
      (response) =>
        void response.end('{"__proto__":{"type":"segmentation"},"constructor":{"prototype":{"polluted":1}}}'),
      { name: 'InfoError', code: 'BAD_INFO' },
    ],
  ])(
    '%s is an error, for a graph and for a plain volume, and little of it is read',
    async (_name, answer, error) => {
      const { sent, graph, plain } = await hostile({ info: answer });
      await expect(openGraphene(graph, { token: TOKEN, ...quiet })).rejects.toMatchObject(error);
      await expect(openPrecomputed(plain, quiet)).rejects.toMatchObject(error);
      expect(sent.bytes).toBeLessThan(100 * 2 ** 20);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );

  test('that drips ends at the deadline', async () => {
    const { graph, plain } = await hostile({ info: drip });
    for (const opening of [
      openGraphene(graph, { token: TOKEN, timeoutMs: 300, ...quiet }),
      openPrecomputed(plain, { timeoutMs: 300, ...quiet }),
    ])
      await expect(opening).rejects.toMatchObject({ name: 'DeadlineError', code: 'TIMEOUT' });
  });

  test('with terminal escapes does not reach the terminal', async () => {
    const evil = '\u001b]0;owned\u0007\u001b[2J\u202e';
    const { graph } = await hostile({
      info: (response) => void response.writeHead(500).end(JSON.stringify({ message: evil, code: 500 })),
    });
    const error = (await openGraphene(graph, { token: TOKEN, ...quiet }).catch(
      (reason: unknown) => reason,
    )) as Error;
    expect(error.name).toBe('GraphError');
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  test('behind a redirect to another host gets no token sent there', async () => {
    const other = await hostile({ info: json({ ...info, app: undefined, graph: undefined }) });
    const { graph, plain } = await hostile({
      info: (response) => void response.writeHead(302, { location: `${other.server.origin}/v/info` }).end(),
    });
    await expect(openGraphene(graph, { token: TOKEN, ...quiet })).rejects.toMatchObject({
      code: 'LOGIN_REDIRECT',
    });
    const volume = await openPrecomputed(plain, { storage: { token: TOKEN }, ...quiet });
    await volume.close();
    expect(other.server.requests.map(({ headers }) => JSON.stringify(headers).includes(TOKEN))).toEqual([
      false,
    ]);
  });
});

describe('chunks and roots', () => {
  const good = (origin: string) => ({ ...GRAPH_INFO, data_dir: `${origin}/v` });

  test.each<[string, Answer, object]>([
    ['without an end', endless, { name: 'RequestError', code: 'TOO_LARGE' }],
    ['of a gigabyte', claims(2 ** 30), { name: 'RequestError', code: 'TOO_LARGE' }],
    ['that are gzip bombs', explode, { name: 'RequestError', code: 'TOO_LARGE' }],
    ['that are small gzip bombs', explodeSmall, { name: 'DecodeError', code: 'TOO_LARGE' }],
    ['that drip', drip, { name: 'DeadlineError', code: 'TIMEOUT' }],
  ])('chunks %s fail, and little of them is read', async (_name, answer, cause) => {
    const { server, sent, graph } = await hostile({
      '/v/s0/': answer,
      info: (response) => json(good(server.origin))(response),
    });
    await using volume = await openGraphene(graph, { token: null, timestamp: BEFORE, ...quiet });
    const { status, ...result } = await volume.scatteredPoints(
      [
        [17, 8, 4],
        [25, 8, 4],
      ],
      { agglomerate: false, onError: 'status', timeoutMs: patience(answer) },
    );
    expect([...status]).toEqual([8, 8]);
    for (const { error } of result.rows()) expect(error?.cause).toMatchObject(cause);
    expect(sent.bytes).toBeLessThan(32 * 2 ** 20);
  });

  test.each<[string, Answer, object]>([
    ['without an end', endless, { name: 'GraphError', code: 'BAD_REPLY' }],
    ['of a gigabyte', claims(2 ** 30), { name: 'GraphError', code: 'BAD_REPLY' }],
    ['that are gzip bombs', explode, { name: 'GraphError', code: 'BAD_REPLY' }],
    ['that drip', drip, { name: 'DeadlineError', missing: { what: 'roots', count: 1, of: 1 } }],
  ])('roots %s fail, and little of them is read', async (_name, answer, error) => {
    const { server, sent, graph } = await hostile({
      roots_binary: answer,
      info: (response) => json(good(server.origin))(response),
    });
    await using volume = await openGraphene(graph, { token: null, timestamp: BEFORE, ...quiet });
    const { status, ...result } = await volume.roots([1n << 56n], {
      onError: 'status',
      timeoutMs: patience(answer),
    });
    expect([...status]).toEqual([9]);
    for (const row of result.rows()) expect(row.error).toMatchObject(error);
    expect(sent.bytes).toBeLessThan(32 * 2 ** 20);
  });
});
