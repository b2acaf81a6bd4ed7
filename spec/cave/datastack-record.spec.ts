import { describe, expect, test } from '@jest/globals';
import { parseDatastackPath, fetchDatastackRecord } from '../../lib/cave/datastack-record.ts';
import { caveHost } from '../support/cave-host.ts';

const ORIGIN = 'https://global.example.org',
  PATH = '/info/api/v2/datastack/full/minnie_v1';
const RECORD = {
  segmentation_source: 'graphene://https://local.example.org/segmentation/table/minnie3_v1',
  local_server: 'https://local.example.org',
  viewer_resolution_x: 4,
  viewer_resolution_y: 4,
  viewer_resolution_z: 40,
  aligned_volume: { name: 'minnie' },
  synapse_table: null,
};
const read = (record: unknown, token?: string) => {
  const host = caveHost(ORIGIN, { [PATH]: record }, token);
  return { ...host, answer: fetchDatastackRecord(host.server, 'minnie_v1') };
};

describe('a datastack', () => {
  test('is read from the info service, with the token', async () => {
    const { requests, answer } = read(RECORD, 's3cr3t');
    expect(await answer).toEqual({
      name: 'minnie_v1',
      segmentationSource: RECORD.segmentation_source,
      viewerResolution: { value: [4, 4, 40] },
      graphHost: {
        origin: 'https://local.example.org',
        host: 'local.example.org',
        hostname: 'local.example.org',
      },
      localServer: {
        value: {
          origin: 'https://local.example.org',
          host: 'local.example.org',
          hostname: 'local.example.org',
        },
      },
    });
    expect(
      requests.map(({ url, headers, followRedirects }) => [url, headers?.authorization, followRedirects]),
    ).toEqual([[ORIGIN + PATH, 'Bearer s3cr3t', false]]);
  });

  test.each([
    [
      'https://local.example.org/segmentation/table/t',
      'graphene://https://local.example.org/segmentation/table/t',
    ],
    [
      'middleauth+https://local.example.org/segmentation/table/t',
      'graphene://middleauth+https://local.example.org/segmentation/table/t',
    ],
    [
      'graphene://middleauth+https://local.example.org/segmentation/1.0/t',
      'graphene://middleauth+https://local.example.org/segmentation/1.0/t',
    ],
  ])('may name its segmentation as %s', async (source, expected) => {
    expect((await read({ ...RECORD, segmentation_source: source }).answer).segmentationSource).toBe(expected);
  });

  test('may have no viewer resolution and no local server', async () => {
    expect(await read({ segmentation_source: RECORD.segmentation_source }).answer).toMatchObject({
      viewerResolution: {},
      localServer: {},
    });
    expect((await read({ ...RECORD, viewer_resolution_y: null }).answer).viewerResolution).toEqual({});
  });

  test.each([
    [{ viewer_resolution_x: '4' }, [4, 4, 40]],
    [{ viewer_resolution_z: ' 35.5 ' }, [4, 4, 35.5]],
  ])('may have numbers written as text: %j', async (more, expected) => {
    expect((await read({ ...RECORD, ...more }).answer).viewerResolution).toEqual({ value: expected });
  });

  test.each([
    [{ viewer_resolution_x: 'four' }, 'viewer_resolution_x is "four", not a positive number of nanometres'],
    [{ viewer_resolution_z: 0 }, 'viewer_resolution_z is 0,'],
    [{ viewer_resolution_y: -4, viewer_resolution_x: null }, 'viewer_resolution_y is -4,'],
    [{ viewer_resolution_y: [4] }, 'viewer_resolution_y is [4],'],
    [{ viewer_resolution_x: '' }, 'viewer_resolution_x is "",'],
  ])('is read even if its viewer resolution is invalid: %j', async (more, message) => {
    const { viewerResolution, localServer } = await read({ ...RECORD, ...more }).answer;
    expect([viewerResolution.value, localServer.value?.host]).toEqual([undefined, 'local.example.org']);
    expect(viewerResolution.error).toMatchObject({
      name: 'InfoError',
      code: 'BAD_INFO',
      message: expect.stringContaining(message) as unknown,
      url: ORIGIN + PATH,
    });
  });

  test.each([
    ['http://local.example.org', { name: 'PathError', code: 'INSECURE_TOKEN' }],
    ['not a url', { name: 'PathError', code: 'BAD_PATH' }],
    ['ftp://local.example.org', { name: 'PathError', code: 'BAD_PATH' }],
    ['https://u:p@local.example.org', { name: 'PathError', code: 'BAD_PATH' }],
    [7, { name: 'InfoError', code: 'BAD_INFO' }],
  ])('is read even if its local server is invalid: %j', async (address, error) => {
    const { viewerResolution, localServer } = await read({ ...RECORD, local_server: address }).answer;
    expect([viewerResolution.value, localServer.value]).toEqual([[4, 4, 40], undefined]);
    expect(localServer.error).toMatchObject({
      ...error,
      message: expect.stringContaining(`${ORIGIN + PATH}: local_server`) as unknown,
    });
    expect(String(localServer.error)).not.toContain('u:p');
  });

  test('may have a local server with a path', async () => {
    expect(
      (await read({ ...RECORD, local_server: 'https://local.example.org/some/path/' }).answer).localServer
        .value,
    ).toMatchObject({ origin: 'https://local.example.org', prefix: '/some/path' });
  });

  test.each<[string, unknown, object]>([
    [
      'status 404',
      undefined,
      { name: 'InfoError', code: 'NOT_FOUND', message: `${ORIGIN} has no datastack "minnie_v1"` },
    ],
    [
      'a web page',
      '<html>',
      { name: 'InfoError', code: 'BAD_INFO', message: expect.stringContaining('a web page') },
    ],
    ['a list', [], { name: 'InfoError', code: 'BAD_INFO' }],
    [
      'a plain volume',
      { ...RECORD, segmentation_source: 'precomputed://gs://bucket/seg' },
      { name: 'InfoError', code: 'UNSUPPORTED' },
    ],
    [
      'no segmentation',
      { ...RECORD, segmentation_source: null },
      { name: 'InfoError', code: 'UNSUPPORTED', message: expect.stringContaining('is not named') },
    ],
    [
      'a graph without TLS',
      { ...RECORD, segmentation_source: 'graphene://http://local.example.org/segmentation/table/t' },
      { name: 'PathError', code: 'INSECURE_TOKEN' },
    ],
    [
      'a graph on this machine',
      { ...RECORD, segmentation_source: 'graphene://http://localhost/segmentation/table/t' },
      { name: 'PathError', code: 'INSECURE_TOKEN' },
    ],
  ])('is refused if the service answers with %s', async (_, record, error) => {
    await expect(read(record).answer).rejects.toMatchObject(error);
  });

  test.each([
    ['cave://minnie65_public', 'minnie65_public'],
    ['cave://a.b-c/', 'a.b-c'],
  ])('has a path such as %s', (path, name) => expect(parseDatastackPath(path)).toBe(name));
  test.each(['cave://', 'cave://a/b', 'cave://../x', 'cave://a b', 'graphene://x', 'cave://-a'])(
    'has no path such as %s',
    (path) => {
      expect(() => parseDatastackPath(path)).toThrow(
        expect.objectContaining({ name: 'PathError', code: 'BAD_PATH' }),
      );
    },
  );
});
