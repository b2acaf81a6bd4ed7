import { describe, expect, test } from '@jest/globals';
import { parseGraphPath } from '../../../lib/chunkedgraph/server/graph-path.ts';
import { thrownBy } from '../../support/thrown-by.ts';

const parts = (path: string): unknown => {
  const { origin, hostname, host, table, infoUrl, tableUrl } = parseGraphPath(path);
  return [origin, hostname, host, table, infoUrl, tableUrl];
};

describe('parseGraphPath', () => {
  const expected = [
    'https://graph.example.org',
    'graph.example.org',
    'graph.example.org',
    'fly_v31',
    'https://graph.example.org/segmentation/table/fly_v31/info',
    'https://graph.example.org/segmentation/api/v1/table/fly_v31',
  ];
  test.each([
    'graphene://https://graph.example.org/segmentation/table/fly_v31',
    'graphene://https://graph.example.org/segmentation/table/fly_v31/',
    'graphene://middleauth+https://graph.example.org/segmentation/table/fly_v31',
    'graphene://https://graph.example.org/segmentation/1.0/fly_v31',
    'graphene://https://graph.example.org/segmentation/1.0/fly_v31/',
    'graphene://https://graph.example.org/segmentation/api/v1/fly_v31',
    'graphene://https://graph.example.org/segmentation/api/v1/table/fly_v31',
    'graphene://https://graph.example.org/segmentation/api/v1/table/fly_v31/',
    'graphene://https://graph.example.org/segmentation/api/v2/table/fly_v31',
    'graphene://https://GRAPH.example.org:443/segmentation/table/fly_v31',
  ])('reads %s', (path) => expect(parts(path)).toEqual(expected));

  test.each<[path: string, origin: string, hostname: string, host: string, table: string, service: string]>([
    [
      'graphene://http://localhost:8080/segmentation/table/t',
      'http://localhost:8080',
      'localhost',
      'localhost:8080',
      't',
      '/segmentation',
    ],
    [
      'graphene://middleauth+http://127.0.0.1:5000/segmentation/table/t',
      'http://127.0.0.1:5000',
      '127.0.0.1',
      '127.0.0.1:5000',
      't',
      '/segmentation',
    ],
    [
      'graphene://http://[::1]:5000/segmentation/1.0/t',
      'http://[::1]:5000',
      '[::1]',
      '[::1]:5000',
      't',
      '/segmentation',
    ],
    [
      'graphene://https://h.org/behind/proxy/segmentation/table/t',
      'https://h.org',
      'h.org',
      'h.org',
      't',
      '/behind/proxy/segmentation',
    ],
    [
      'graphene://https://h.org/segmentation/table/table',
      'https://h.org',
      'h.org',
      'h.org',
      'table',
      '/segmentation',
    ],
    [
      'graphene://https://h.org/segmentation/table/my.table-1_2',
      'https://h.org',
      'h.org',
      'h.org',
      'my.table-1_2',
      '/segmentation',
    ],
  ])('reads %s', (path, origin, hostname, host, table, service) =>
    expect(parts(path)).toEqual([
      origin,
      hostname,
      host,
      table,
      `${origin}${service}/table/${table}/info`,
      `${origin}${service}/api/v1/table/${table}`,
    ]),
  );

  test('decodes the table name, and leaves it encoded in URLs', () => {
    const { table, infoUrl } = parseGraphPath('graphene://https://h.org/segmentation/table/a%20b%2Fc');
    expect([table, infoUrl]).toEqual(['a b/c', 'https://h.org/segmentation/table/a%20b%2Fc/info']);
  });

  test.each<[what: string, path: string, message: RegExp]>([
    ['another scheme', 'precomputed://https://h.org/segmentation/table/t', /does not start with graphene:/],
    ['a bare address', 'https://h.org/segmentation/table/t', /does not start with graphene:/],
    ['nothing', '', /does not start with graphene:/],
    ['no URL', 'graphene://h.org/segmentation/table/t', /does not contain a URL/],
    ['no address', 'graphene://', /does not contain a URL/],
    ['another protocol', 'graphene://gs://bucket/segmentation/table/t', /protocol is gs:/],
    ['a file', 'graphene://file:///segmentation/table/t', /protocol is file:/],
    ['credentials', 'graphene://https://user:s3cr3t@h.org/segmentation/table/t', /user name or a password/],
    [
      'a query',
      'graphene://https://h.org/segmentation/table/t?middle_auth_token=s3cr3t',
      /query or a fragment/,
    ],
    ['a fragment', 'graphene://https://h.org/segmentation/table/t#x', /query or a fragment/],
    ['no table', 'graphene://https://h.org/segmentation/table/', /does not name a table/],
    ['no service', 'graphene://https://h.org/table/t', /does not name a table/],
    ['another path', 'graphene://https://h.org/meshing/t', /does not name a table/],
    ['an endpoint', 'graphene://https://h.org/segmentation/table/t/info', /does not name a table/],
    ['empty segments', 'graphene://https://h.org//segmentation/table/t', /does not name a table/],
    [
      'a broken percent-encoding',
      'graphene://https://h.org/segmentation/table/t%E0',
      /percent-encoding of the table name .* is invalid/,
    ],
  ])('refuses %s', (_what, path, message) => {
    const error = thrownBy(() => parseGraphPath(path));
    expect(error).toMatchObject({
      name: 'PathError',
      code: 'BAD_PATH',
      message: expect.stringMatching(message),
    });
    expect(String(error)).not.toContain('s3cr3t');
  });
});
