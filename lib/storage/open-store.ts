/** Opens the store at a path. Each scheme has one opener here. */
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

/** The supported schemes, for messages. */
export const STORE_SCHEMES = ['file://', 'http://', 'https://', 'gs://', 's3://', 'mem://'] as const;

/** Opens a path. `name` is the part before the first slash, `prefix` the rest without slashes at its end. */
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
 * Opens the store at a path: a folder, or `file://`, `http(s)://`, `gs://BUCKET/prefix`, `s3://BUCKET/prefix`
 * or `mem://NAME/prefix`, each with or without `precomputed://` in front. Nothing is read yet. A `file://`
 * path is not percent-decoded, as in CloudVolume.
 *
 * @throws PathError UNSUPPORTED_SCHEME; BAD_PATH; INSECURE_TOKEN for credentials to a plain http host;
 *   FORBIDDEN_ADDRESS for a local path with `allowAddress: 'public'`. CredentialsError BAD_CREDENTIALS for
 *   credentials of another vendor.
 */
export function openStore(path: string, options: OpenStoreOptions): Store {
  registerSecretHeaders(options.headers);
  const location = path.trim().replace(/^precomputed:\/\//i, '');
  const [, scheme, rest] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/is.exec(location) ?? [];
  const name = scheme?.toLowerCase();
  const endpointBucket = parseEndpointPath(location);
  if (endpointBucket) return openEndpoint(endpointBucket, location, options);
  if (options.allowAddress === 'public' && (name === undefined || name === 'file' || name === 'mem'))
    throw new PathError(
      'FORBIDDEN_ADDRESS',
      'a server named a local path as the location of its data; if that is intended, open that path yourself',
    );
  if (name === undefined) return openFile(location);
  if (!Object.hasOwn(OPENERS, name)) throw new PathError('UNSUPPORTED_SCHEME', unknownSchemeText(name));
  const slash = rest.includes('/') ? rest.indexOf('/') : rest.length;
  return OPENERS[name](rest.slice(0, slash), rest.slice(slash + 1).replace(/\/+$/, ''), location, options);
}

/** CloudVolume's schemes for two S3 servers of one university. */
const ALIASES = new Set(['matrix', 'tigerdata']);

/** Explains that a scheme is not supported, and what to use instead. */
export function unknownSchemeText(scheme: string): string {
  const message = `${scheme}:// is not supported; supported are plain paths and ${STORE_SCHEMES.join(', ')}`;
  return ALIASES.has(scheme)
    ? `${message}. CloudVolume's ${scheme}:// is an S3 server: s3://BUCKET/PATH with the option endpoint (--endpoint)`
    : message;
}

/**
 * Opens a bucket whose path names its server, for example `s3+https://SERVER/BUCKET`.
 * @throws PathError FORBIDDEN_ADDRESS if the path came from a server; BAD_PATH if the option `endpoint` is
 *   given, too.
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
      'a server named the server of a bucket, which only the user may do; if that is intended, open that path yourself',
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

/**
 * Opens a bucket whose URL names Google's or Amazon's server, even if the environment names another server.
 */
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
  if (path === '' || path.includes('\0'))
    throw new PathError('BAD_PATH', 'the path is empty or contains NUL');
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
      `credentials are sent only over TLS or to loopback, and ${redactUrl(path)} is neither`,
    );
  if (url.hash) throw new PathError('BAD_PATH', `${redactUrl(path)}: write "#" in a path as %23`);
  const bucket = options.headers === undefined ? parseBucketUrl(url) : undefined;
  if (bucket && isBucketName(bucket.bucket)) return openBucket(bucket, path, options);
  const { username, password, search } = url;
  return new HttpStore(redactUrl(url), {
    request: createUrlRequester(url, options),
    identity: () => Promise.resolve([username, password, search, options.headers]),
  });
}

/** Encodes the prefix that comes before every key in the URLs of a bucket. */
const encodedPrefix = (prefix: string): string => prefix && `${encodeKey(prefix)}/`;

function bucketName(name: string, path: string): string {
  if (!isBucketName(name)) throw new PathError('BAD_PATH', `${redactUrl(path)} does not name a bucket`);
  return name;
}

const isBucketName = (name: string): boolean => /^[a-z\d][a-z\d._-]{1,220}[a-z\d]$/i.test(name);
