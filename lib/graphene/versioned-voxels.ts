/**
 * The voxels of a graph whose supervoxels can split, version by version. Each call reads the newest version, unless
 * the volume was opened with another one. A version has a reader of its own, so that no cache mixes versions.
 *
 * Memory: the readers of two versions, each with its memory cache, and those of calls that began before.
 */
import { leaveOnAbort } from '../base/abort.ts';
import { InfoError } from '../base/errors.ts';
import type { OcdbtStore } from '../ocdbt/ocdbt-store.ts';
import type { PointReader } from '../points/point-reader.ts';

/** The voxels of one version. */
export interface VoxelVersion {
  reader: PointReader;
  /** The number of the version. */
  generation: number;
}

/** What the voxels are read with. */
export interface VersionedVoxelsParts {
  store: OcdbtStore;
  /** Reads the version of `store`. */
  reader: PointReader;
  /** The mips of the scales that are in the database. */
  mips: ReadonlySet<number>;
  /** Whether only the version of `store` is read. */
  isPinned: boolean;
  createReader: (store: OcdbtStore) => PointReader;
  /** Aborted when the volume is closed. */
  life: AbortSignal;
}

/** The voxels of one volume. */
export class VersionedVoxels {
  readonly #parts: VersionedVoxelsParts;
  #store: OcdbtStore;
  #version: VoxelVersion;
  #former: VoxelVersion | undefined;
  /** The check of this turn of the event loop, which its calls share. */
  #check: Promise<VoxelVersion> | undefined;
  #checks = 0;
  #applied = 0;

  constructor(parts: VersionedVoxelsParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#version = { reader: parts.reader, generation: parts.store.generation };
  }

  /** The version that was read last, without a request. */
  get version(): VoxelVersion {
    return this.#version;
  }

  get isPinned(): boolean {
    return this.#parts.isPinned;
  }

  /** @throws InfoError UNSUPPORTED for a scale that is not in the database: its voxels are older than the graph. */
  requireStored(mip: number): void {
    const { mips } = this.#parts;
    if (!mips.has(mip))
      throw new InfoError(
        'UNSUPPORTED',
        `mip ${mip} is not in ${this.#store.url}: its voxels show supervoxels as they were before any of them was split; stored are mip ${[...mips].join(', ') || 'none'}`,
        this.#store.url,
      );
  }

  /**
   * Returns the newest version at the time of the call, or the one that the volume was opened with. Calls of one
   * turn of the event loop share a request.
   * @throws RequestError; InfoError; `signal.reason`, for this caller alone.
   */
  async current(signal?: AbortSignal): Promise<VoxelVersion> {
    if (this.#parts.isPinned) return this.#version;
    if (!this.#check) {
      const check = this.#find();
      check.catch(() => undefined); // each caller gets the error itself
      this.#check = check;
      setImmediate(() => (this.#check = undefined));
    }
    return leaveOnAbort(this.#check, signal, () => undefined);
  }

  /** Resolves when all that was read has been saved. */
  async whenSaved(): Promise<void> {
    await Promise.all([this.#version.reader.whenSaved(), this.#former?.reader.whenSaved()]);
  }

  async #find(): Promise<VoxelVersion> {
    const check = ++this.#checks,
      store = await this.#store.at(undefined, { signal: this.#parts.life });
    if (check < this.#applied) return this.#version; // a later check was answered before
    this.#applied = check;
    if (store !== this.#store) {
      this.#store = store;
      this.#former = this.#version;
      this.#version = { reader: this.#parts.createReader(store), generation: store.generation };
    }
    return this.#version;
  }
}
