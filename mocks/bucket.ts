/**
 * An object store as Google's and Amazon's answer: GET and HEAD with ranges, ETags, conditions and content encodings, and their errors.
 * A file `NAME.gz`, `.br` or `.zstd` is the object NAME stored with that Content-Encoding, as CloudVolume writes to disk what object stores
 * keep as metadata.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { bucketError, refuse, type BucketStyle } from './bucket-errors.ts';
import type { Fault } from './faults.ts';
import { folderFiles } from './folder.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import { mockServer, type MockServer } from './server.ts';
import { SUFFIXES, type FileSource, type StoredFile } from './stored-file.ts';

/** Options of `createMockBucket`. */
export interface MockBucketOptions {
  /** Served from disk, read lazily. */
  folder?: string;
  /** Served from memory, by key without a leading slash; goes before `folder`. May be changed at any time; so does {@link MockBucket.put}. */
  files?: Record<string, Uint8Array | StoredFile>;
  /**
   * Makes the bucket private. gs wants it as `Authorization: Bearer …`; s3 as the access key ID of a signed request, whose signature is not
   * checked, or as gs does.
   * @default anybody may read
   */
  token?: string;
  /** Whose headers and error bodies. @default 'gs' */
  style?: BucketStyle;
  /** Whether readers may list it: where they may not, an object that does not exist is answered with 403, as both vendors do. @default true */
  listable?: boolean;
  /**
   * How a reply says which version of an object it is of: `etag`, and with style gs the generation; `last-modified`, the date alone; `changing`,
   * an ETag that is another one each time, as replicas behind a balancer give; `none`.
   * @default 'etag'
   */
  versions?: 'etag' | 'last-modified' | 'changing' | 'none';
  /** What goes wrong; more can be added later. @default none */
  faults?: Fault[];
}

/** A mocked bucket, to be mounted by `serveMocks` or `nockMocks`. */
export interface MockBucket extends MockServer {
  /** Stores an object, with a new ETag and generation. */
  put(key: string, bytes: Uint8Array | string, contentEncoding?: string): void;
  /** Whether there was one. What is on disk stays there, and is not served any more. */
  delete(key: string): boolean;
}

/** Creates an object store that answers as Google's or Amazon's does. */
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

/** The decoded key; undefined for what leaves the bucket or cannot be decoded. */
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

interface Kind {
  style: BucketStyle;
  generation: number;
  versions: NonNullable<MockBucketOptions['versions']>;
  /** Counts this one, too. */
  replies: number;
}

/** What a reply says of the version that it is of, beside the ETag. */
function versionHeaders({ style, generation, versions }: Kind, etag: string): Record<string, string> {
  if (versions === 'none') return {};
  if (versions === 'last-modified')
    return { 'last-modified': new Date(Date.UTC(2024, 0, 1, 0, 0, generation)).toUTCString() };
  return { etag, ...(style === 'gs' && versions === 'etag' && { 'x-goog-generation': String(generation) }) };
}

function serve(
  { bytes: stored, contentEncoding }: StoredFile,
  kind: Kind,
  asked: Record<string, string>,
): MockResponse {
  const { style, versions, replies } = kind;
  // Google unpacks gzip for those who do not take it, and then knows no ranges; Amazon hands out what it has.
  const unpack =
    style === 'gs' && contentEncoding === 'gzip' && !(asked['accept-encoding'] ?? '').includes('gzip');
  const bytes = unpack ? gunzipSync(stored) : stored;
  const md5 = createHash('md5').update(stored).digest(),
    etag = versions === 'changing' ? `"${replies}"` : `"${md5.toString('hex')}"`;
  const common = {
    'accept-ranges': unpack ? 'none' : 'bytes',
    ...versionHeaders(kind, etag),
    'access-control-allow-origin': '*',
    ...(contentEncoding && style === 'gs' ? { vary: 'Accept-Encoding' } : {}),
    ...(contentEncoding && !unpack ? { 'content-encoding': contentEncoding } : {}),
    ...(style === 'gs' && {
      'x-goog-hash': `md5=${md5.toString('base64')}`,
      'x-goog-stored-content-encoding': contentEncoding ?? 'identity',
      'x-goog-stored-content-length': String(stored.byteLength),
    }),
  };
  if (asked['if-match'] !== undefined && !names(asked['if-match'], etag)) return bucketError(style, 412);
  if (asked['if-none-match'] !== undefined && names(asked['if-none-match'], etag))
    return { status: 304, headers: common, body: new Uint8Array(0) };
  const part = unpack ? 'none' : parseRange(asked.range ?? '', bytes.length);
  if (part === 'none') return reply(200, 'application/octet-stream', bytes, common);
  if (part === 'unsatisfiable')
    return bucketError(style, 416, { 'content-range': `bytes */${bytes.length}` });
  const [start, end] = part;
  return reply(206, 'application/octet-stream', bytes.subarray(start, end), {
    ...common,
    'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
  });
}

/** Whether a list of ETags, or `*`, has this one. RFC 9110, 13.1: weak ones count. */
const names = (list: string, etag: string): boolean =>
  list.split(',').some((name) => ['*', etag].includes(name.trim().replace(/^W\//, '')));

/** One range of bytes as [start, end); several, or a malformed one, are ignored, as RFC 9110 (14.2) allows. */
function parseRange(header: string, size: number): [number, number] | 'none' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return 'none';
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < first) return 'none';
  return first > last ? 'unsatisfiable' : [first, last + 1];
}
