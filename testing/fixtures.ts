/** The volumes below `spec/fixtures/volumes`, typed. What they hold and who wrote them: `spec/fixtures/README.md`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const VOLUMES_FOLDER = fileURLToPath(new URL('../spec/fixtures/volumes', import.meta.url));

type Triple = [number, number, number];

/** One line of `manifest.json`; the parts specs choose by. */
export interface FixtureEntry {
  name: string;
  exercises: string;
  encoding: 'raw' | 'compressed_segmentation' | 'compresso' | 'crackle';
  /** Bitstream around each chunk file: none, gzip, br, zstd or CloudVolume's default (gzip). */
  compress: string;
  sharding: object | null;
}

export interface FixtureInfo {
  type: 'segmentation' | 'image';
  data_type: 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'float32';
  num_channels: number;
  scales: {
    key: string;
    encoding: string;
    size: Triple;
    resolution: Triple;
    voxel_offset: Triple;
    chunk_sizes: Triple[];
    compressed_segmentation_block_size?: Triple;
    sharding?: object;
  }[];
}

export interface FixtureScale {
  mip: number;
  key: string;
  /** Voxels of this scale, absolute (the voxel offset counts). */
  points: Triple[];
  /** One a point: a decimal string, a list of them when there are several channels, null out of bounds. */
  values: (string | null | string[])[];
  /** Indices of points whose chunk is not stored; their value here is the background. */
  missingChunk: Set<number>;
  /** float32 only: the bit pattern of the first channel in hex, null out of bounds. */
  bits?: (string | null)[];
  /** Graphene volumes: root IDs at the one moment `graph` describes; `0` for background. */
  roots?: (string | null)[];
}

export interface FixtureGraph {
  /** The graph server's info; `{DATA_DIR}` stands for where the volume is served. */
  info: {
    data_dir: string;
    chunks_start_at_voxel_offset: boolean;
    graph: { chunk_size: Triple; cv_mip: number; n_layers: number };
  } & Record<string, unknown>;
  supervoxel_to_root: Record<string, string>;
}

export interface Fixture {
  name: string;
  /** Absolute path: a `file://` volume. */
  folder: string;
  info: FixtureInfo;
  scales: FixtureScale[];
  graph?: FixtureGraph;
  /** Points in another resolution than scale 0's: nm a unit, and the voxel each stands for. */
  coordResolution?: { resolution: Triple; queries: { point: Triple; voxel: Triple; value: string }[] };
}

interface Expected {
  scales: (Omit<FixtureScale, 'missingChunk'> & { missing_chunk: number[] })[];
  coord_resolution?: { coord_resolution: Triple; queries: { point: Triple; voxel: Triple; value: string }[] };
}

/** IDs are strings in all of these files, so JSON.parse rounds none. */
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const MANIFEST = readJson(join(VOLUMES_FOLDER, 'manifest.json')) as { volumes: FixtureEntry[] };

export interface FixtureFilter {
  encodings?: readonly string[];
  /** Start of the name, one of them: `seg_`, `img_raw_`, `graphene_`, `shard_`. */
  prefix?: string | readonly string[];
  sharded?: boolean;
}

/** Manifest lines that pass every part of the filter; throws when none does, so that no table of tests is empty. */
export function fixtureVolumes({ encodings, prefix, sharded }: FixtureFilter = {}): FixtureEntry[] {
  const prefixes = typeof prefix === 'string' ? [prefix] : prefix;
  const chosen = MANIFEST.volumes.filter(
    (volume) =>
      (encodings?.includes(volume.encoding) ?? true) &&
      (prefixes?.some((start) => volume.name.startsWith(start)) ?? true) &&
      (sharded === undefined || sharded === (volume.sharding !== null)),
  );
  if (chosen.length === 0)
    throw new Error(`no fixture matches ${JSON.stringify({ encodings, prefix, sharded })}`);
  return chosen;
}

export function loadFixture(name: string): Fixture {
  const folder = join(VOLUMES_FOLDER, name);
  const expected = readJson(join(folder, 'expected.json')) as Expected;
  const graphFile = join(folder, 'graph.json');
  const resolution = expected.coord_resolution;
  return {
    name,
    folder,
    info: readJson(join(folder, 'info')) as FixtureInfo,
    scales: expected.scales.map(({ mip, key, points, values, missing_chunk, bits, roots }) => ({
      mip,
      key,
      points,
      values,
      missingChunk: new Set(missing_chunk),
      bits,
      roots,
    })),
    graph: existsSync(graphFile) ? (readJson(graphFile) as FixtureGraph) : undefined,
    coordResolution: resolution && { resolution: resolution.coord_resolution, queries: resolution.queries },
  };
}
