import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Vec3 } from '../../../lib/base/vec3.ts';
import { IdLayout } from '../../../lib/chunkedgraph/ids/id-layout.ts';

interface Recorded {
  layouts: {
    layerBits: number;
    spatialBits: Record<string, number>;
    ids: {
      id: string;
      layer: number;
      position: [number, number, number];
      chunk: string;
      segmentBits: number;
    }[];
  }[];
}

const { layouts } = JSON.parse(
  readFileSync(new URL('../../fixtures/chunkedgraph/id-layout.json', import.meta.url), 'utf8'),
) as Recorded;

const layoutOf = (layerBits: number, spatialBits: Record<string, number>): IdLayout =>
  new IdLayout({
    layerBits,
    spatialBits: new Map(Object.entries(spatialBits).map(([layer, bits]) => [Number(layer), bits])),
  });

const highOf = (id: bigint): number => Number(id >> 32n);
const joined = ({ low, high }: { low: number; high: number }): bigint => (BigInt(high) << 32n) | BigInt(low);

/** The formula in BigInt: layer | x | y | z | segment, from the top bit down. */
function naivePrefix(layerBits: number, bits: number, layer: number, [x, y, z]: Vec3): bigint {
  let id = BigInt(layer);
  for (const at of [x, y, z]) id = (id << BigInt(bits)) | BigInt(at);
  return id << BigInt(64 - layerBits - 3 * bits);
}

describe('IdLayout', () => {
  test.each(layouts)(
    'agrees with CloudVolume: $layerBits layer bits, spatial bits $spatialBits',
    ({ layerBits, spatialBits, ids }) => {
      const layout = layoutOf(layerBits, spatialBits);
      const wrong = ids.filter(({ id, layer, position, chunk, segmentBits }) => {
        const prefix = layout.chunkPrefix(layer, position),
          mask = joined(layout.prefixMask(layer));
        return !(
          layout.layerOf(highOf(BigInt(id))) === layer &&
          layout.segmentBits(layer) === segmentBits &&
          prefix !== undefined &&
          joined(prefix) === BigInt(chunk) &&
          (BigInt(id) & mask) === BigInt(chunk)
        );
      });
      expect(ids.length).toBeGreaterThan(8);
      expect(wrong).toEqual([]);
    },
  );

  test('agrees with its formula for every layout that fits into 64 bits', () => {
    const cases = fc
      .tuple(fc.integer({ min: 1, max: 32 }), fc.integer({ min: 0, max: 21 }))
      .filter(([layerBits, bits]) => layerBits + 3 * bits <= 64)
      .chain(([layerBits, bits]) => {
        const at = fc.nat(2 ** bits - 1);
        return fc.record({
          layerBits: fc.constant(layerBits),
          bits: fc.constant(bits),
          layer: fc.integer({ min: 0, max: 2 ** layerBits - 1 }),
          position: fc.tuple(at, at, at),
        });
      });
    fc.assert(
      fc.property(cases, ({ layerBits, bits, layer, position }) => {
        const layout = layoutOf(layerBits, { [layer]: bits });
        const prefix = joined(layout.chunkPrefix(layer, position)!);
        expect(prefix).toBe(naivePrefix(layerBits, bits, layer, position));
        expect(joined(layout.prefixMask(layer))).toBe(2n ** 64n - 2n ** BigInt(64 - layerBits - 3 * bits));
        expect(layout.layerOf(highOf(prefix))).toBe(layer);
      }),
      { seed: 4, numRuns: 1000 },
    );
  });

  test('gives layer 1 the layout of layer 2 if only layer 2 is described', () => {
    const layout = layoutOf(8, { 2: 10, 3: 9 });
    expect(layout.spatialBits(1)).toBe(10);
    expect(joined(layout.chunkPrefix(1, [1, 2, 3])!)).toBe(naivePrefix(8, 10, 1, [1, 2, 3]));
    expect(layout.spatialBits(4)).toBeUndefined();
  });

  test('prefers the description of layer 1', () =>
    expect(layoutOf(8, { 1: 12, 2: 10 }).spatialBits(1)).toBe(12));

  test.each<[name: string, layer: number, position: Vec3]>([
    ['a layer the graph does not describe', 5, [0, 0, 0]],
    ['a position beyond its bits, x', 1, [1024, 0, 0]],
    ['a position beyond its bits, z', 1, [0, 0, 1024]],
    ['a negative position', 1, [0, -1, 0]],
    ['no position', 1, [NaN, 0, 0]],
    ['bits that leave no room', 3, [0, 0, 0]],
  ])('has no prefix for %s', (_name, layer, position) =>
    expect(layoutOf(8, { 1: 10, 3: 20 }).chunkPrefix(layer, position)).toBeUndefined(),
  );
});
