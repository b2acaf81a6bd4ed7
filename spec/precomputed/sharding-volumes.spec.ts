/**
 * Finds the bytes of a voxel's chunk in shards that CloudVolume and TensorStore wrote. Files are read whole,
 * with `fs`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { compressedMortonCodes } from '../../lib/precomputed/morton.ts';
import {
  decodeMinishardIndex,
  findChunk,
  minishardIndexRange,
  shardIndexBytes,
} from '../../lib/precomputed/shard-index.ts';
import {
  locateChunks,
  parseSharding,
  shardFileName,
  type ShardingSpec,
} from '../../lib/precomputed/sharding.ts';
import type { ByteRange } from '../../lib/storage/store.ts';
import { fixtureVolumes, loadFixture, type Fixture } from '../../testing/fixtures.ts';
import { fullDecodeCseg, fullDecodeRaw, type ValueOrCode } from '../support/full-decode.ts';
import {
  naiveLocation,
  naiveMinishard,
  naiveMinishardRange,
  naiveMorton,
  type Triple,
} from './sharding-naive.ts';

interface Place extends ByteRange {
  file: string;
}

const inflated = (bytes: Uint8Array, encoding: 'raw' | 'gzip'): Uint8Array =>
  encoding === 'gzip' ? gunzipSync(bytes) : bytes;

class Shards {
  readonly shape: Triple;
  readonly spec: ShardingSpec;
  readonly #scale: Fixture['info']['scales'][number];

  constructor(
    readonly fixture: Fixture,
    mip: number,
  ) {
    this.#scale = fixture.info.scales[mip];
    const {
      size,
      chunk_sizes: [chunk],
      sharding,
    } = this.#scale;
    this.shape = [
      Math.ceil(size[0] / chunk[0]),
      Math.ceil(size[1] / chunk[1]),
      Math.ceil(size[2] / chunk[2]),
    ];
    this.spec = parseSharding(sharding, `scales[${mip}]`);
  }

  files(): string[] {
    return readdirSync(join(this.fixture.folder, this.#scale.key));
  }

  read(file: string): Uint8Array | undefined {
    const path = join(this.fixture.folder, this.#scale.key, file);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  cells(): Triple[] {
    const [nx, ny, nz] = this.shape;
    return Array.from({ length: nx * ny * nz }, (_, i) => [
      i % nx,
      Math.floor(i / nx) % ny,
      Math.floor(i / nx / ny),
    ]);
  }

  cellOf(voxel: Triple): { cell: Triple; inChunk: Triple } {
    const {
      voxel_offset: offset,
      chunk_sizes: [chunk],
    } = this.#scale;
    const at = voxel.map((v, axis) => v - offset[axis]);
    return {
      cell: at.map((v, axis) => Math.floor(v / chunk[axis])) as unknown as Triple,
      inChunk: at.map((v, axis) => v % chunk[axis]) as unknown as Triple,
    };
  }

  chunkSize(cell: Triple): [number, number, number] {
    const {
      size,
      chunk_sizes: [chunk],
    } = this.#scale;
    return [0, 1, 2].map((axis) => Math.min(chunk[axis], size[axis] - cell[axis] * chunk[axis])) as [
      number,
      number,
      number,
    ];
  }

  /** Locates chunks with the code under test. */
  places(cells: readonly Triple[]): (Place | undefined)[] {
    const { spec } = this;
    const ids = compressedMortonCodes(this.shape, Uint32Array.from(cells.flat()));
    const { shards, minishards } = locateChunks(spec, ids);
    return cells.map((_, k) => {
      const file = shardFileName(spec, shards[2 * k], shards[2 * k + 1]);
      const shard = this.read(file);
      const range =
        shard && minishardIndexRange(shard.subarray(0, shardIndexBytes(spec)), spec, minishards[k]);
      if (!range) return undefined;
      const index = decodeMinishardIndex(
        inflated(shard.subarray(range.start, range.end), spec.minishardIndexEncoding),
        spec,
        minishards[k],
      );
      const chunk = findChunk(index, ids[2 * k], ids[2 * k + 1]);
      return chunk && { file, ...chunk };
    });
  }

  /** Locates a chunk with the naive implementation. */
  naivePlace(cell: Triple): Place | undefined {
    const id = naiveMorton(cell, this.shape);
    const { file, minishard } = naiveLocation(this.spec, id);
    const shard = this.read(file);
    const range = shard && naiveMinishardRange(shard, this.spec, Number(minishard));
    if (!range) return undefined;
    if (typeof range === 'string') throw new Error(range);
    const chunks = naiveMinishard(
      inflated(shard.subarray(Number(range[0]), Number(range[1])), this.spec.minishardIndexEncoding),
      this.spec,
    );
    if (typeof chunks === 'string') throw new Error(chunks);
    const chunk = chunks.get(id);
    return chunk && { file, start: Number(chunk[0]), end: Number(chunk[1]) };
  }

  chunkBytes({ file, start, end }: Place): Uint8Array {
    return inflated(this.read(file)!.subarray(start, end), this.spec.dataEncoding);
  }

  /** Returns all values of a chunk, x fastest; undefined for encodings that this spec does not decode. */
  values(bytes: Uint8Array, chunkSize: [number, number, number]): ValueOrCode[] | undefined {
    const { data_type: dataType, num_channels: channels } = this.fixture.info;
    if (this.#scale.encoding === 'raw') return fullDecodeRaw(bytes, 8);
    if (this.#scale.encoding !== 'compressed_segmentation') return undefined;
    return fullDecodeCseg(bytes, {
      chunkSize,
      channels,
      dataType,
      blockSize: this.#scale.compressed_segmentation_block_size,
    });
  }

  /** Counts the chunks that all minishards of all files list. */
  listed(): number {
    let count = 0;
    for (const file of this.files())
      for (let minishard = 0; minishard < 2 ** this.spec.minishardBits; minishard++) {
        const shard = this.read(file)!;
        const range = minishardIndexRange(shard, this.spec, minishard);
        if (range)
          count += decodeMinishardIndex(
            inflated(shard.subarray(range.start, range.end), this.spec.minishardIndexEncoding),
            this.spec,
            minishard,
          ).starts.length;
      }
    return count;
  }
}

/**
 * Reads the shape in a chunk's own header: crackle (u32 from byte 7), compresso (u16 from byte 6), jpeg (height and
 * width in the frame header; an image has the width of the chunk, and its slices are below each other).
 */
function shapeInHeader(bytes: Uint8Array, [, , depth]: readonly number[]): number[] | undefined {
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (magic === 'crkl') return [7, 11, 15].map((at) => view.getUint32(at, true));
  if (magic === 'cpso') return [6, 8, 10].map((at) => view.getUint16(at, true));
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('ffc0', 'hex');
  if (view.getUint16(0) === 0xffd8 && frame > 0)
    return [view.getUint16(frame + 7), view.getUint16(frame + 5) / depth, depth];
  return undefined;
}

const volumes = fixtureVolumes({ sharded: true }).flatMap(({ name }) =>
  loadFixture(name).scales.map(({ mip }) => ({ name, mip })),
);

describe.each(volumes)('sharded volume $name, mip $mip', ({ name, mip }) => {
  const fixture = loadFixture(name);
  const shards = new Shards(fixture, mip);
  const cells = shards.cells();
  const places = new Map(shards.places(cells).map((place, i) => [cells[i].join(), place]));
  const stored = cells.filter((cell) => places.get(cell.join()));

  test('has every chunk where the naive implementation finds it', () => {
    expect(cells.map((cell) => places.get(cell.join()))).toEqual(
      cells.map((cell) => shards.naivePlace(cell)),
    );
  });

  test('has every chunk that its shards list, each once', () => {
    expect(stored.length).toBe(shards.listed());
    expect(new Set(stored.map((cell) => JSON.stringify(places.get(cell.join())))).size).toBe(stored.length);
  });

  test('gives the value of each expected point, or a missing chunk', () => {
    const { points, values, missingChunk } = fixture.scales[mip];
    const decoded = new Map<string, ValueOrCode[] | undefined>();
    let compared = 0;
    for (const [i, value] of values.entries()) {
      if (value === null) continue; // out of bounds
      const {
        cell,
        inChunk: [x, y, z],
      } = shards.cellOf(points[i]);
      const place = places.get(cell.join());
      expect(place === undefined).toBe(missingChunk.has(i));
      if (!place) continue;
      const chunkSize = shards.chunkSize(cell);
      const bytes = shards.chunkBytes(place);
      // A chunk of several channels is only known by the letters that it begins with.
      if (typeof value !== 'string') {
        expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('zfpc');
        compared++;
        continue;
      }
      const shape = shapeInHeader(bytes, chunkSize);
      if (!decoded.has(cell.join())) decoded.set(cell.join(), shards.values(bytes, chunkSize));
      const chunk = decoded.get(cell.join());
      // For encodings that this spec cannot decode, the shape in the header is compared, also at clipped
      // edges.
      expect(chunk ? chunk[x + chunkSize[0] * (y + chunkSize[1] * z)] : shape).toEqual(
        chunk ? BigInt(value) : chunkSize,
      );
      compared++;
    }
    expect(compared).toBeGreaterThan(50);
  });
});

test('a volume with missing chunks has a missing shard, and chunks that its minishards do not list', () => {
  const shards = new Shards(loadFixture('shard_cseg_u64_missing'), 0);
  const cells = shards.cells();
  const { shards: numbers } = locateChunks(
    shards.spec,
    compressedMortonCodes(shards.shape, Uint32Array.from(cells.flat())),
  );
  const why = shards.places(cells).map((place, k) => {
    if (place) return 'stored';
    return shards.read(shardFileName(shards.spec, numbers[2 * k], numbers[2 * k + 1]))
      ? 'not listed'
      : 'no shard';
  });
  expect([...new Set(why)].sort()).toEqual(['no shard', 'not listed', 'stored']);
});
