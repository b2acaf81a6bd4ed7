/**
 * A mocked object store. It answers GET and HEAD as Google Cloud Storage or Amazon S3 does: ranges, ETags,
 * conditions, content encodings and errors.
 *
 * A file `NAME.gz`, `NAME.br` or `NAME.zstd` is the object NAME with that Content-Encoding. CloudVolume
 * writes files this way, because a disk keeps no metadata.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { bucketError, refuse, type BucketStyle } from './bucket-errors.ts';
import type { Fault } from './faults.ts';
import { folderFiles } from './folder.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import { mockServer, type MockServer } from './server.ts';
import { SUFFIXES, type FileSource, type StoredFile } from './stored-file.ts';

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
  faults,
}: MockBucketOptions): MockBucket {
  const onDisk: FileSource = folder === undefined ? () => undefined : folderFiles(folder);
  const deleted = new Set<string>(),
    puts = new Map<string, number>();
  let replies = 0;
  const find = (key: string): StoredFile | undefined => {
    for (const [suffix, contentEncoding] of SUFFIXES) {
      const name = key + suffix;
      const file = Object.hasOwn(files, name) ? files[name] : deleted.has(key) ? undefined : onDisk(name);
      if (file)
        return file instanceof Uint8Array ? { contentEncoding, bytes: file } : { contentEncoding, ...file };
    }
    return undefined;
  };

  const answer = (request: MockRequest): MockResponse => {
    const { method, headers, path } = request;
    if (method !== 'GET' && method !== 'HEAD') return bucketError(style, 405, { allow: 'GET, HEAD' });
    const refused = token === undefined ? undefined : refuse(style, token, headers.authorization);
    if (refused) return refused;
    const key = keyOf(path);
    if (key === undefined) return bucketError(style, 400);
    const stored = find(key);
    return stored
      ? serve(stored, { style, generation: 1 + (puts.get(key) ?? 0), versions, replies: ++replies }, headers)
      : bucketError(style, listable ? 404 : 403);
  };
  const remove = (key: string): boolean => {
    const had = find(key) !== undefined;
    for (const [suffix] of SUFFIXES) delete files[key + suffix];
    deleted.add(key);
    return had;
  };
  return {
    ...mockServer(answer, { faults }),
    put: (key, bytes, contentEncoding) => {
      remove(key);
      files[key] = {
        bytes: typeof bytes === 'string' ? Buffer.from(bytes) : new Uint8Array(bytes),
        contentEncoding,
      };
      puts.set(key, (puts.get(key) ?? 0) + 1);
    },
    delete: remove,
  };
}

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
  generation: number;
  versions: NonNullable<MockBucketOptions['versions']>;
  /** Replies so far, including this one. */
  replies: number;
}

/** The headers that tell the version of the object. */
function versionHeaders({ style, generation, versions }: ReplyContext, etag: string): Record<string, string> {
  if (versions === 'none') return {};
  if (versions === 'last-modified')
    return { 'last-modified': new Date(Date.UTC(2024, 0, 1, 0, 0, generation)).toUTCString() };
  return { etag, ...(style === 'gs' && versions === 'etag' && { 'x-goog-generation': String(generation) }) };
}

function serve(
  { bytes: stored, contentEncoding }: StoredFile,
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
  const md5 = createHash('md5').update(stored).digest(),
    etag = versions === 'changing' ? `"${replies}"` : `"${md5.toString('hex')}"`;
  const common = {
    'accept-ranges': unpack ? 'none' : 'bytes',
    ...versionHeaders(context, etag),
    'access-control-allow-origin': '*',
    ...(contentEncoding && style === 'gs' ? { vary: 'Accept-Encoding' } : {}),
    ...(contentEncoding && !unpack ? { 'content-encoding': contentEncoding } : {}),
    ...(style === 'gs' && {
      'x-goog-hash': `md5=${md5.toString('base64')}`,
      'x-goog-stored-content-encoding': contentEncoding ?? 'identity',
      'x-goog-stored-content-length': String(stored.byteLength),
    }),
  };
  if (requestHeaders['if-match'] !== undefined && !names(requestHeaders['if-match'], etag))
    return bucketError(style, 412);
  if (requestHeaders['if-none-match'] !== undefined && names(requestHeaders['if-none-match'], etag))
    return { status: 304, headers: common, body: new Uint8Array(0) };
  const part = unpack ? 'none' : parseRange(requestHeaders.range ?? '', bytes.length);
  if (part === 'none') return reply(200, 'application/octet-stream', bytes, common);
  if (part === 'unsatisfiable')
    return bucketError(style, 416, { 'content-range': `bytes */${bytes.length}` });
  const [start, end] = part;
  return reply(206, 'application/octet-stream', bytes.subarray(start, end), {
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
