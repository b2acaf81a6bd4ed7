/**
 * An object store: GET and HEAD with ranges, ETags and content encodings. A file `NAME.gz`, `.br` or `.zstd` is the object NAME
 * stored with that Content-Encoding, as CloudVolume writes to disk what object stores keep as metadata.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Fault } from './faults.ts';
import { folderFiles } from './folder.ts';
import { reply, type MockRequest, type MockResponse } from './message.ts';
import { mockServer, type MockServer } from './server.ts';

export interface StoredFile {
  bytes: Uint8Array;
  contentEncoding?: string;
}

/** The file at a key, or undefined when there is none. */
export type FileSource = (key: string) => StoredFile | undefined;

export interface MockBucketOptions {
  /** Served from disk, read lazily. */
  folder?: string;
  /** Served from memory, by key without a leading slash; goes before `folder`. May be changed at any time. */
  files?: Record<string, Uint8Array | StoredFile>;
  /** Wanted as `Authorization: Bearer …`. @default none is asked for */
  token?: string;
  faults?: Fault[];
}

const SUFFIXES = { '': undefined, '.gz': 'gzip', '.br': 'br', '.zstd': 'zstd' } as const;

export function createMockBucket({ folder, files = {}, token, faults }: MockBucketOptions): MockServer {
  const onDisk: FileSource = folder === undefined ? () => undefined : folderFiles(folder);
  const read: FileSource = (key) => {
    const file = Object.hasOwn(files, key) ? files[key] : onDisk(key);
    return file instanceof Uint8Array ? { bytes: file } : file;
  };
  return mockServer((request) => answer(request, read, token), { faults });
}

function answer(request: MockRequest, read: FileSource, token: string | undefined): MockResponse {
  const { method, headers, path } = request;
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD', { allow: 'GET, HEAD' });
  if (token !== undefined && headers.authorization !== `Bearer ${token}`) return text(401, 'a token is needed', { 'www-authenticate': 'Bearer' });
  const key = keyOf(path);
  if (key === undefined) return text(400, 'no such key can exist');
  const stored = find(key, read);
  return stored ? serve(stored, headers) : text(404, 'no such object');
}

const text = (status: number, message: string, headers: Record<string, string> = {}): MockResponse => reply(status, 'text/plain; charset=utf-8', `${message}\n`, headers);

/** The decoded key; undefined for what leaves the bucket or cannot be decoded. */
function keyOf(path: string): string | undefined {
  try {
    const key = decodeURIComponent(path.slice(1));
    return /[\\\0]/.test(key) || key.startsWith('/') || key.split('/').some((part) => part === '..' || part === '.') ? undefined : key;
  } catch {
    return undefined;
  }
}

function find(key: string, read: FileSource): StoredFile | undefined {
  for (const [suffix, contentEncoding] of Object.entries(SUFFIXES)) {
    const file = read(key + suffix);
    if (file) return { contentEncoding, ...file };
  }
  return undefined;
}

function serve({ bytes: stored, contentEncoding }: StoredFile, { range = '', 'accept-encoding': accepted = '' }: Record<string, string>): MockResponse {
  const unpack = contentEncoding === 'gzip' && !accepted.includes('gzip'); // as Google Cloud Storage does
  const bytes = unpack ? gunzipSync(stored) : stored;
  const common = {
    'accept-ranges': 'bytes',
    etag: `"${createHash('md5').update(stored).digest('hex')}"`,
    'access-control-allow-origin': '*',
    ...(contentEncoding ? { vary: 'Accept-Encoding' } : {}),
    ...(contentEncoding && !unpack ? { 'content-encoding': contentEncoding } : {}),
  };
  const part = parseRange(range, bytes.length);
  if (part === 'none') return reply(200, 'application/octet-stream', bytes, common);
  if (part === 'unsatisfiable') return text(416, 'the range is not in the object', { 'content-range': `bytes */${bytes.length}` });
  const [start, end] = part;
  return reply(206, 'application/octet-stream', bytes.subarray(start, end), { ...common, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` });
}

/** One range of bytes as [start, end); several, or a malformed one, are ignored, as RFC 9110 (14.2) allows. */
function parseRange(header: string, size: number): [number, number] | 'none' | 'unsatisfiable' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return 'none';
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < first) return 'none';
  return first > last ? 'unsatisfiable' : [first, last + 1];
}
