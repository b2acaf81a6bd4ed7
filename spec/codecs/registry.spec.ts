import { describe, expect, test } from '@jest/globals';
import { codecFor, READABLE_ENCODINGS, requireCodec } from '../../lib/codecs/registry.ts';
import '../support/load-codecs.ts';

describe('the registry of codecs', () => {
  test.each(READABLE_ENCODINGS.map((encoding) => ({ encoding })))(
    'has $encoding, in upper or lower case',
    ({ encoding }) => {
      expect(codecFor(encoding)?.encoding).toBe(encoding);
      expect(codecFor(encoding.toUpperCase())?.encoding).toBe(encoding);
    },
  );

  test('has raw and compressed_segmentation', () =>
    expect(READABLE_ENCODINGS).toEqual(expect.arrayContaining(['raw', 'compressed_segmentation'])));

  test.each(['npz', 'npz_uint8', 'constructor', '__proto__', ''])(
    'refuses %j by name and lists the supported encodings',
    (encoding) => {
      expect(codecFor(encoding)).toBeUndefined();
      expect(() => requireCodec(encoding, 'uint8', { url: 'https://host/volume/info' })).toThrow(
        expect.objectContaining({
          name: 'InfoError',
          code: 'UNSUPPORTED',
          url: 'https://host/volume/info',
          message: `encoding "${encoding}" of https://host/volume/info is not supported; supported: ${READABLE_ENCODINGS.join(', ')}`,
        }),
      );
    },
  );

  test.each(['uint8', 'uint16', 'int32', 'int64', 'float32'] as const)(
    'refuses compressed_segmentation of %s',
    (dataType) => {
      expect(() => requireCodec('compressed_segmentation', dataType)).toThrow(
        expect.objectContaining({
          name: 'InfoError',
          code: 'BAD_INFO',
          message: `encoding compressed_segmentation cannot hold ${dataType}; it holds uint32, uint64`,
        }),
      );
    },
  );

  test('refuses a number of channels that the encoding cannot hold', () => {
    expect(() => requireCodec('png', 'uint8', { channels: 5 })).toThrow(
      expect.objectContaining({
        name: 'InfoError',
        code: 'BAD_INFO',
        message: 'encoding png cannot hold 5 channels; it holds 1, 2, 3, 4',
      }),
    );
    expect(requireCodec('raw', 'uint8', { channels: 5 }).encoding).toBe('raw');
  });

  test('returns the codec if encoding and data type fit', () =>
    expect(requireCodec('raw', 'float64').encoding).toBe('raw'));
});
