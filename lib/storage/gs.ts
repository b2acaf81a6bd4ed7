/** gs:// buckets over Google's XML API: https://storage.googleapis.com/BUCKET/KEY. */
import { CredentialsError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import { BucketAccess, type Place } from './bucket-access.ts';
import { endpointUrl } from './bucket-endpoint.ts';
import { isGoogle } from './bucket-options.ts';
import { findGoogle, googleAdvice, googleFiles } from './google-signer.ts';
import { HttpStore } from './http-store.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { contentsOf } from './secret-files.ts';
import { signingOf } from './signing.ts';

const GOOGLE = 'https://storage.googleapis.com';

/**
 * @param prefix Encoded; empty or with a slash at its end.
 * @throws PathError, CredentialsError; see `openStore`.
 */
export function openGs(bucket: string, prefix: string, options: OpenStoreOptions): HttpStore {
  const { http, env = process.env, credentials, requesterPays, headers } = options;
  const key = isGoogle(credentials) ? credentials : undefined;
  if (typeof credentials === 'object' && !key)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `the credentials given are not Google's, and gs://${bucket} wants such`,
    );
  if (requesterPays === true && headers)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      "a token names no project to pay for the requests; name it: requesterPays: 'PROJECT'",
    );

  const emulator = options.endpoint === undefined ? env.STORAGE_EMULATOR_HOST : undefined;
  const server = endpointUrl(options.endpoint ?? (emulator ? withScheme(emulator) : GOOGLE));
  const base = `${redactUrl(server).replace(/\/+$/, '')}/${bucket}/${prefix}`;
  const place: Place = {
    url: (path) => base + path,
    learn: () => false,
    errorCode: () => undefined,
    followRedirects: true,
    // any other was named by the user
    allowAddress: server.origin === GOOGLE ? (options.allowAddress ?? 'any') : 'any',
  };
  const payer = typeof requesterPays === 'string' ? { 'x-goog-user-project': requesterPays } : undefined;
  const access = new BucketAccess({
    http,
    place,
    headers: headers || payer ? { ...headers, ...payer } : undefined,
    ...signingOf({
      credentials,
      requesterPays,
      headers,
      server,
      emulated: Boolean(emulator),
      notFound: () => googleAdvice({ bucket, env }),
    }),
    find: () => findGoogle({ bucket, http, env, credentials: key, ownProjectPays: requesterPays === true }),
  });
  const identity = async (): Promise<unknown> => [
    headers,
    credentials,
    await contentsOf(googleFiles({ bucket, env })),
  ];
  return new HttpStore(base, { ask: access.ask, bucket: true, identity });
}

/** Emulators are often named without one. */
const withScheme = (host: string): string => (/^https?:\/\//.test(host) ? host : `http://${host}`);
