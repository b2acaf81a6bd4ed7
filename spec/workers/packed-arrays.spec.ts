/** Arrays that are packed for a message have the same elements, in one piece of memory. */
import { expect, test } from '@jest/globals';
import type { ChunkWorkResult, SharedWork } from '../../lib/chunks/chunk-work.ts';
import { packValues, packVoxels } from '../../lib/workers/packed-arrays.ts';

test('voxels share memory that holds nothing else', () => {
  const view = Uint32Array.of(9, 1, 2, 3, 9).subarray(1, 4);
  const workOf = (...voxels: Uint32Array[]): SharedWork =>
    ({
      bytes: new Uint8Array(1),
      contentEncoding: 'gzip',
      work: { encoding: 'raw', voxels },
    }) as unknown as SharedWork;
  const works = [workOf(view, new Uint32Array(0)), workOf(), workOf(Uint32Array.of(7))],
    packed = packVoxels(works);
  expect(packed).toEqual(works);
  expect(packed[0].work.voxels[0].buffer).toBe(packed[2].work.voxels[0].buffer);
  expect(packed[0].work.voxels[0].buffer.byteLength).toBe(16);
});

test('values of every width share memory, and errors stay', () => {
  const error = { name: 'DecodeError', code: 'TRUNCATED', message: 'cut' };
  const results = [
    { values: [Uint8Array.of(1, 2, 3), error, Uint16Array.of(4)] },
    { values: [], error },
    { values: [Uint32Array.of(5, 6)], bytes: Uint8Array.of(7) },
  ] as unknown as ChunkWorkResult[];
  const packed = packValues(results);
  expect(packed).toEqual(results);
  expect(packed[2].bytes).toBe(results[2].bytes);
  const [first] = packed[0].values as Uint8Array[];
  expect((packed[2].values[0] as Uint32Array).buffer).toBe(first.buffer);
  expect(first.buffer.byteLength).toBe(24);
});
