/**
 * A watershed whose supervoxels can split, as a server of version 3 keeps it: a copy of the volume in OCDBT that
 * all graphs share, and a fork of it for one graph, which gets the new voxels. The volume itself stays unsplit.
 * Source: PyChunkedGraph, branch pcgv3, graph/ocdbt.py and graph/edits_sv.py.
 */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { OcdbtDatabase, type OcdbtFiles } from './ocdbt-database.ts';
import { buildPrecomputed, type PrecomputedOptions } from '../volume/precomputed.ts';

/** How the volume is stored. */
export interface SplitVolumeOptions {
  /** The volume, with supervoxel IDs as labels. */
  volume: PrecomputedOptions & { labels: BigUint64Array<ArrayBuffer> };
  /** Name of the graph, and of its fork. */
  table: string;
  /**
   * Whether the graph has a fork with all scales. Earlier servers wrote to the shared copy, which had only the
   * finest scale.
   */
  hasFork: boolean;
  /** When the copy was made, in ms since 1970. */
  createdMs: number;
}

/** Where the part that a voxel belongs to comes from: 0 for the first part, 1 for the second and so on. */
export type PartOf = (x: number, y: number, z: number) => number;

/** The voxels and faces of a supervoxel that is to be split. */
export interface SupervoxelParts {
  /** How many parts there are: at least two. */
  count: number;
  /** The part that has the most faces in common with another supervoxel; 0 without a face. */
  partBeside: (other: bigint) => number;
  /** Writes the IDs of the parts into the voxels. @returns The new files of the bucket. */
  write: (ids: readonly bigint[], commitMs: number) => OcdbtFiles;
}

/** The volume in OCDBT, and its voxels as they are now. */
export class SplitVolume {
  readonly #options: SplitVolumeOptions;
  readonly #labels: BigUint64Array<ArrayBuffer>;
  readonly #database: OcdbtDatabase;
  /** The folder of the manifest that the graph reads, and of its data files. */
  readonly #folder: string;
  #stored: Record<string, Uint8Array>;
  /** All files of the bucket that belong to OCDBT, at first. */
  readonly files: OcdbtFiles;

  constructor(options: SplitVolumeOptions) {
    const { table, hasFork, createdMs, volume } = options;
    this.#options = options;
    this.#labels = volume.labels.slice();
    this.#stored = this.#build();
    const base = new OcdbtDatabase();
    const files = base.commit(new Map(Object.entries(this.#stored)), createdMs);
    this.files = inFolder(BASE, files);
    this.#folder = hasFork ? `ocdbt/${table}/` : BASE;
    this.#database = hasFork ? base.fork(`${table}_d/`) : base;
    if (hasFork) this.files[`${this.#folder}manifest.ocdbt`] = files['manifest.ocdbt'];
  }

  /** The newest generation of the graph's voxels. */
  get generation(): number {
    return this.#database.generation;
  }

  /**
   * The members that the server adds to `graph` in its info.
   * @param dataDir The path of the volume.
   */
  infoMembers(dataDir: string): Record<string, unknown> {
    const { table, hasFork } = this.#options,
      own = `${table}_d/`;
    if (!hasFork) return { ocdbt_seg: true, ocdbt_path: BASE.replace(/\/$/, '') };
    return {
      ocdbt_seg: true,
      ocdbt_kvstore_spec: {
        driver: 'ocdbt',
        base: {
          driver: 'kvstack',
          layers: [
            { base: `${dataDir}/${BASE}` },
            { exact: 'manifest.ocdbt', base: `${dataDir}/${this.#folder}manifest.ocdbt` },
            { prefix: own, base: `${dataDir}/${this.#folder}${own}` },
          ],
        },
        value_data_prefix: own,
        btree_node_data_prefix: own,
        version_tree_node_data_prefix: own,
      },
    };
  }

  /** The supervoxel at a voxel now; 0n on background and outside. */
  labelAt(voxel: Vec3): bigint {
    const at = this.#indexOf(voxel);
    return at < 0 ? 0n : this.#labels[at];
  }

  /** Finds the parts of a supervoxel. @throws RangeError for less than two parts. */
  parts(id: bigint, partOf: PartOf): SupervoxelParts {
    const { size, voxelOffset = [0, 0, 0] } = this.#options.volume,
      [sx, sy] = size;
    const partAt = new Map<number, number>(),
      faces = new Map<bigint, Map<number, number>>();
    this.#labels.forEach((label, at) => {
      if (label !== id) return;
      const xyz = [at % sx, Math.floor(at / sx) % sy, Math.floor(at / (sx * sy))],
        [x, y, z] = xyz.map((v, axis) => v + voxelOffset[axis]);
      const part = partOf(x, y, z);
      partAt.set(at, part);
      for (const [dx, dy, dz] of FACES) {
        const other = this.labelAt([x + dx, y + dy, z + dz]);
        if (other === 0n || other === id) continue;
        const counts = faces.get(other) ?? new Map<number, number>();
        faces.set(other, counts.set(part, (counts.get(part) ?? 0) + 1));
      }
    });
    const numbers = [...new Set(partAt.values())].sort((a, b) => a - b);
    if (numbers.length < 2)
      throw new RangeError(`supervoxel ${id} has ${numbers.length} part, which is no split`);
    return {
      count: numbers.length,
      partBeside: (other) => {
        const counts = [...(faces.get(other) ?? [[numbers[0], 0] as const])];
        const [part] = counts.reduce((best, own) =>
          own[1] > best[1] || (own[1] === best[1] && own[0] < best[0]) ? own : best,
        );
        return numbers.indexOf(part);
      },
      write: (ids, commitMs) => {
        for (const [at, part] of partAt) this.#labels[at] = ids[numbers.indexOf(part)];
        return this.#commit(commitMs);
      },
    };
  }

  /** Writes the chunks that have changed. */
  #commit(commitMs: number): OcdbtFiles {
    const before = this.#stored;
    this.#stored = this.#build();
    const changes = Object.entries(this.#stored).filter(
      ([key, bytes]) => Buffer.compare(bytes, before[key] ?? new Uint8Array(0)) !== 0,
    );
    return inFolder(this.#folder, this.#database.commit(new Map(changes), commitMs));
  }

  /** The volume as it is in OCDBT: without compression of objects, and without shards. */
  #build(): Record<string, Uint8Array> {
    const { volume, hasFork } = this.#options;
    const { files } = buildPrecomputed({
      ...volume,
      labels: this.#labels,
      bitstream: 'none',
      sharding: false,
      mips: hasFork ? volume.mips : 1,
    });
    return Object.fromEntries(Object.entries(files).map(([key, { bytes }]) => [key, bytes]));
  }

  #indexOf(voxel: Vec3): number {
    const { size, voxelOffset = [0, 0, 0] } = this.#options.volume,
      [x, y, z] = voxel.map((v, axis) => v - voxelOffset[axis]);
    const isInside = [x, y, z].every((v, axis) => v >= 0 && v < size[axis]);
    return isInside ? x + size[0] * (y + size[1] * z) : -1;
  }
}

const BASE = 'ocdbt/base/';
const FACES = [
  [1, 0, 0],
  [-1, 0, 0],
  [0, 1, 0],
  [0, -1, 0],
  [0, 0, 1],
  [0, 0, -1],
] as const;

const inFolder = (folder: string, files: OcdbtFiles): OcdbtFiles =>
  Object.fromEntries(Object.entries(files).map(([key, bytes]) => [folder + key, bytes]));
