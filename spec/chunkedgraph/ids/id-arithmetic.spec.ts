import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseGraphInfo } from '../../../lib/chunkedgraph/ids/graph-info.ts';
import { IdArithmetic } from '../../../lib/chunkedgraph/ids/id-arithmetic.ts';

type Triple = [number, number, number];

interface Recorded {
  info: { scales: { resolution: Triple; voxel_offset: Triple }[] };
  ids: { id: string; layer: number; position: Triple; segment: string; chunk: string }[];
  points: { atOffset: boolean; point: Triple; mip: number | null; chunk: Triple }[];
}

const {
  info,
  ids: recorded,
  points,
} = JSON.parse(
  readFileSync(new URL('../../fixtures/chunkedgraph/id-arithmetic.json', import.meta.url), 'utf8'),
) as Recorded;
const { resolution, voxel_offset: voxelOffset } = info.scales[1];

const arithmetic = (atOffset = true): IdArithmetic =>
  new IdArithmetic(
    parseGraphInfo({ ...info, chunks_start_at_voxel_offset: atOffset }, 'https://graph.example.org'),
    { voxelOffset, resolution },
  );
const ids = arithmetic(),
  all = BigUint64Array.from(recorded, ({ id }) => BigInt(id));

describe('IdArithmetic', () => {
  test('decodes single IDs like CloudVolume', () => {
    expect(recorded.length).toBeGreaterThan(50);
    for (const { id, layer, position, segment, chunk } of recorded) {
      const one = BigInt(id);
      expect({
        layer: ids.layerOf(one),
        position: ids.chunkPositionOf(one),
        segment: ids.segmentIdOf(one),
        chunk: ids.chunkIdOf(one),
      }).toEqual({ layer, position, segment: BigInt(segment), chunk: BigInt(chunk) });
      expect(ids.encode(layer, position, BigInt(segment))).toBe(one);
    }
  });

  test('decodes many IDs like CloudVolume, also in views of larger arrays', () => {
    const view = new BigUint64Array([7n, ...all, 7n]).subarray(1, all.length + 1);
    expect([...ids.layersOf(view)]).toEqual(recorded.map(({ layer }) => layer));
    expect([...ids.chunkPositionsOf(view)]).toEqual(recorded.flatMap(({ position }) => position));
    expect([...ids.segmentIdsOf(view)]).toEqual(recorded.map(({ segment }) => BigInt(segment)));
    expect([...ids.chunkIdsOf(view)]).toEqual(recorded.map(({ chunk }) => BigInt(chunk)));
    expect(view).toEqual(all);
  });

  test.each([true, false])(
    'finds the graph chunks of points like CloudVolume, counted from the voxel offset: %p',
    (atOffset) => {
      const own = arithmetic(atOffset),
        cases = points.filter((one) => one.atOffset === atOffset);
      expect(cases.length).toBe(180);
      for (const { point, mip, chunk } of cases)
        expect(
          own.chunkOfPoint(point, { resolution: mip === null ? [1, 1, 1] : info.scales[mip].resolution }),
        ).toEqual(chunk);
      const atMip = cases.filter(({ mip }) => mip === 1);
      expect([...own.chunksOfPoints(Float64Array.from(atMip.flatMap(({ point }) => point)))]).toEqual(
        atMip.flatMap(({ chunk }) => chunk),
      );
    },
  );

  test('halves a chunk position per layer, but not from layer 1 to 2', () => {
    for (const { id, layer, position } of recorded.filter(({ layer }) => layer < 6)) {
      const by = layer === 1 ? 1 : 2;
      expect(ids.parentChunkIdOf(BigInt(id))).toBe(
        ids.encode(
          layer + 1,
          position.map((at) => Math.floor(at / by)),
        ),
      );
    }
    const at = ids.encode(1, [1023, 6, 1], 5n);
    expect(ids.parentChunkIdOf(at, 5)).toBe(ids.encode(5, [127, 0, 0]));
    expect([...ids.parentChunkIdsOf(BigUint64Array.of(at, ids.encode(6, [0, 0, 0])))]).toEqual([
      ids.encode(2, [1023, 6, 1]),
      0n,
    ]);
    expect(
      ids.chunkOfPoint([voxelOffset[0] + 256 * 7, voxelOffset[1], voxelOffset[2] + 96 * 9 - 0.5], {
        layer: 4,
      }),
    ).toEqual([1, 0, 2]);
  });

  test('finds graph chunks exactly for decimal units', () => {
    const graph = parseGraphInfo(
      { ...info, graph: { ...(info as unknown as { graph: object }).graph, chunk_size: [125, 3, 3] } },
      'https://graph.example.org',
    );
    const fine = new IdArithmetic(graph, { voxelOffset: [0, 0, 0], resolution: [4.28, 1.1, 0.1] });
    expect(fine.chunkOfPoint([535, 3.3, 0.3], { resolution: [1, 1, 1] })).toEqual([1, 1, 1]);
    expect(fine.chunkOfPoint([534.9, 3.2, 0.29], { resolution: [1, 1, 1] })).toEqual([0, 0, 0]);
    expect(fine.chunkOfPoint([125 / 3, 1, 1], { resolution: [12.84, 3.3, 0.3] })).toEqual([0, 1, 1]);
  });

  test('uses the fan-out of the graph', () => {
    const wide = new IdArithmetic(
      parseGraphInfo(
        { ...info, graph: { ...(info as unknown as { graph: object }).graph, fan_out: 4 } },
        'https://graph.example.org',
      ),
      { voxelOffset, resolution },
    );
    expect(wide.chunkPositionOf(wide.parentChunkIdOf(wide.encode(2, [17, 8, 3])))).toEqual([4, 2, 0]);
  });

  const strange = 9n << 56n;
  test('gives the documented values for layers that the graph does not describe', () => {
    const list = BigUint64Array.of(strange);
    expect([...ids.layersOf(list), ...ids.chunkPositionsOf(list)]).toEqual([9, -1, -1, -1]);
    expect([ids.segmentIdsOf(list)[0], ids.chunkIdsOf(list)[0], ids.parentChunkIdsOf(list)[0]]).toEqual([
      0n,
      0n,
      0n,
    ]);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'an undescribed layer: position',
      () => ids.chunkPositionOf(strange),
      /layer 9, which the graph does not describe/,
    ],
    ['an undescribed layer: segment', () => ids.segmentIdOf(strange), /layer 9/],
    ['an undescribed layer: chunk', () => ids.chunkIdOf(strange), /layer 9/],
    ['a negative ID', () => ids.layerOf(-1n), /-1 is not a uint64/],
    ['an ID beyond 64 bits', () => ids.layerOf(1n << 64n), /is not a uint64/],
    [
      'the parent of a root',
      () => ids.parentChunkIdOf(6n << 56n),
      /no parent chunk at layer 7; the root layer is 6/,
    ],
    ['a parent below', () => ids.parentChunkIdOf(3n << 56n, 2), /no parent chunk at layer 2/],
    [
      'a position beyond its bits',
      () => ids.encode(1, [1024, 0, 0]),
      /the graph has no ID of layer 1 in chunk 1024, 0, 0/,
    ],
    ['a broken position', () => ids.encode(1, [0.5, 0, 0]), /no ID of layer 1/],
    ['a layer above the roots', () => ids.encode(7, [0, 0, 0]), /no ID of layer 7/],
    [
      'a segment that is too large',
      () => ids.encode(1, [0, 0, 0], 1n << 26n),
      /segment 67108864 does not fit/,
    ],
    ['a negative segment', () => ids.encode(1, [0, 0, 0], -1n), /segment -1 does not fit/],
    ['a point of two numbers', () => ids.chunkOfPoint([1, 2]), /three finite numbers/],
    ['a point with NaN', () => ids.chunkOfPoint([1, 2, NaN]), /three finite numbers/],
    [
      'a resolution of 0',
      () => ids.chunkOfPoint([1, 2, 3], { resolution: [0, 1, 1] }),
      /three positive numbers/,
    ],
    ['layer 0', () => ids.chunkOfPoint([1, 2, 3], { layer: 0 }), /from 1 to 6/],
    ['points that end early', () => ids.chunksOfPoints([1, 2]), /multiple of 3/],
  ])('refuses %s', (_name, call, message) => expect(call).toThrow(message));
});
