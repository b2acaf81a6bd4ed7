import { describe, expect, jest, test } from '@jest/globals';
import { InfoError } from '../../lib/base/errors.ts';
import { rawCodec } from '../../lib/codecs/raw.ts';
import { checkDecoders, loadDecoders } from '../../lib/graphene/load-decoders.ts';
import { scaleAt, type Scale } from '../../lib/precomputed/volume-info.ts';

const URL = 'https://host/volume';
const scaleOf = (encoding: string, mip: number, error?: InfoError): Scale => ({
  mip,
  key: String(mip),
  resolution: [1, 1, 1],
  size: [1, 1, 1],
  voxelOffset: [0, 0, 0],
  chunkSize: [1, 1, 1],
  encoding,
  ...(error && { error }),
});
const cause = new Error("Cannot find package 'missing-package'");

function codecs() {
  const loads = { there: jest.fn(() => Promise.resolve()), unused: jest.fn(() => Promise.resolve()) };
  const known = {
    there: { ...rawCodec, encoding: 'there', packageName: 'a', load: loads.there },
    unused: { ...rawCodec, encoding: 'unused', packageName: 'b', load: loads.unused },
    missing: {
      ...rawCodec,
      encoding: 'missing',
      packageName: 'missing-package',
      load: () => Promise.reject(cause),
    },
    raw: rawCodec,
  };
  return { loads, find: (encoding: string) => known[encoding as keyof typeof known] };
}

describe('loadDecoders', () => {
  test('loads each decoder that a scale needs once, and no other', async () => {
    const { loads, find } = codecs(),
      scales = [scaleOf('there', 0), scaleOf('raw', 1), scaleOf('there', 2)];
    expect(await loadDecoders(scales, URL, find)).toEqual(scales);
    expect([loads.there.mock.calls.length, loads.unused.mock.calls.length]).toEqual([1, 0]);
  });

  test('gives an error to the scales whose package is missing, which names it; the others can be read', async () => {
    const own = new InfoError('BAD_INFO', 'no key', URL);
    const scales = await loadDecoders(
      [scaleOf('raw', 0), scaleOf('missing', 1), scaleOf('unknown', 2), scaleOf('missing', 3, own)],
      URL,
      codecs().find,
    );
    expect(scaleAt(scales, 0)).toEqual(scaleOf('raw', 0));
    expect(() => scaleAt(scales, 1)).toThrow(
      expect.objectContaining({
        name: 'InfoError',
        code: 'UNSUPPORTED',
        url: URL,
        message: `encoding missing of ${URL} needs the package missing-package, which could not be loaded; to install it: npm install missing-package`,
        cause,
      }),
    );
    expect(scaleAt(scales, 2)).toEqual(scaleOf('unknown', 2));
    expect(() => scaleAt(scales, 3)).toThrow(own);
  });
});

test('checkDecoders gives an error to scales whose encoding is not supported', async () => {
  const info = { type: 'image', dataType: 'uint16', numChannels: 2 } as const;
  const scales = await checkDecoders(
    { ...info, scales: [scaleOf('raw', 0), scaleOf('png', 1), scaleOf('jpeg', 2), scaleOf('npz', 3)] },
    URL,
  );
  expect(scales.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'BAD_INFO', 'UNSUPPORTED']);
});
