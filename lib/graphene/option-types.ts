/** What can be asked for when a volume is opened or read; `opening-options.ts` and `reading-options.ts` check it. */
import type { Logger } from '../base/logger.ts';
import type { VolumeEvent } from '../base/volume-events.ts';
import type { Pace } from '../failures/pace.ts';
import type { LruEncoding, Revalidation } from '../chunks/cache-options.ts';
import type { Timestamp } from '../chunkedgraph/ids/timestamp.ts';
import type { Progress } from '../points/point-reader.ts';
import type { StorageOptions } from '../storage/bucket-options.ts';
import type { Store } from '../storage/store.ts';
import type { OcdbtChoice } from './ocdbt.ts';
import type { RootCacheSettings } from './volume-root-cache.ts';

/** Nanometres per unit of coordinates, xyz; or those of the datastack's viewer. */
export type Resolution = readonly number[] | 'viewer';

export interface OpenOptions {
  /** Nanometres per unit of all coordinates given to this volume. @default voxels of mip 0 */
  resolution?: readonly number[];
  /** Scale to read, 0 the finest. @default 0; a chunkedgraph's own `cv_mip` */
  mip?: number;
  /** Bytes of encoded chunks kept in memory. @default 0 */
  lruBytes?: number;
  /**
   * How they are kept: `same`, or `compressed_segmentation` for raw chunks of uint32 or uint64, where that is smaller. Any other
   * encoding is kept as it is.
   * @default 'same'
   */
  lruEncoding?: LruEncoding;
  /**
   * Where few points are in a large raw chunk that is stored without compression, also in a shard, only the bytes that hold their values
   * are read, if that is less work. false reads whole chunks. No part is read when chunks are kept (`lruBytes`) or points snap.
   * @default true
   */
  rangeReads?: boolean;
  /**
   * Folder in which chunks and shard indices are kept between processes, any number of which may share it; made with mode 0700. Volumes
   * in files or in memory are not kept, nor those in a store of your own, unless it has an `identity()`.
   * @default none
   */
  cacheDir?: string;
  /** What all volumes in `cacheDir` may take together, in bytes; what was used least recently goes first. @default 10 GiB */
  cacheBytes?: number;
  /**
   * What is asked before a kept chunk is used: nothing (`never`), whether the volume's info is still the same (`info`), or whether the
   * object it came from is (`always`, a small request each).
   * @default 'info'
   */
  revalidate?: Revalidation;
  /** Chunks in flight at once. @default 32 */
  concurrency?: number;
  /** Credentials, or a store of your own. */
  storage?: StorageOptions | Store;
  /** Tries after the first for what may pass: 408, 429, 5xx, broken connections. @default 4 */
  retries?: number;
  /** @default 10_000 */
  connectTimeoutMs?: number;
  /** Longest silence of a storage server. @default 30_000 */
  idleTimeoutMs?: number;
  /** At what pace servers are asked, and what is learnt of how much each can take. @default one for all volumes of the process */
  pace?: Pace;
  /** Most that the opening may take, and each call that does not say otherwise, in ms; of `volume.graph` too, but for edits, which only a deadline of their own ends. See {@link ReadPointsOptions.timeoutMs}. @default no limit */
  timeoutMs?: number;
  /** Ends the opening. */
  signal?: AbortSignal;
  /** @default warnings go to `console.warn` */
  logger?: Logger;
  /**
   * Told of each chunk read, request for roots, batch of root look-ups and retry, with times and bytes; it must be quick. What it throws is
   * a warning.
   */
  onEvent?: (event: VolumeEvent) => unknown;
}

