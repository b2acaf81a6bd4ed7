import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { inflateChunk } from '../../lib/chunks/inflate.ts';

const { signal } = new AbortController();
const content = new Uint8Array(1000).map((_, at) => at % 7);
const plain = { contentEncoding: undefined, maxBytes: 5000 };
/** A valid zstd frame: one raw block, no checksum. */
const zstd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x60, 0xe8, 0x02, 0x41, 0x1f, 0x00, ...content);

describe('inflateChunk', () => {
  test.each([
    {
      name: 'the encoding in the header',
      chunk: { ...plain, bytes: gzipSync(content), contentEncoding: 'gzip' },
    },
    { name: 'gzip that no header names', chunk: { ...plain, bytes: gzipSync(content) } },
    { name: 'zstd that no header names', chunk: { ...plain, bytes: zstd } },
    {
      name: 'gzip within gzip',
      chunk: { ...plain, bytes: gzipSync(gzipSync(content)), contentEncoding: 'gzip' },
    },
    {
      name: 'gzip within brotli',
      chunk: { ...plain, bytes: brotliCompressSync(gzipSync(content)), contentEncoding: 'br' },
    },
    {
      name: 'gzip within gzip that no header names',
      chunk: { ...plain, bytes: gzipSync(gzipSync(content)) },
    },
  ])('undoes $name', async ({ chunk }) => {
    expect(await inflateChunk(chunk, { signal })).toEqual(content);
    expect(await inflateChunk({ ...chunk, exactBytes: content.length }, { signal })).toEqual(content);
  });

  test('does not change bytes of exactly the size of the chunk, whatever they begin with', async () => {
    const raw = gzipSync(content);
    for (const chunk of [
      { ...plain, bytes: raw },
      { ...plain, bytes: gzipSync(raw), contentEncoding: 'gzip' },
    ])
      expect(await inflateChunk({ ...chunk, exactBytes: raw.length }, { signal })).toEqual(
        new Uint8Array(raw),
      );
  });

  test('stops after a few layers', async () => {
    const deep = gzipSync(gzipSync(gzipSync(gzipSync(content))));
    expect((await inflateChunk({ ...plain, bytes: deep }, { signal })).subarray(0, 2)).toEqual(
      Uint8Array.of(0x1f, 0x8b),
    );
  });

  test.each([
    {
      name: 'more bytes than the chunk can hold',
      bytes: gzipSync(gzipSync(new Uint8Array(10_000))),
      code: 'TOO_LARGE',
    },
    { name: 'a cut bitstream', bytes: gzipSync(content).subarray(0, 30), code: 'TRUNCATED' },
  ])('fails for $name', async ({ bytes, code }) => {
    await expect(inflateChunk({ ...plain, bytes }, { signal })).rejects.toMatchObject({
      name: 'DecodeError',
      code,
    });
  });
});
