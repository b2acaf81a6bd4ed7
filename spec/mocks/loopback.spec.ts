import { Agent } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import got from 'got';
import { createMockBucket, mockServer, serveMocks } from '../../mocks/index.ts';
import { mountContract, type Mount } from './contract.ts';
import { faultContract } from './fault-contract.ts';

const mount: Mount = async (routes) => {
  const served = await serveMocks(routes);
  return { origin: served.url, unmount: () => served.close() };
};
mountContract('loopback', mount);
faultContract('loopback', mount);

describe('serveMocks', () => {
  test('listens on this machine only, at one origin', async () => {
    await using served = await serveMocks({});
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('answers hundreds of open connections at once, and closes them all', async () => {
    const clients = 300;
    let open = (): void => undefined;
    const all = new Promise<void>((resolve) => (open = resolve));
    const gate = mockServer(async () => {
      if (gate.log.count() === clients) open(); // no answer before all clients have sent their requests
      await all;
      return { status: 200, headers: {}, body: new Uint8Array(1) };
    });
    await using served = await serveMocks({ '/gate': gate });
    const agent = new Agent({ keepAlive: true, maxFreeSockets: clients });
    const lengths = await Promise.all(
      Array.from(
        { length: clients },
        async () =>
          (await got(`${served.url}/gate`, { agent: { http: agent }, retry: { limit: 0 } }).buffer()).length,
      ),
    );
    expect(lengths.every((length) => length === 1)).toBe(true);
    expect([gate.log.count(), gate.log.highestConcurrency]).toEqual([clients, clients]);
    const kept = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
    expect(kept).toHaveLength(clients);
    await Promise.all([
      ...kept.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
      served.close(),
    ]);
  });

  test('ends a stalled request when it closes', async () => {
    const bucket = createMockBucket({ files: {}, faults: [{ match: /./, stall: true }] });
    await using served = await serveMocks({ '/bucket': bucket });
    const answer = got(`${served.url}/bucket/info`, { retry: { limit: 0 } }).then(
      () => 'an answer',
      (error: unknown) => (error as { code: string }).code,
    );
    while (bucket.log.count() === 0) await new Promise(setImmediate);
    await served.close();
    expect(await answer).toBe('ECONNRESET');
  });

  test('ends only the connection whose mock throws', async () => {
    const broken = mockServer(() => {
      throw new Error('a mistake in the mock');
    });
    await using served = await serveMocks({
      '/broken': broken,
      '/bucket': createMockBucket({ files: { info: Buffer.from('{}') } }),
    });
    await expect(got(`${served.url}/broken`, { retry: { limit: 0 } })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(await got(`${served.url}/bucket/info`).text()).toBe('{}');
  });
});
