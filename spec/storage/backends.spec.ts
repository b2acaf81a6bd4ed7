import { afterAll, beforeAll } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import nock from 'nock';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { memoryBucket } from '../../lib/storage/memory-store.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import { bucketAnswer } from '../support/bucket-answer.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';
import { OBJECTS, describeAbort, describeStore } from './contract.ts';

const http = createHttpClient({ backoffMs: 1 });
const SUFFIX = { gzip: '.gz', br: '.br', zstd: '.zstd' };
let folder: string;
let server: LoopbackServer;

beforeAll(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
  folder = await mkdtemp(join(tmpdir(), 'store-'));
  for (const { key, bytes, contentEncoding } of OBJECTS) {
    const path = join(folder, key + (contentEncoding ? SUFFIX[contentEncoding] : ''));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  server = await serve((request, response) => {
    const { status, headers, body } = bucketAnswer(request.url!, request.headers.range);
    response.writeHead(status, headers).end(body);
  });
  nock('https://storage.googleapis.com')
    .persist()
    .get(/.*/)
    .reply(function (path) {
      const { status, headers, body } = bucketAnswer(path, this.req.headers.range);
      return [status, body, headers];
    });
});
afterAll(async () => {
  http.close();
  await server.close();
  await rm(folder, { recursive: true });
  nock.cleanAll();
  nock.restore();
});

const backends = {
  'a folder': () => openStore(folder, { http }),
  'file://': () => openStore(`file://${folder}/`, { http }),
  'mem://': () => {
    for (const { key, bytes, contentEncoding } of OBJECTS)
      memoryBucket('contract').put(`bucket/${key}`, bytes, contentEncoding);
    return openStore('mem://contract/bucket/', { http });
  },
  'http:// on loopback': () => openStore(`${server.origin}/bucket/`, { http }),
  'gs:// on nock': () => openStore('precomputed://gs://bucket', { http, env: {} }),
};
for (const [name, open] of Object.entries(backends)) {
  describeStore(name, open);
  if (name !== 'mem://') describeAbort(name, open);
}
