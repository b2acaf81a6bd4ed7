/**
 * What is seen of one version of an OCDBT database. The code that reads databases is loaded when the first one is
 * opened: most volumes are in none.
 */
import type { ObjectSource } from '../chunks/chunk-source.ts';
import type { UnshardedSourceOptions } from '../chunks/unsharded-source.ts';
import type { Store } from '../storage/store.ts';
import type { OcdbtVersion } from './format/version-spec.ts';
import type { SliceOptions } from './read-slice.ts';

/** Marks the stores of databases. */
export const OCDBT_MARK = Symbol('ocdbt');

/** An unsharded scale in a database, and how its chunks are decoded. */
export type OcdbtSourceOptions = Pick<UnshardedSourceOptions, 'scale' | 'codec' | 'layoutOf'>;

/** One version of a database, as a store: a key that is not stored is `undefined`. */
export interface OcdbtStore extends Store {
  readonly [OCDBT_MARK]: true;
  /** The number of the commit that is read. */
  readonly generation: number;
  /** When it was committed, in ns since 1970. */
  readonly commitTimeNs: bigint;
  /** When it was committed, as ISO text with up to 9 decimals. */
  readonly commitTime: string;
  /** The newest commit when this version was opened. */
  readonly latestGeneration: number;
  /** The same version, with its keys below a folder of this store. */
  below(folder: string): OcdbtStore;
  /**
   * Opens another version of the same database; the manifest is read again. Nodes stay cached.
   * @param version The latest one, if undefined.
   * @returns This store, if it reads that version already.
   */
  at(version?: OcdbtVersion, options?: SliceOptions): Promise<OcdbtStore>;
  /** The chunks of a scale in this version: many are found together in the tree. */
  createSource(options: OcdbtSourceOptions): ObjectSource;
}

/** Whether a store is a version of a database. */
export const isOcdbtStore = (store: Store): store is OcdbtStore => OCDBT_MARK in store;
