/**
 * Writes objects to buckets, and reads them with the vendors' own clients. Objects that these clients write
 * meanwhile must stay.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestError } from '../lib/base/errors.ts';
import { createHttpClient } from '../lib/failures/http-client.ts';
import type { HttpClient } from '../lib/http/http-request.ts';
import { HttpStore } from '../lib/storage/http-store.ts';
import { openStore } from '../lib/storage/open-store.ts';
import { openObject } from '../lib/storage/open-object.ts';
import type { OpenStoreOptions } from '../lib/storage/open-options.ts';
import type { ClaimedObject, UploadSource } from '../lib/storage/uploads/object-writer.ts';
import { S3_USER, startGs, startS3 } from './bucket-servers.ts';
import type { Comparison } from './comparison.ts';
import type { Part } from './part.ts';
import { PythonClient } from './python-client.ts';

const BUCKET = 'some-bucket',
  PART_BYTES = 5 * 2 ** 20;
/** Sizes around those of the parts, with usual and unusual names. */
const OBJECTS: readonly [key: string, size: number][] = [
  ['empty.csv', 0],
  ['dir/small.csv', 1000],
  ['dir/one part.csv', PART_BYTES],
  ['dir/parts b%20c#d?e=f&g+h;i\u00e9\u{1f9e0}.csv', 2 * PART_BYTES + 1],
  ["quotes'(1)!~@,:$.csv", 3],
];

export const uploads: Part = async ({ python, comparison }) => {
  await using client = new PythonClient(python, 'buckets_client.py');
  const http = createHttpClient({ retries: 0 });
  const folder = mkdtempSync(join(tmpdir(), 'uploads-'));
  try {
    {
      await using server = await startS3(folder);
      const { accessKeyId: access, secretAccessKey: secret, region } = S3_USER;
      await client.call('s3_open', { endpoint: server.origin, access, secret, region });
      await client.call('s3_bucket', { bucket: BUCKET, public: false });
      await compareUploads('s3', client, comparison, {
        http,
        endpoint: server.origin,
        credentials: S3_USER,
        env: {},
      });
      comparison.same('s3: unfinished uploads', 0, await client.call('s3_unfinished', { bucket: BUCKET }));
    }
    await using server = await startGs(folder);
    await client.call('gs_open', { endpoint: server.origin });
    await client.call('gs_bucket', { bucket: BUCKET });
    await compareUploads('gs', client, comparison, { http, env: { STORAGE_EMULATOR_HOST: server.origin } });
  } finally {
    http.close();
    rmSync(folder, { recursive: true });
  }
};

async function compareUploads(
  vendor: 'gs' | 's3',
  client: PythonClient,
  comparison: Comparison,
  options: OpenStoreOptions & { http: HttpClient },
): Promise<void> {
  const claim = (key: string): Promise<ClaimedObject> => {
    const object = openObject(`${vendor}://${BUCKET}/${key}`, { ...options, access: 'write' });
    return (object.store as HttpStore).writer!.claim(object.key, { partBytes: PART_BYTES });
  };
  const theirs = async (key: string): Promise<unknown> =>
    (
      await client.call<{ bytes: string }>(`${vendor}_get`, {
        bucket: BUCKET,
        key,
        ...(vendor === 's3' ? { range: '' } : { start: null, end: null }),
      })
    ).bytes;
  for (const [key, size] of OBJECTS) {
    const what = `${vendor}: ${key}`,
      bytes = Buffer.from(Uint8Array.from({ length: size }, (_, k) => (k * 7 + (k >>> 9)) & 255));
    await (await claim(key)).upload(sourceOf(bytes));
    comparison.same(what, bytes.toString('base64'), await theirs(key));
    comparison.same(
      `${what}, type`,
      'text/csv',
      await client.call(`${vendor}_type`, { bucket: BUCKET, key }),
    );
    const stale = await claim(key);
    const data = Buffer.from(`theirs ${key}`).toString('base64');
    await client.call(`${vendor}_put`, { bucket: BUCKET, key, data, encoding: '' });
    const refused: unknown = await stale.upload(sourceOf(bytes)).catch((error: unknown) => error);
    comparison.same(
      `${what}, changed meanwhile`,
      412,
      refused instanceof RequestError ? refused.status : refused,
    );
    comparison.same(`${what}, after that`, data, await theirs(key));
    await (await claim(key)).upload(sourceOf(bytes));
    comparison.same(`${what}, replaced`, bytes.toString('base64'), await theirs(key));
  }
  const store = openStore(`${vendor}://${BUCKET}/dir/`, options);
  for (const prefix of ['', 'parts b%20', 'one', 'none'])
    comparison.same(
      `${vendor}: keys that begin with ${prefix}`,
      (await client.call<string[]>(`${vendor}_keys`, { bucket: BUCKET, prefix: `dir/${prefix}` })).toSorted(),
      (await store.list!(prefix)).map((key) => `dir/${key}`).toSorted(),
    );
}

const sourceOf = (bytes: Buffer): UploadSource => ({
  size: bytes.length,
  contentType: 'text/csv',
  md5: createHash('md5').update(bytes).digest(),
  read: (into, offset) => Promise.resolve(into.set(bytes.subarray(offset, offset + into.length))),
});
