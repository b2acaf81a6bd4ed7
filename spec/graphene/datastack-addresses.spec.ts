/**
 * A public info service may not lead to private addresses. A host that it names gets no token that was not
 * meant for it.
 */
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openGraphene } from '../../lib/index.ts';
import { secretsFolder } from '../support/clouds.ts';
import { GRAPH_INFO } from '../../testing/graph-world.ts';

const INFO = 'https://global.example.org',
  GRAPH = 'https://local.example.org';
const TOKEN = 'token-0123456789';
const home = process.env.CLOUD_VOLUME_DIR;

beforeAll(() => {
  process.env.CLOUD_VOLUME_DIR = secretsFolder();
  nock.disableNetConnect();
});
beforeEach(() => void nock.cleanAll());
afterEach(() => expect(nock.pendingMocks()).toEqual([]));
afterAll(() => {
  nock.restore();
  if (home === undefined) delete process.env.CLOUD_VOLUME_DIR;
  else process.env.CLOUD_VOLUME_DIR = home;
});

const record = (more: Record<string, unknown>): void =>
  void nock(INFO, { reqheaders: { authorization: `Bearer ${TOKEN}` } })
    .get('/info/api/v2/datastack/full/d')
    .reply(200, {
      segmentation_source: `graphene://${GRAPH}/segmentation/table/t`,
      local_server: GRAPH,
      ...more,
    });
const open = (timestamp?: string) =>
  openGraphene('cave://d', { server: INFO, token: TOKEN, retries: 0, timestamp });
const forbidden = { name: 'PathError', code: 'FORBIDDEN_ADDRESS' };

describe('a public info service', () => {
  test.each(['10.0.0.5', '192.168.7.7', '169.254.169.254', '[fe80::1]', '[::ffff:10.0.0.5]', '100.64.0.1'])(
    'cannot name a graph at %s',
    async (host) => {
      record({ segmentation_source: `graphene://https://${host}/segmentation/table/t` });
      await expect(open()).rejects.toMatchObject(forbidden);
    },
  );

  test.each(['10.0.0.5', '169.254.169.254', '[fd00::1]'])(
    'cannot name a materialization server at %s',
    async (host) => {
      record({ local_server: `https://${host}` });
      await expect(open('mat_7')).rejects.toMatchObject(forbidden);
    },
  );

  test.each(['https://127.0.0.1', 'https://localhost', 'http://127.0.0.1'])(
    'cannot name this machine: %s',
    async (origin) => {
      record({ segmentation_source: `graphene://${origin}/segmentation/table/t` });
      await expect(open()).rejects.toMatchObject({ name: 'PathError', code: 'INSECURE_TOKEN' });
    },
  );

  test.each([
    ['file:///etc', 'FORBIDDEN_ADDRESS'],
    ['/etc', 'FORBIDDEN_ADDRESS'],
    ['mem://x', 'FORBIDDEN_ADDRESS'],
    ['middleauth+https://elsewhere.example.org/b', 'INSECURE_TOKEN'],
  ])('cannot lead through its graph to a watershed at %s', async (dataDir, code) => {
    record({});
    nock(GRAPH)
      .get('/segmentation/table/t/info')
      .reply(200, { ...GRAPH_INFO, data_dir: dataDir });
    await expect(open()).rejects.toMatchObject({ name: 'PathError', code });
  });

  test('can lead to a watershed, which gets no token and may only have public addresses', async () => {
    record({});
    nock(GRAPH, { reqheaders: { authorization: `Bearer ${TOKEN}` } })
      .get('/segmentation/table/t/info')
      .reply(200, { ...GRAPH_INFO, data_dir: 'https://bucket.example.org/b' });
    let sent: unknown = 'nothing';
    nock('https://bucket.example.org')
      .get(/./)
      .reply(
        302,
        function () {
          sent = this.req.headers.authorization;
          return '';
        },
        { location: 'https://10.0.0.5/secret' },
      );
    await using volume = await open();
    const result = await volume.scatteredPoints([[17, 8, 4]], { agglomerate: false, onError: 'status' });
    expect([...result.rows()][0].error).toMatchObject({ cause: forbidden });
    expect(sent).toBeUndefined();
  });
});
