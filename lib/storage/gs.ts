/**
 * Opens gs:// buckets: reads through Google's XML API, https://storage.googleapis.com/BUCKET/KEY, and writes
 * through its JSON API, on the same server.
 */
import { CredentialsError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import { BucketAccess, type BucketAccessOptions, type BucketAddress } from './bucket-access.ts';
import { parseEndpoint } from './bucket-endpoint.ts';
import { isGoogleCredentials } from './bucket-options.ts';
import { findGoogleSigner, googleNotFoundAdvice, googleCredentialFiles } from './google-signer.ts';
import { HttpStore } from './http-store.ts';
import { listGs } from './list-bucket.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { readContents } from './secret-files.ts';
import { decideSigning, signingOfWrites } from './signing.ts';
import { lazyWriter } from './uploads/object-writer.ts';

const GOOGLE = 'https://storage.googleapis.com';

/**
 * Opens a gs:// bucket. Sends no request.
 * @param prefix Encoded path within the bucket; empty or with a slash at its end.
 * @throws PathError, CredentialsError; see `openStore`.
 */
export function openGs(bucket: string, prefix: string, options: OpenStoreOptions): HttpStore {
  const { http, env = process.env, credentials, requesterPays, headers } = options;
  const key = isGoogleCredentials(credentials) ? credentials : undefined;
  if (typeof credentials === 'object' && !key)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `gs://${bucket} needs Google credentials, but other credentials were given`,
    );
  if (requesterPays === true && headers)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      "a token does not name a project to pay for the reads; give one: requesterPays: 'PROJECT'",
    );

  const emulator = options.endpoint === undefined ? env.STORAGE_EMULATOR_HOST : undefined;
  const server = parseEndpoint(options.endpoint ?? (emulator ? withScheme(emulator) : GOOGLE));
  const root = redactUrl(server).replace(/\/+$/, ''),
    base = `${root}/${bucket}/${prefix}`;
  const address: BucketAddress = {
    url: (path) => base + path,
    learnFrom: () => false,
    errorCode: () => undefined,
    followRedirects: true,
    // the user named any other server
    allowAddress: server.origin === GOOGLE ? (options.allowAddress ?? 'any') : 'any',
  };
  const payer = typeof requesterPays === 'string' ? { 'x-goog-user-project': requesterPays } : undefined;
  const signing = decideSigning({
    credentials,
    requesterPays,
    headers,
    server,
    isEmulator: Boolean(emulator),
    notFound: () => googleNotFoundAdvice({ bucket, env }),
  });
  const accessOptions: BucketAccessOptions = {
    http,
    address,
    headers: headers || payer ? { ...headers, ...payer } : undefined,
    ...signing,
    findSigner: () =>
      findGoogleSigner({
        bucket,
        http,
        env,
        credentials: key,
        ownProjectPays: requesterPays === true,
        access: options.access,
      }),
  };
  const identity = async (): Promise<unknown> => [
    headers,
    credentials,
    await readContents(googleCredentialFiles({ bucket, env })),
  ];
  // The JSON API.
  const api: BucketAccessOptions = {
    ...accessOptions,
    address: { ...address, url: (path) => new URL(path, `${root}/`).href, followRedirects: false },
  };
  const place = { root, bucket, prefix };
  const writer =
    options.access === 'write'
      ? lazyWriter(async () => {
          const { GsWriter } = await import('./uploads/gs-writer.ts');
          return new GsWriter(new BucketAccess({ ...api, sign: signingOfWrites(signing) }), place);
        })
      : undefined;
  const list = listGs(new BucketAccess(api), { url: `${root}/${bucket}`, bucket }, prefix);
  const { request } = new BucketAccess(accessOptions);
  return new HttpStore(base, { request, isBucket: true, identity, writer, list });
}

/** Adds the scheme, which STORAGE_EMULATOR_HOST often omits. */
const withScheme = (host: string): string => (/^https?:\/\//.test(host) ? host : `http://${host}`);
