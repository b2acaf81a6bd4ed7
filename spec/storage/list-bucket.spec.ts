/** Lists of keys in buckets: pages as Amazon and Google send them, refusals, and replies that are none. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { openStore } from '../../lib/storage/open-store.ts';

let server: Server, origin: string;
/** The replies that are still to be sent, and the requests that came. */
const replies: { status?: number; body: string }[] = [],
  asked: URL[] = [];
const http = createHttpClient({ retries: 0 });

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(new URL(request.url!, origin));
    const { status = 200, body } = replies.length > 1 ? replies.shift()! : replies[0];
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  http.close();
  server.close();
});
beforeEach(() => {
  replies.length = asked.length = 0;
});

const s3Page = (keys: readonly string[], next?: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}${keys.map((key) => `<Contents><Key>${key}</Key><Size>5</Size></Contents>`).join('')}</ListBucketResult>`;
const gsPage = (names: readonly string[], nextPageToken?: string): string =>
  JSON.stringify({ ...(names.length > 0 && { items: names.map((name) => ({ name })) }), nextPageToken });

const list = (vendor: 'gs' | 's3', prefix: string): Promise<string[]> =>
  openStore(`${vendor}://some-bucket/da ta/`, { http, env: {}, endpoint: origin, credentials: 'anonymous' })
    .list!(prefix);

describe.each(['gs', 's3'] as const)('the keys of a %s bucket', (vendor) => {
  const page = (keys: readonly string[], next?: string): string =>
    vendor === 's3'
      ? s3Page(
          keys.map((key) => key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&#x27;')),
          next?.replaceAll('&', '&amp;'),
        )
      : gsPage(keys, next);

  test('come in pages, and belong to the folder of the store', async () => {
    const keys = ['da ta/manifest.0001', "da ta/manifest.é+&<'%20"];
    replies.push({ body: page(keys.slice(0, 1), 'a/b+c=&d') }, { body: page([]) });
    replies.splice(1, 0, { body: page(keys.slice(1), 'second') });
    expect(await list(vendor, 'manifest.')).toEqual(['manifest.0001', "manifest.é+&<'%20"]);
    expect(asked.map(({ searchParams }) => searchParams.get('prefix'))).toEqual(
      Array(3).fill('da ta/manifest.'),
    );
    const token = vendor === 's3' ? 'continuation-token' : 'pageToken';
    expect(asked.map(({ searchParams }) => searchParams.get(token))).toEqual([null, 'a/b+c=&d', 'second']);
    expect(asked[0].pathname).toBe(vendor === 's3' ? '/some-bucket/' : '/storage/v1/b/some-bucket/o');
  });

  test('are refused with the permission that is missing', async () => {
    replies.push({ status: 403, body: '<Error><Code>AccessDenied</Code></Error>' });
    await expect(list(vendor, 'm')).rejects.toMatchObject({
      code: 'HTTP_STATUS',
      status: 403,
      message: expect.stringMatching(
        /answered 403 when its keys were to be listed; listing needs (s3:ListBucket|storage\.objects\.list)/,
      ),
    });
  });

  test.each([
    ['a web page', '<html>sign in</html>'],
    ['nothing', ''],
    ['keys of another folder', 'OTHER'],
    ['a page that does not end', 'ENDLESS'],
  ])('are an error if the server sends %s', async (_, body) => {
    replies.push({
      body: body === 'OTHER' ? page(['secret/key']) : body === 'ENDLESS' ? page(['da ta/m'], 'again') : body,
    });
    await expect(list(vendor, 'm')).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
    expect(asked.length).toBeLessThanOrEqual(1000);
  });
});
