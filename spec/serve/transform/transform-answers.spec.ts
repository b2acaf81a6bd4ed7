import { describe, expect, test } from '@jest/globals';
import { runWithoutPause } from '../../../lib/base/cooperative-work.ts';
import { labelBytes, labelJson } from '../../../lib/serve/transform/transform-answers.ts';

describe('answers of the transform service', () => {
  test('are little-endian bytes of the type', () => {
    expect([...runWithoutPause(labelBytes(BigUint64Array.of(0x0102030405060708n), 'uint64'))]).toEqual([
      8, 7, 6, 5, 4, 3, 2, 1,
    ]);
    expect([...runWithoutPause(labelBytes(Uint32Array.of(0, 0x01020304).subarray(1), 'uint32'))]).toEqual([
      4, 3, 2, 1,
    ]);
    expect([...runWithoutPause(labelBytes(Uint8Array.of(7), 'uint8'))]).toEqual([7]);
  });

  test.each([Uint8Array.of(0, 255), Uint16Array.of(0, 255), Uint32Array.of(0, 255)])(
    'are widened to 8 bytes from %p',
    (labels) =>
      expect([...runWithoutPause(labelBytes(labels, 'uint64'))]).toEqual([
        ...Array<number>(8).fill(0),
        255,
        ...Array<number>(7).fill(0),
      ]),
  );

  test('are JSON with all digits', () => {
    const labels = BigUint64Array.of(0n, 79801454835332154n, 2n ** 64n - 1n);
    expect(String(runWithoutPause(labelJson(labels, { quote: true })))).toBe(
      '["0","79801454835332154","18446744073709551615"]',
    );
    expect(
      String(runWithoutPause(labelJson(labels, { quote: false, before: '{"values":[', after: ']}' }))),
    ).toBe('{"values":[[0,79801454835332154,18446744073709551615]]}');
    expect(String(runWithoutPause(labelJson(Uint32Array.of(4294967295), { quote: false })))).toBe(
      '[4294967295]',
    );
    expect(String(runWithoutPause(labelJson(new BigUint64Array(0), { quote: true })))).toBe('[]');
  });

  test('are complete when they are long', () => {
    const labels = BigUint64Array.from({ length: 40_000 }, (_, k) => 2n ** 63n + BigInt(k));
    expect(JSON.parse(String(runWithoutPause(labelJson(labels, { quote: true }))))).toEqual(
      Array.from(labels, String),
    );
  });
});
