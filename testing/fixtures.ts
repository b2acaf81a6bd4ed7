/**
 * Loads the volumes below `spec/fixtures/volumes`. `spec/fixtures/README.md` says what they hold and which
 * tools wrote them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const VOLUMES_FOLDER = fileURLToPath(new URL('../spec/fixtures/volumes', import.meta.url));

type Triple = [number, number, number];

/** One entry of `manifest.json`, with the members that specs choose by. */
export interface FixtureEntry {
  name: string;
  exercises: string;
  encoding: string;
  /** Whether the values are those that were written. */
  lossless: boolean;
  /** Compression of each chunk file: none, gzip, br, zstd or CloudVolume's default (gzip). */
  compress: string;
  sharding: object | null;
}

/** The info file of a volume. */
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

/** The points of one scale and the values that CloudVolume read there. */
export interface FixtureScale {
  mip: number;
  key: string;
  /** Points in voxels of this scale, counted from the origin of the volume (not from the voxel offset). */
  points: Triple[];
  /** One value per point: a decimal string, a list with several channels, null outside the bounds. */
  values: (string | null | string[])[];
  /** Indices of points whose chunk is not stored. Their value is background. */
  missingChunk: Set<number>;
  /** For float32: the bit pattern of the first channel in hex, null outside the bounds. */
  bits?: (string | null)[];
  /** For Graphene volumes: root IDs at the timestamp of `graph`; `0` for background. */
  roots?: (string | null)[];
}

/** The graph of a Graphene volume. */
export interface FixtureGraph {
  /** The graph server's info. `{DATA_DIR}` is replaced by the address of the volume. */
  info: {
    data_dir: string;
    chunks_start_at_voxel_offset: boolean;
    graph: { chunk_size: Triple; cv_mip: number; n_layers: number };
  } & Record<string, unknown>;
  supervoxel_to_root: Record<string, string>;
}

/** One volume with its expected values. */
export interface Fixture {
  name: string;
  /** Absolute path of the volume, for a `file://` address. */
  folder: string;
  info: FixtureInfo;
  scales: FixtureScale[];
  graph?: FixtureGraph;
  /** Points in a resolution other than that of scale 0 (nanometres per unit), with the voxel of each. */
  coordResolution?: { resolution: Triple; queries: { point: Triple; voxel: Triple; value: string }[] };
}

interface Expected {
  scales: (Omit<FixtureScale, 'missingChunk'> & { missing_chunk: number[] })[];
  coord_resolution?: { coord_resolution: Triple; queries: { point: Triple; voxel: Triple; value: string }[] };
}

/** Reads a JSON file. IDs are strings in all of these files, so JSON.parse does not round them. */
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const MANIFEST = readJson(join(VOLUMES_FOLDER, 'manifest.json')) as { volumes: FixtureEntry[] };

/** Selects volumes. Each member that is set must match. */
export interface FixtureFilter {
  encodings?: readonly string[];
  /** Start of the name, or several: `seg_`, `img_raw_`, `graphene_`, `shard_`. */
  prefix?: string | readonly string[];
  sharded?: boolean;
}

/**
 * The manifest entries that match a filter.
 * @throws Error if none matches, so that no table of tests is empty.
 */
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

/** Loads a volume by name. */
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