export interface OpenGrapheneOptions extends Omit<OpenOptions, 'resolution'> {
  /** Nanometres per unit of all coordinates given to this volume; `'viewer'`: as the datastack's viewer shows them. @default voxels of mip 0 */
  resolution?: Resolution;
  /** Of a datastack: the server that knows it, `https://HOST[:PORT]`. @default the one CAVEclient remembers for it, else https://global.daf-apis.com */
  server?: string;
  /** The token of the graph server, and of the servers of a datastack; null sends none. @default CAVE_TOKEN, then CAVEclient's and CloudVolume's files */
  token?: string | null;
  /** The server that makes the tokens: its file is looked into after that of the host asked. @default of a datastack, the server that knows it */
  authServer?: string;
  /** Where the watershed is: anything `openPrecomputed` takes. @default where the graph server says */
  dataDir?: string;
  /**
   * Of a graph whose supervoxels can split (`ocdbt_seg` in its info): `'ignore'` opens it with a warning, as if none had. Supervoxels
   * that were split, and their roots, are then old ones.
   * @default an error, InfoError UNSUPPORTED
   */
  ocdbt?: OcdbtChoice;
  /**
   * Moment of all root look-ups; `'settled'`: each call's newest whose answers are final, see `settleMs`; of a datastack `'mat_943'`, a
   * materialization, or `'mat'`, the newest when the volume was opened.
   * @default each call's own now
   */
  timestamp?: Timestamp;
  /** Whether `graph.merge`, `split`, `undo` and `redo` may change the graph. @default false */
  allowEdits?: boolean;
  /** Marks supervoxels that do not belong to the graph chunk of their point as `suspect`. @default true */
  checkSupervoxels?: boolean;
  /** Most IDs in one root request; fewer where the server turns out to want fewer. @default 100_000 */
  rootBatchSize?: number;
  /** Most bytes of IDs in one root request, before they are packed. @default 8 MiB */
  rootBatchBytes?: number;
  /** Root requests at once. @default 4 */
  rootConcurrency?: number;
  /** Longest silence of the graph server during a root look-up. @default 600_000 */
  rootTimeoutMs?: number;
  /** How long root look-ups wait for others to share their requests, in ms; 0: one turn of the event loop. @default 0 */
  batchWindowMs?: number;
  /** Requests a second to the graph server's host, of all volumes opened with the same limit. @default no limit */
  rateLimit?: number;
  /** How old a moment must be for its roots to be final, in ms: edits appear that much after their own timestamp at most. @default 180_000 */
  settleMs?: number;
  /**
   * Keeps which roots supervoxels were found under, so that at a settled moment nothing is asked twice, and from one moment to a later one
   * only what changed. Nothing is noticed of a server whose past was repaired, for as long as `maxAgeMs`.
   * @default false
   */
  rootCache?: boolean | RootCacheSettings;
}

export interface SnapOptions {
  radiusNm: number;
}

export interface ReadPointsOptions {
  /** Nanometres per unit of the given coordinates. @default the volume's `resolution`, else voxels of mip 0 */
  resolution?: readonly number[];
  /** @default the volume's */
  mip?: number;
  /**
   * A point on background takes the nearest label within so many nanometres, measured between voxel centres of the scale read; of labels
   * equally far the one of lowest z, then y, then x. Points out of bounds or in a chunk that is not stored stay what they are; one whose
   * nearest label may be in a chunk that could not be read has failed. Only in segmentations.
   * @default points on background stay there
   */
  snap?: SnapOptions;
  /** `throw`: a PartialResultError after everything else has finished. `status`: failures only show in `status`. @default 'throw' */
  onError?: 'throw' | 'status';
  /**
   * Most that the call may take, in ms. What it has not got by then has failed with a DeadlineError as the cause (points `failed`, or
   * `rootFailed` where the supervoxel is known), and what it has got is kept, as after any other failure.
   * @default the volume's
   */
  timeoutMs?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /**
   * Typed arrays of points are not copied, which takes some 16 ms for a million: the caller promises not to write to them before the call
   * has ended. Lists are always read at once.
   * @default false
   */
  borrow?: boolean;
}

export interface RootOptions {
  /** `'settled'`: the newest moment whose answers are final; `'mat'`, `'mat_943'`: a materialization of the datastack. @default the volume's, else now */
  timestamp?: Timestamp;
  /** Layer at which the climb ends, 2 to the root layer. @default the root layer */
  stopLayer?: number;
  /**
   * IDs of the root layer are kept as they are, unless this is true: then they are `ok` if they are a root at the moment, else `noRoot`.
   * @default false
   */
  validate?: boolean;
  /** As {@link ReadPointsOptions.onError}. @default 'throw' */
  onError?: 'throw' | 'status';
  /** Most that the call may take, in ms; IDs without an answer by then are `rootFailed`. @default the volume's */
  timeoutMs?: number;
  signal?: AbortSignal;
  /**
   * A BigUint64Array of IDs is not copied: the caller promises not to write to it before the call has ended and the answer's `rows()` have
   * been read.
   * @default false
   */
  borrow?: boolean;
}

export interface ScatteredPointsOptions extends Omit<ReadPointsOptions, 'resolution'>, RootOptions {
  /** Nanometres per unit of the given coordinates; `'viewer'`: as the datastack's viewer shows them. @default the volume's `resolution`, else voxels of mip 0 */
  resolution?: Resolution;
  /** false: supervoxels only, the graph server is not asked. @default true */
  agglomerate?: boolean;
}
