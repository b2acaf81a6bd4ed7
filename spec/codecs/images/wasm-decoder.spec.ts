import { beforeAll, describe, expect, test } from '@jest/globals';
import { WasmDecoder } from '../../../lib/codecs/images/wasm-decoder.ts';

interface Turbo {
  JPEGDecoder: new () => { getEncodedBuffer: (bytes: number) => Uint8Array };
  HEAPU8: Uint8Array;
}
const FILES = {
  script: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
  wasm: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm',
};
const decoder = new WasmDecoder<Turbo>(FILES);
const take = (values: number, bytes: number): number =>
  decoder.run(values, ({ JPEGDecoder }) => new JPEGDecoder().getEncodedBuffer(bytes).length);

beforeAll(() => decoder.load());

describe('WasmDecoder', () => {
  test('cannot be used before it is loaded', () => {
    expect(() => new WasmDecoder<Turbo>(FILES).run(1, () => 1)).toThrow(TypeError);
  });

  test('lets a decoder take memory for the image at hand, and no more', () => {
    expect(() => take(1000, 9e7)).toThrow(); // a C++ exception, which is a number, or an abort
    expect(take(1e6, 9e7)).toBe(9e7);
    expect(() => take(1000, 9e7)).toThrow();
  });

  test('does not keep an instance of much memory', () => {
    const heapOf = (): number => decoder.run(1, ({ HEAPU8 }) => HEAPU8.length);
    const usual = heapOf();
    expect(take(2e6, 1.5e8)).toBe(1.5e8);
    expect(heapOf()).toBe(usual);
  });

  test('tries again after an import that failed', async () => {
    const missing = new WasmDecoder<Turbo>({ ...FILES, script: 'no-such-package/decode' });
    await expect(missing.load()).rejects.toThrow(/no-such-package/);
    await expect(missing.load()).rejects.toThrow(/no-such-package/);
  });
});
