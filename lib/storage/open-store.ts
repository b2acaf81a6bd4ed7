import { resolve } from 'node:path';
import { PathError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import { registerSecret } from '../base/secret-redaction.ts';
import { redactUrl } from '../http/excerpt.ts';
import { registerSecretHeaders } from '../http/secret-headers.ts';
import { parseEndpointPath, parseBucketUrl, type BucketUrl } from './bucket-urls.ts';
import { FileStore } from './file-store.ts';
import { openGs } from './gs.ts';
import { createUrlRequester, HttpStore } from './http-store.ts';
import { encodeKey, splitKey } from './keys.ts';
import { MemoryStore } from './memory-store.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { openS3 } from './s3.ts';
import type { Store } from './store.ts';

export const STORE_SCHEMES = ['file://', 'http://', 'https://', 'gs://', 's3://', 'mem://'] as const;

/** What precedes the first slash, and the rest without slashes at its end. */
type Opener = (name: string, prefix: string, path: string, options: OpenStoreOptions) => Store;

const OPENERS: Record<string, Opener> = {
  file: (_name, _prefix, path) => openFile(path.slice('file://'.length)),
  http: (_name, _prefix, path, options) => openUrl(path, options),
  https: (_name, _prefix, path, options) => openUrl(path, options),
  gs: (bucket, prefix, path, options) => openGs(bucketName(bucket, path), encodedPrefix(prefix), options),
  s3: (bucket, prefix, path, options) => openS3(bucketName(bucket, path), encodedPrefix(prefix), options),
  mem: (name, prefix) => new MemoryStore(name, prefix && splitKey(prefix).join('/')),
};

/**
 * The store at a path: a folder, or `file://`, `http(s)://`, `gs://BUCKET/prefix`, `s3://BUCKET/prefix`, `mem://NAME/prefix`;
 * each may stand behind `precomputed://`. Nothing is read yet. A `file://` path is taken as it is, without percent-decoding,
 * as CloudVolume takes it.
 *
 * @throws PathError UNSUPPORTED_SCHEME, BAD_PATH, INSECURE_TOKEN (credentials for a plain http host); CredentialsError BAD_CREDENTIALS
 *   (of another vendor); PathError FORBIDDEN_ADDRESS (`allowAddress: 'public'` and a local path).
 */
export function openStore(path: string, options: OpenStoreOptions): Store {
  registerSecretHeaders(options.headers);
  const location = path.trim().replace(/^precomputed:\/\//i, '');
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/is.exec(location) ?? [];
  const name = scheme?.toLowerCase();
  const elsewhere = parseEndpointPath(location);
  if (elsewhere) return openEndpoint(elsewhere, location, options);
  if (options.allowAddress === 'public' && (name === undefined || name === 'file' || name === 'mem'))
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      'a server named a local path as the place of its data; name that place yourself if it is meant',
    );
  if (name === undefined) return openFile(location);
  if (!Object.hasOwn(OPENERS, name)) throw new PathError('UNSUPPORTED_SCHEME', unknownSchemeText(name));
  const slash = rest.includes('/') ? rest.indexOf('/') : rest.length;
  return OPENERS[name](rest.slice(0, slash), rest.slice(slash + 1).replace(/\/+$/, ''), location, options);
}

/** CloudVolume's names for two S3 servers of one university. */
const ALIASES = new Set(['matrix', 'tigerdata']);

/** What is wrong with a path that begins so, and how to say it otherwise. */
export function unknownSchemeText(scheme: string): string {
  const known = `${scheme}:// is not read; known are plain paths and ${STORE_SCHEMES.join(', ')}`;
  return ALIASES.has(scheme)
    ? `${known}. CloudVolume's ${scheme}:// is an S3 server: s3://BUCKET/PATH with the option endpoint (--endpoint)`
    : known;
}

/**
 * The server that a path names is the user's choice, as the option is.
 * @throws PathError FORBIDDEN_ADDRESS for a path of a server's; BAD_PATH when the option names one, too.
 */
function openEndpoint(
  { vendor, bucket, prefix, endpoint, region, dualstack }: BucketUrl,
  path: string,
  options: OpenStoreOptions,
): HttpStore {
  if (endpoint === undefined) return openBucket({ vendor, bucket, prefix, region, dualstack }, path, options);
  if (options.allowAddress === 'public')
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      'a server may not name the server of a bucket; name that place yourself if it is meant',
    );
  if (options.endpoint !== undefined)
    throw new PathError(
      'BAD_PATH',
      `the server of the bucket is named twice: ${endpoint} by the path, and by endpoint (--endpoint)`,
    );
  return OPENERS[vendor](bucket, prefix, `${vendor}+${endpoint}/${bucket}/${prefix}`, {
    ...options,
    endpoint,
  }) as HttpStore;
}

/** Google's or Amazon's own, whatever server of buckets the environment names for others. */
function openBucket(
  { vendor, bucket, prefix, region, dualstack }: BucketUrl,
  path: string,
  options: OpenStoreOptions,
): HttpStore {
  const env = {
    ...(options.env ?? process.env),
    STORAGE_EMULATOR_HOST: undefined,
    AWS_ENDPOINT_URL_S3: undefined,
    AWS_ENDPOINT_URL: undefined,
  };
  return OPENERS[vendor](bucket, prefix, path, {
    ...options,
    env,
    endpoint: undefined,
    region: region ?? options.region,
    dualstack,
  }) as HttpStore;
}

function openFile(path: string): FileStore {
  if (path === '' || path.includes('\0')) throw new PathError('BAD_PATH', 'an empty path, or one with NUL');
  return new FileStore(resolve(path));
}

function openUrl(path: string, options: OpenStoreOptions): HttpStore {
  if (!URL.canParse(path)) throw new PathError('BAD_PATH', `${redactUrl(path)} is not a URL`);
  const url = new URL(path);
  for (const secret of [url.username, url.password, ...url.searchParams.values()]) registerSecret(secret);
  const credentials = options.headers !== undefined || url.username !== '' || url.password !== '';
  if (credentials && url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    throw new PathError(
      'INSECURE_TOKEN',
      `credentials go over TLS or to loopback only, and ${redactUrl(path)} is neither`,
    );
  if (url.hash) throw new PathError('BAD_PATH', `${redactUrl(path)}: a "#" in it must be written as %23`);
  const bucket = options.headers === undefined ? parseBucketUrl(url) : undefined;
  if (bucket && isBucketName(bucket.bucket)) return openBucket(bucket, path, options);
  const { username, password, search } = url;
  return new HttpStore(redactUrl(url), {
    request: createUrlRequester(url, options),
    identity: () => Promise.resolve([username, password, search, options.headers]),
  });
}

/** What precedes a key in the path of a bucket's URLs. */
const encodedPrefix = (prefix: string): string => prefix && `${encodeKey(prefix)}/`;

function bucketName(name: string, path: string): string {
  if (!isBucketName(name)) throw new PathError('BAD_PATH', `${redactUrl(path)} names no bucket`);
  return name;
}

const isBucketName = (name: string): boolean => /^[a-z\d][a-z\d._-]{1,220}[a-z\d]$/i.test(name);
