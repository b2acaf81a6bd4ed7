/**
 * A mocked object store. It answers GET and HEAD as Google Cloud Storage or Amazon S3 does: ranges, ETags,
 * conditions, content encodings and errors. A writable bucket takes uploads, too.
 *
 * A file `NAME.gz`, `NAME.br` or `NAME.zstd` is the object NAME with that Content-Encoding. CloudVolume
 * writes files this way, because a disk keeps no metadata.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { bucketError, refuse, type BucketStyle } from './bucket-errors.ts';
import type { Fault } from './faults.ts';
import { folderFiles } from './folder.ts';
import { GoogleUploads } from './google-uploads.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import { S3Uploads, type UnfinishedUpload } from './s3-uploads.ts';
import { mockServer, type MockRoutes, type MockServer } from './server.ts';
import type { StoredFile } from './stored-file.ts';
import { StoredObjects, type StoredVersion } from './stored-objects.ts';

/**
 * Options of {@link createMockBucket}. All are optional; without `folder` and `files` the bucket is empty.
 */
export interface MockBucketOptions {
  /** A folder whose files are the objects. Each file is read when it is requested. @default none */
  folder?: string;
  /**
   * Objects in memory, by key without a leading slash. They take precedence over `folder`. The record may be
   * changed at any time; {@link MockBucket.put} changes it, too.
   * @default {}
   */
  files?: Record<string, Uint8Array | StoredFile>;
  /**
   * Makes the bucket private: every request needs this token. Style `gs` expects `Authorization: Bearer
   * TOKEN`. Style `s3` expects the same, or a signed request with the token as its access key ID; the
   * signature is not checked.
   * @default anybody may read
   */
  token?: string;
  /** The vendor whose headers and error bodies the replies have. @default 'gs' */
  style?: BucketStyle;
  /**
   * Whether readers may list the bucket. If not, a missing object is answered with 403 instead of 404, as
   * both vendors do.
   * @default true
   */
  listable?: boolean;
  /**
   * Which headers tell the version of an object:
   * - `etag`: an ETag, and with style `gs` the generation
   * - `last-modified`: only the date
   * - `changing`: an ETag that differs in every reply, as from replicas behind a load balancer
   * - `none`: no header
   * @default 'etag'
   */
  versions?: 'etag' | 'last-modified' | 'changing' | 'none';
  /**
   * Whether objects can be written. Style `s3` takes PutObject, DeleteObject and multipart uploads. Style `gs`
   * takes resumable uploads through the JSON API, which {@link gsRoutes} mounts.
   * @default false
   */
  writable?: boolean;
  /** The smallest part of a multipart upload, except the last, in bytes. @default 5 MiB, as Amazon */
  minPartBytes?: number;
  /** Faults of the bucket, in order of precedence. @default none */
  faults?: Fault[];
}

/** A mocked bucket: a server to mount, and methods that change its objects. */
export interface MockBucket extends MockServer {
  /**
   * Stores an object with a new ETag and generation. It replaces an object of the same key.
   * @param contentEncoding The Content-Encoding of `bytes`, such as `gzip`. None by default.
   */
  put(key: string, bytes: Uint8Array | string, contentEncoding?: string): void;
  /**
   * Deletes an object. A file of `folder` stays on disk, but is not served any more.
   * @returns Whether the object existed.
   */
  delete(key: string): boolean;
  /** Returns an object as it is stored; undefined if there is none. */
  get(key: string): StoredFile | undefined;
  /** The uploads that were begun, and neither completed nor aborted. */
  readonly unfinishedUploads: readonly UnfinishedUpload[];
}

/**
 * Creates a mocked bucket. Mount it with `serveMocks` or `nockMocks`, or call its `handle` directly.
 *
 * @example
 * const bucket = createMockBucket({ files: { 'volume/info': new TextEncoder().encode('{}') } });
 * const response = await bucket.handle(mockRequest('GET', '/volume/info'));
 */
export function createMockBucket({
  folder,
  files = {},
  token,
  style = 'gs',
  listable = true,
  versions = 'etag',
  writable = false,
  minPartBytes = 5 * 2 ** 20,
  faults,
}: MockBucketOptions): MockBucket {
  const objects = new StoredObjects(files, folder === undefined ? () => undefined : folderFiles(folder));
  const uploads = style === 's3' ? new S3Uploads(objects, minPartBytes) : undefined,
    googleUploads = style === 'gs' ? new GoogleUploads(objects, token) : undefined;
  let replies = 0;

  const answer = (request: MockRequest): MockResponse => {
    const { method, headers, path } = request;
    const ofApi = writable ? googleUploads?.handle(request) : undefined;
    if (ofApi) return ofApi;
    const isRead = method === 'GET' || method === 'HEAD';
    if (!isRead && !(writable && uploads)) return bucketError(style, 405, { allow: 'GET, HEAD' });
    const refused = token === undefined ? undefined : refuse(style, token, headers.authorization);
    if (refused) return refused;
    const key = keyOf(path);
    if (key === undefined) return bucketError(style, 400);
    const written = writable ? uploads?.handle(request, key) : undefined;
    if (written) return written;
    const stored = objects.find(key);
    return stored
      ? serve(stored, { style, versions, replies: ++replies }, headers)
      : bucketError(style, listable ? 404 : 403);
  };
  return {
    ...mockServer(answer, { faults }),
    put: (key, bytes, contentEncoding) =>
      void objects.put(key, {
        bytes: typeof bytes === 'string' ? Buffer.from(bytes) : new Uint8Array(bytes),
        contentEncoding,
      }),
    delete: (key) => objects.delete(key),
    get: (key) => objects.find(key),
    get unfinishedUploads() {
      return uploads?.unfinished ?? googleUploads!.unfinished;
    },
  };
}

