import { describe, expect, test } from '@jest/globals';
import { createMockBucket } from '../../mocks/bucket.ts';
import { controlServer } from '../../mocks/control.ts';
import { mockRequest } from '../../mocks/message.ts';

const make = () => {
  const graph = createMockBucket({ files: { info: Buffer.from('graph') } }),
    bucket = createMockBucket({ files: { info: Buffer.from('bucket') } });
  const control = controlServer({ graph, bucket });
  const tell = async (method: string, path: string, body: unknown = ''): Promise<[number, unknown]> => {
    const response = await control.handle(
      mockRequest(method, path, { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    );
    return [response.status, JSON.parse(Buffer.from(response.body).toString())];
  };
  return { graph, bucket, tell };
};

describe('the control of mocks', () => {
  test('lists the requests of all mocks, and clears them', async () => {
    const { graph, bucket, tell } = make();
    await bucket.handle(mockRequest('GET', '/info?a=1', { headers: { Authorization: 'Bearer x' } }));
    await graph.handle(mockRequest('HEAD', '/none'));
    expect(await tell('GET', '/requests')).toEqual([
      200,
      [
        {
          server: 'graph',
          method: 'HEAD',
          path: '/none',
          query: '',
          headers: {},
          bodyBytes: 0,
          status: 404,
          responseBytes: 0,
        },
        {
          server: 'bucket',
          method: 'GET',
          path: '/info',
          query: 'a=1',
          headers: { authorization: 'Bearer x' },
          bodyBytes: 0,
          status: 200,
          responseBytes: 6,
        },
      ],
    ]);
    expect([await tell('DELETE', '/requests'), await tell('GET', '/requests')]).toEqual([
      [200, {}],
      [200, []],
    ]);
  });

  test('adds faults to one mock, and removes all faults', async () => {
    const { graph, bucket, tell } = make();
    expect(
      await tell('POST', '/faults', {
        server: 'bucket',
        match: '^/info$',
        times: 3,
        status: 418,
        headers: { 'retry-after': '1' },
        body: 'tea',
      }),
    ).toEqual([200, {}]);
    const statuses = async (): Promise<number[]> =>
      Promise.all(
        [graph, bucket].map(async (server) => (await server.handle(mockRequest('GET', '/info'))).status),
      );
    expect(await statuses()).toEqual([200, 418]);
    expect([await tell('DELETE', '/faults'), await statuses()]).toEqual([
      [200, {}],
      [200, 200],
    ]);
  });

  test.each([
    ['POST', '/faults', '{', 400, expect.any(String)],
    ['POST', '/faults', '[]', 400, 'a fault is an object'],
    [
      'POST',
      '/faults',
      { server: 'graph', statis: 503 },
      400,
      expect.stringMatching(/^a fault has no statis; it has server, match, /),
    ],
    [
      'POST',
      '/faults',
      { server: 'graph', toString: 1 },
      400,
      expect.stringMatching(/^a fault has no toString; /),
    ],
    ['POST', '/faults', { server: 'graph', status: '503' }, 400, 'status is a number, not "503"'],
    ['POST', '/faults', { server: 'graph', stall: false }, 400, 'stall is a number or true, not false'],
    ['POST', '/faults', { server: 'graph', reset: 1 }, 400, 'reset is true, not 1'],
    [
      'POST',
      '/faults',
      { server: 'graph', match: '(' },
      400,
      expect.stringMatching(/^Invalid regular expression/),
    ],
    ['POST', '/faults', { server: 'auth', status: 503 }, 400, 'server is one of graph, bucket'],
    ['POST', '/faults', { status: 503 }, 400, 'server is one of graph, bucket'],
    ['PUT', '/faults', '', 405, '/faults takes POST and DELETE'],
    ['GET', '/other', '', 404, 'there are /requests and /faults'],
  ])('%s %s %j: %i', async (method, path, body, status, error) => {
    const { graph, bucket, tell } = make();
    expect(await tell(method, path, body)).toEqual([status, { error }]);
    expect([...graph.faults, ...bucket.faults]).toEqual([]);
  });
});
