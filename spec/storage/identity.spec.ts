/** The identity of a store: it differs between readers, so that no reader gets the cached data of another. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHttpClient } from '../../lib/failures/http-client.ts';
import { HttpStore } from '../../lib/storage/http-store.ts';
import { openStore } from '../../lib/storage/open-store.ts';
import type { OpenStoreOptions } from '../../lib/storage/open-options.ts';

const http = createHttpClient();
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-identity-'))));
afterAll(() => rm(folder, { recursive: true }));

async function identity(path: string, options: Partial<OpenStoreOptions>): Promise<string> {
  const store = openStore(path, {
    http,
    ...options,
    env: {
      CLOUD_VOLUME_DIR: join(folder, 'none'),
      CLOUDSDK_CONFIG: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: 'none',
      AWS_CONFIG_FILE: 'none',
      ...options.env,
    },
  });
  return JSON.stringify(await (store as HttpStore).identity());
}

const google = (email: string) => ({ type: 'service_account', client_email: email });
const aws = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: 'k' });

test.each<[string, string, Partial<OpenStoreOptions>, string]>([
  ['https://host/vol', 'a token', { headers: { authorization: 'Bearer 1' } }, 'https://host/vol'],
  ['https://host/vol', 'a query', {}, 'https://host/vol?v=2'],
  ['https://host/vol', 'a user', {}, 'https://one@host/vol'],
  ['https://host/vol', 'a password', {}, 'https://:two@host/vol'],
  ['gs://bucket/vol', 'a token', { headers: { authorization: 'Bearer 1' } }, 'gs://bucket/vol'],
  ['gs://bucket/vol', 'credentials', { credentials: google('a') }, 'gs://bucket/vol'],
  ['s3://bucket/vol', 'credentials', { credentials: aws('a') }, 's3://bucket/vol'],
  ['s3://bucket/vol', 'a profile', { profile: 'lab' }, 's3://bucket/vol'],
  ['s3://bucket/vol', 'AWS_PROFILE', { env: { AWS_PROFILE: 'lab' } }, 's3://bucket/vol'],
  ['s3://bucket/vol', 'AWS_ACCESS_KEY_ID', { env: { AWS_ACCESS_KEY_ID: 'id' } }, 's3://bucket/vol'],
  ['s3://bucket/vol', 'AWS_ROLE_ARN', { env: { AWS_ROLE_ARN: 'arn' } }, 's3://bucket/vol'],
])('the identity of %s changes with %s', async (path, _, options, other) => {
  const without = await identity(path, {});
  expect(await identity(path, {})).toBe(without);
  expect(await identity(other, options)).not.toBe(without);
});

test('two keys give two identities', async () => {
  expect(await identity('gs://bucket/vol', { credentials: google('a') })).not.toBe(
    await identity('gs://bucket/vol', { credentials: google('b') }),
  );
  expect(await identity('s3://bucket/vol', { credentials: aws('a') })).not.toBe(
    await identity('s3://bucket/vol', { credentials: aws('b') }),
  );
});

test.each([
  ['gs://bucket/vol', 'CLOUD_VOLUME_DIR', 'secrets/google-secret.json'],
  ['gs://bucket/vol', 'CLOUD_VOLUME_DIR', 'secrets/bucket-google-secret.json'],
  ['gs://bucket/vol', 'CLOUDSDK_CONFIG', 'application_default_credentials.json'],
  ['gs://bucket/vol', 'GOOGLE_APPLICATION_CREDENTIALS', ''],
  ['s3://bucket/vol', 'CLOUD_VOLUME_DIR', 'secrets/aws-secret.json'],
  ['s3://bucket/vol', 'CLOUD_VOLUME_DIR', 'secrets/bucket-aws-secret.json'],
  ['s3://bucket/vol', 'AWS_SHARED_CREDENTIALS_FILE', ''],
  ['s3://bucket/vol', 'AWS_CONFIG_FILE', ''],
])(
  'the identity of %s changes with the content of the file that %s names: %s',
  async (path, variable, name) => {
    const place = await mkdtemp(join(folder, 'place-')),
      file = join(place, name || 'file');
    await mkdir(join(place, 'secrets'));
    const currentIdentity = (): Promise<string> =>
      identity(path, { env: { [variable]: name ? place : file } });
    const seen = [await currentIdentity()];
    for (const content of ['{"type":"one"}', '{"type":"two"}']) {
      await writeFile(file, content);
      seen.push(await currentIdentity());
      expect(await currentIdentity()).toBe(seen.at(-1));
    }
    expect(new Set(seen).size).toBe(3);
  },
);
