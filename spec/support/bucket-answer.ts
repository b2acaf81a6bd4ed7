import { OBJECTS } from '../storage/contract.ts';

export interface BucketAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Answers like an object store that holds the contract's objects below `/bucket`: 200, 206, 404, 416. */
export function bucketAnswer(path: string, range: string | undefined): BucketAnswer {
  const object = OBJECTS.find(({ key }) => `/bucket/${key}` === decodeURIComponent(path));
  if (!object || path.includes('?')) return { status: 404, headers: {}, body: Buffer.from('no such key') };
  const bytes = Buffer.from(object.bytes),
    size = bytes.length;
  const headers = {
    'content-type': 'application/octet-stream',
    ...(object.contentEncoding && { 'content-encoding': object.contentEncoding.toUpperCase() }),
  };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, headers, body: bytes };
  if (Number(first) >= size)
    return { status: 416, headers: { 'content-range': `bytes */${size}` }, body: Buffer.alloc(0) };
  const end = Math.min(Number(last) + 1, size);
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${end - 1}/${size}` },
    body: bytes.subarray(Number(first), end),
  };
}
