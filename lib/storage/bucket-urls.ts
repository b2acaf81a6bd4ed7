/**
 * Recognizes buckets in the URLs of their servers, so that every spelling of a path reads the same bucket.
 * Sources: Google Cloud Storage, "Request endpoints"; Amazon S3 user guide, "Virtual hosting of general
 * purpose buckets" and "Using dual-stack endpoints"; for other servers, CloudVolume
 * (`s3://https://SERVER/BUCKET`) and Neuroglancer (`s3+https://SERVER/BUCKET`).
 */
import { PathError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';

/** A bucket and the path within it. */
export interface BucketUrl {
  vendor: 'gs' | 's3';
  bucket: string;
  /** The path within the bucket, decoded, without slashes around it. */
  prefix: string;
  /** s3: the region, if the address names it. */
  region?: string;
  /** s3: the address also supports IPv6. */
  dualstack?: boolean;
  /** The server, if it is neither Google's nor Amazon's. */
  endpoint?: string;
}

const GOOGLE = /^(?:(.+)\.)?(?:storage|commondatastorage)\.googleapis\.com$/;
/** The address that browsers use. It has no virtual hosts. */
const GOOGLE_CONSOLE = 'storage.cloud.google.com';
/** Paths of Google's JSON API. They do not start with a bucket. */
const GOOGLE_API = /^\/(?:(?:download|upload|resumable)\/)?storage\/v\d/;
const AMAZON =
  /^(?:(.+)\.)?s3(?:[.-](?:(dualstack)\.)?([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}))?\.amazonaws\.com(?:\.cn)?$/;

/**
 * Returns the bucket of Google or Amazon that an http(s) URL names. Returns undefined for any other server,
 * and for a URL with a query, a fragment, a port or user info.
 */
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
 * Parses `s3://https://SERVER/BUCKET/…` and `s3+https://SERVER/BUCKET/…`, and the same forms of gs. Returns
 * undefined for any other path.
 * @throws PathError BAD_PATH if the path has a user name or a query, or no bucket.
 */
export function parseEndpointPath(path: string): BucketUrl | undefined {
  const [, vendor, address] = /^(gs|s3)(?::\/\/|\+)(https?:\/\/.*)$/is.exec(path) ?? [];
  if (vendor === undefined) return undefined;
  const badPath = (problem: string): PathError =>
    new PathError(
      'BAD_PATH',
      `${vendor}+${redactUrl(address)} ${problem}; expected ${vendor}://BUCKET/PATH and the option endpoint (--endpoint), or ${vendor}+https://SERVER/BUCKET/PATH`,
    );
  if (!URL.canParse(address)) throw badPath('does not contain a URL');
  const url = new URL(address);
  if (url.search || url.hash || url.username || url.password)
    throw badPath('has a query, a fragment or a user name');
  const vendors = parseBucketUrl(url);
  if (vendors?.vendor === vendor.toLowerCase()) return vendors;
  const key = decodedPath(url.pathname);
  if (!key) throw badPath('does not name a bucket');
  return { vendor: vendor.toLowerCase() as 'gs' | 's3', ...splitBucket(key), endpoint: url.origin };
}

function splitBucket(key: string): Pick<BucketUrl, 'bucket' | 'prefix'> {
  const slash = key.indexOf('/');
  return slash < 0
    ? { bucket: key, prefix: '' }
    : { bucket: key.slice(0, slash), prefix: key.slice(slash + 1) };
}

/**
 * Decodes the path of a URL. Returns undefined if it has empty segments or broken escapes, which no key has.
 */
function decodedPath(pathname: string): string | undefined {
  try {
    const key = decodeURIComponent(pathname).replace(/^\/|\/+$/g, '');
    return key.startsWith('/') || key.includes('//') ? undefined : key;
  } catch {
    return undefined;
  }
}