/**
 * Returns the routes of writable buckets of style `gs`: each at `/NAME` for reads, and at the paths of
 * Google's JSON API for uploads. Both share the log and the faults of the bucket.
 *
 * @example
 * const served = await serveMocks(gsRoutes({ results: createMockBucket({ writable: true }) }));
 */
export const gsRoutes = (buckets: Readonly<Record<string, MockBucket>>): MockRoutes =>
  Object.fromEntries(
    Object.entries(buckets).flatMap(([name, bucket]) => {
      const api = { ...bucket, wholePath: true };
      return [
        [`/${name}`, bucket],
        [`/storage/v1/b/${name}`, api],
        [`/upload/storage/v1/b/${name}`, api],
      ];
    }),
  );

/** The decoded key; undefined for a path that leaves the bucket or cannot be decoded. */
function keyOf(path: string): string | undefined {
  try {
    const key = decodeURIComponent(path.slice(1));
    return /[\\\0]/.test(key) ||
      key.startsWith('/') ||
      key.split('/').some((part) => part === '..' || part === '.')
      ? undefined
      : key;
  } catch {
    return undefined;
  }
}

interface ReplyContext {
  style: BucketStyle;
  versions: NonNullable<MockBucketOptions['versions']>;
  /** Replies so far, including this one. */
  replies: number;
}

/** The headers that tell the version of the object. */
function versionHeaders(
  { style, versions }: ReplyContext,
  etag: string,
  generation: number,
): Record<string, string> {
  if (versions === 'none') return {};
  if (versions === 'last-modified')
    return { 'last-modified': new Date(Date.UTC(2024, 0, 1, 0, 0, generation)).toUTCString() };
  return { etag, ...(style === 'gs' && versions === 'etag' && { 'x-goog-generation': String(generation) }) };
}

function serve(
  {
    bytes: stored,
    contentEncoding,
    contentType = 'application/octet-stream',
    generation,
    ...version
  }: StoredVersion,
  context: ReplyContext,
  requestHeaders: Record<string, string>,
): MockResponse {
  const { style, versions, replies } = context;
  // Google unpacks gzip for a client that does not accept it, and then ignores ranges. Amazon sends the
  // stored bytes.
  const unpack =
    style === 'gs' &&
    contentEncoding === 'gzip' &&
    !(requestHeaders['accept-encoding'] ?? '').includes('gzip');
  const bytes = unpack ? gunzipSync(stored) : stored;
  const etag = versions === 'changing' ? `"${replies}"` : version.etag;
  const common = {
    'accept-ranges': unpack ? 'none' : 'bytes',
    ...versionHeaders(context, etag, generation),
    'access-control-allow-origin': '*',
    ...(contentEncoding && style === 'gs' ? { vary: 'Accept-Encoding' } : {}),
    ...(contentEncoding && !unpack ? { 'content-encoding': contentEncoding } : {}),
    ...(style === 'gs' && {
      'x-goog-hash': `md5=${createHash('md5').update(stored).digest('base64')}`,
      'x-goog-stored-content-encoding': contentEncoding ?? 'identity',
      'x-goog-stored-content-length': String(stored.byteLength),
    }),
  };
  if (requestHeaders['if-match'] !== undefined && !names(requestHeaders['if-match'], etag))
    return bucketError(style, 412);
  if (requestHeaders['if-none-match'] !== undefined && names(requestHeaders['if-none-match'], etag))
    return { status: 304, headers: common, body: new Uint8Array(0) };
  const part = unpack ? 'none' : parseRange(requestHeaders.range ?? '', bytes.length);
  if (part === 'none') return reply(200, contentType, bytes, common);
  if (part === 'unsatisfiable')
    return bucketError(style, 416, { 'content-range': `bytes */${bytes.length}` });
  const [start, end] = part;
  return reply(206, contentType, bytes.subarray(start, end), {
    ...common,
    'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
  });
}

/** Whether a list of ETags contains `etag`, or is `*`. Weak ETags count: RFC 9110, 13.1. */
const names = (list: string, etag: string): boolean =>
  list.split(',').some((name) => ['*', etag].includes(name.trim().replace(/^W\//, '')));

/**
 * One byte range as [start, end). Several ranges or a malformed one are ignored, as RFC 9110 (14.2) allows.
 */
function parseRange(header: string, size: number): [number, number] | 'none' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return 'none';
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < first) return 'none';
  return first > last ? 'unsatisfiable' : [first, last + 1];
}
