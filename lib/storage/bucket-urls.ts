/**
 * Buckets named by the address of their server. A bucket has one answer, however its path is spelled.
 * Sources: Google Cloud Storage, "Request endpoints"; Amazon S3 user guide, "Virtual hosting of general purpose buckets" and
 * "Using dual-stack endpoints"; CloudVolume (`s3://https://SERVER/BUCKET`) and Neuroglancer (`s3+https://SERVER/BUCKET`) for other servers.
 */
import { PathError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';

export interface BucketUrl {
  vendor: 'gs' | 's3';
  bucket: string;
  /** Keys below this one, decoded; without slashes around it. */
  prefix: string;
  /** s3, where the address says it. */
  region?: string;
  /** s3: the address is reached by IPv6, too. */
  dualstack?: boolean;
  /** The server, where it is neither Google's nor Amazon's. */
  endpoint?: string;
}

const GOOGLE = /^(?:(.+)\.)?(?:storage|commondatastorage)\.googleapis\.com$/;
/** The one that a browser is sent to; it has no virtual hosts. */
const GOOGLE_CONSOLE = 'storage.cloud.google.com';
/** Paths of Google's JSON API, which has no bucket of these names. */
const GOOGLE_API = /^\/(?:(?:download|upload|resumable)\/)?storage\/v\d/;
const AMAZON =
  /^(?:(.+)\.)?s3(?:[.-](?:(dualstack)\.)?([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}))?\.amazonaws\.com(?:\.cn)?$/;

/** The bucket that an http(s) URL without query, fragment and user info names; undefined when it is another server's. */
export function parseBucketUrl(url: URL): BucketUrl | undefined {
  if (url.search || url.hash || url.username || url.password || url.port) return undefined;
  const host = url.hostname.replace(/\.$/, '');
  const amazon = AMAZON.exec(host),
    google = GOOGLE.exec(host);
  if (!amazon && !google && host !== GOOGLE_CONSOLE) return undefined;
  if (!amazon && GOOGLE_API.test(url.pathname)) return undefined;
  const virtual = amazon?.[1] ?? google?.[1];
  const key = decodedPath(url.pathname);
  if (key === undefined) return undefined;
  const named = virtual === undefined ? splitBucket(key) : { bucket: virtual, prefix: key };
  if (!amazon) return { vendor: 'gs', ...named };
  return {
    vendor: 's3',
    ...named,
    ...(amazon[3] && { region: amazon[3] }),
    ...(amazon[2] && { dualstack: true }),
  };
}

/**
 * `s3://https://SERVER/BUCKET/…`, `s3+https://SERVER/BUCKET/…` and the same of gs; undefined for any other path.
 * @throws PathError BAD_PATH for one with a user name, a query, or no bucket.
 */
export function parseEndpointPath(path: string): BucketUrl | undefined {
  const [, vendor, address] = /^(gs|s3)(?::\/\/|\+)(https?:\/\/.*)$/is.exec(path) ?? [];
  if (vendor === undefined) return undefined;
  const bad = (why: string): PathError =>
    new PathError(
      'BAD_PATH',
      `${vendor}+${redactUrl(address)} ${why}; expected ${vendor}://BUCKET/PATH and the option endpoint (--endpoint), or ${vendor}+https://SERVER/BUCKET/PATH`,
    );
  if (!URL.canParse(address)) throw bad('holds no URL');
  const url = new URL(address);
  if (url.search || url.hash || url.username || url.password)
    throw bad('has a query, a fragment or a user name');
  const vendors = parseBucketUrl(url);
  if (vendors?.vendor === vendor.toLowerCase()) return vendors;
  const key = decodedPath(url.pathname);
  if (!key) throw bad('names no bucket');
  return { vendor: vendor.toLowerCase() as 'gs' | 's3', ...splitBucket(key), endpoint: url.origin };
}

function splitBucket(key: string): Pick<BucketUrl, 'bucket' | 'prefix'> {
  const slash = key.indexOf('/');
  return slash < 0
    ? { bucket: key, prefix: '' }
    : { bucket: key.slice(0, slash), prefix: key.slice(slash + 1) };
}

/** undefined when it holds empty parts or broken escapes, which no key of ours has. */
function decodedPath(pathname: string): string | undefined {
  try {
    const key = decodeURIComponent(pathname).replace(/^\/|\/+$/g, '');
    return key.startsWith('/') || key.includes('//') ? undefined : key;
  } catch {
    return undefined;
  }
}
