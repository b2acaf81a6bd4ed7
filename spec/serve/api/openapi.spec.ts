/** The OpenAPI document is valid, and the service answers as it says. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { BEFORE, rootOf } from '../../../testing/graph-world.ts';
import { startServiceWorld, type ServiceWorld } from '../service-world.ts';

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

let world: ServiceWorld, document: Document;
const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (own: Ajv2020) => void)(ajv);

beforeAll(async () => {
  world = await startServiceWorld({ maxBodyBytes: 10_000 });
  document = (await (await fetch(`${world.service.url}/v1/openapi.json`)).json()) as Document;
});
afterAll(() => world.close());

const J = 'application/json';
const POINTS = {
  points: [
    [25, 8, 4],
    [16, 8, 4],
    [0, 0, 0],
  ],
};
const request = (
  method: string,
  path: string,
  route: string,
  status: number,
  body?: string,
  type: string | null = J,
) => ({ method, path, route, status, body, type });
const points = (query: string, status = 200, body = JSON.stringify(POINTS), type: string | null = J) =>
  request('post', `/v1/world/points${query}`, '/v1/{name}/points', status, body, type);
const roots = (query: string, status: number, body: string) =>
  request('post', `/v1/world/roots${query}`, '/v1/{name}/roots', status, body);
const latest = (query: string, status: number, body: string) =>
  request('post', `/v1/world/latest${query}`, '/v1/{name}/latest', status, body);
const get = (path: string, route = path, status = 200) => request('get', path, route, status);
const ROOT = JSON.stringify({ ids: [String(rootOf(0, 1)), '0', '12'] });

/** Requests of every route, and errors of every kind that a request can bring about. */
const REQUESTS = [
  get('/healthz'),
  get('/v1'),
  get('/v1/world/info', '/v1/{name}/info'),
  get('/v1/watershed/info', '/v1/{name}/info'),
  get('/v1/nothing/info', '/v1/{name}/info', 404),
  get('/v1/world/timestamp?timestamp=settled', '/v1/{name}/timestamp'),
  get('/v1/world/timestamp?timestamp=soon', '/v1/{name}/timestamp', 400),
  get('/v1/world/timestamp?timestamp=mat_943', '/v1/{name}/timestamp', 400),
  get('/v1/watershed/timestamp', '/v1/{name}/timestamp', 400),
  get('/v1?a=1', '/v1', 400),
  points(''),
  points(`?timestamp=${BEFORE}&stop_layer=2&snap_nm=100&mip=0&resolution=8,8,40`),
  points('?agglomerate=false'),
  points('?format=csv'),
  points('?format=arrow'),
  points('?format=npy'),
  points('?format=binary'),
  points('?format=parquet'),
  points('', 200, '{"x": [1], "y": [2], "z": [3]}'),
  points('', 200, '{"points": []}'),
  points('', 400, '{"points": [[1, 2]]}'),
  points('', 400, '{"points": [[1, 2, null]]}'),
  points('', 400, '{"x": [1], "y": [2]}'),
  points('', 400, '{"points": [], "more": 1}'),
  points('', 400, '[]'),
  points('', 400, '{"points": [[1, 2, 3]]'),
  points('', 400, ''),
  points('', 400, 'x,y,z\n1,2,a\n', 'text/csv'),
  points('', 400, 'a,b,c\n1,2,3\n', 'text/csv'),
  points('', 400, '12345', 'application/octet-stream'),
  points('', 400, 'not an array', 'application/x-npy'),
  points('', 400, 'not a table', 'application/vnd.apache.arrow.stream'),
  points('', 415, 'a', 'text/plain'),
  points('?timestamp=yesterday', 400),
  points('?resolution=4,4', 400),
  points('?resolution=viewer', 400),
  points('?mip=1.5', 400),
  points('?mip=7', 400),
  points('?stop_layer=1', 400),
  points('?stop_layer=9', 400),
  points('?snap_nm=0', 400),
  points('?snap_nm=far', 400),
  points('?agglomerate=maybe', 400),
  points('?agglomerate=false&timestamp=now', 400),
  points('?dtype=complex', 400),
  points('?format=xml', 400),
  points('?when=now', 400),
  points('?mip=0&mip=0', 400),
  points('', 413, ' '.repeat(10_001)),
  request('post', '/v1/watershed/points', '/v1/{name}/points', 200, JSON.stringify(POINTS)),
  request('post', '/v1/watershed/points?timestamp=now', '/v1/{name}/points', 400, JSON.stringify(POINTS)),
  request('post', '/v1/watershed/roots', '/v1/{name}/roots', 400, ROOT),
  roots('', 200, ROOT),
  roots('?validate=true&stop_layer=3', 200, ROOT),
  roots('', 400, '{"ids": [12]}'),
  roots('', 400, '{"ids": ["18446744073709551616"]}'),
  roots('', 400, '{"ids": ["-1"]}'),
  roots('', 400, '{}'),
  latest('', 200, ROOT),
  latest(`?timestamp=${BEFORE}`, 200, ROOT),
  latest('?stop_layer=2', 400, ROOT),
];

describe('the OpenAPI document', () => {
  test('is valid, of version 3.1', async () => {
    const result = await new Validator().validate(
      JSON.parse(JSON.stringify(document)) as Record<string, unknown>,
    );
    expect([result.valid, result.errors]).toEqual([true, undefined]);
    expect(document.openapi).toBe('3.1.0');
  });

  test('has a page of docs for each of its routes', () => {
    const page = readFileSync(new URL('../../../docs/serve.md', import.meta.url), 'utf8');
    for (const path of Object.keys(document.paths).filter((own) => own.startsWith('/v1')))
      expect(page).toContain(path);
  });

  test('has the bodies and the parameters', () => {
    const { requestBody, parameters = [] } = document.paths['/v1/{name}/points'].post;
    expect(Object.keys(requestBody!.content)).toContain('application/vnd.apache.arrow.stream');
    expect(ajv.validate(requestBody!.content[J].schema, POINTS)).toBe(true);
    expect(parameters.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['name', 'timestamp', 'resolution', 'stop_layer', 'snap_nm']),
    );
  });

  test.each(REQUESTS)(
    'describes the answer of $method $path: $status',
    async ({ method, path, route, status, body, type }) => {
      const answer = await fetch(world.service.url + path, {
        method: method.toUpperCase(),
        body,
        headers: body === undefined || type === null ? {} : { 'content-type': type },
      });
      const mediaType = answer.headers.get('content-type')!.split(';')[0],
        text = await answer.text();
      expect([answer.status, text.slice(0, 200)]).toEqual([status, expect.anything()]);
      const { responses } = document.paths[route][method],
        described = responses[status] ?? responses[`${String(status)[0]}XX`];
      const schema = described.content[mediaType]?.schema;
      expect(schema).toBeDefined();
      if (mediaType === J) {
        expect([ajv.validate(schema, JSON.parse(text)), ajv.errorsText()]).toEqual([true, 'No errors']);
      }
      if (status >= 400) {
        const { error } = JSON.parse(text) as { error: { message: string; code?: string } };
        expect(error.message.length).toBeGreaterThan(10);
        expect(error.code ?? 'none').not.toMatch(/^FST/);
      }
    },
  );
});
