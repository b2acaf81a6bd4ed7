/**
 * The public option types of volumes. The tables in opening-options.ts and reading-options.ts check their
 * values.
 */
import type { Logger } from '../base/logger.ts';
import type { VolumeEvent } from '../base/volume-events.ts';
import type { Pace } from '../failures/pace.ts';
import type { LruEncoding, Revalidation } from '../chunks/cache-options.ts';
import type { Timestamp } from '../chunkedgraph/ids/timestamp.ts';
import type { Interpolation, Progress } from '../points/point-query.ts';
import type { StorageOptions } from '../storage/bucket-options.ts';
import type { Store } from '../storage/store.ts';
import type { OcdbtChoice } from './ocdbt.ts';
import type { VoxelsAt } from './voxels-at.ts';
import type { RootCacheSettings } from './volume-root-cache.ts';

/** Nanometres per unit of coordinates, xyz; or `'viewer'`, the resolution of the datastack's viewer. */
export type Resolution = readonly number[] | 'viewer';

/** Options of `openPrecomputed`. */
export interface OpenOptions {
  /** Nanometres per unit of all coordinates passed to this volume, xyz. @default voxels of mip 0 */
  resolution?: readonly number[];
  /** Scale to read; 0 is the finest. @default 0; for a chunkedgraph its `cv_mip` */
  mip?: number;
  /** Size of the memory cache of encoded chunks, in bytes. @default 0 */
  lruBytes?: number;
  /**
   * Encoding of chunks in the memory cache. `'same'` keeps each chunk as it is stored.
   * `'compressed_segmentation'` re-encodes raw chunks of uint32 or uint64 where that makes them smaller.
   * `'decoded'` keeps images and floats decoded, if their encoding is read from its beginning up to the
   * voxel: they are quick to read again, and take more memory.
   * @default 'same'
   */
  lruEncoding?: LruEncoding;
  /**
   * Whether to read only part of a large raw chunk when its points need little of it, and that is less work.
   * The chunk must be stored without compression; it may be in a shard. With `lruBytes` or `snap`, chunks are
   * always read whole.
   * @default true
   */
  rangeReads?: boolean;
  /**
   * Folder of the disk cache, which keeps chunks and shard indices between processes. Many processes may
   * share it. It is created with mode 0700. Volumes in files or in memory are not cached. Volumes in a store
   * of your own are cached only if the store has an `identity()`.
   * @default none
   */
  cacheDir?: string;
  /**
   * Maximum total size of the chunks in `cacheDir`, in bytes. The least recently used chunks go first.
   * @default 10 GiB
   */
  cacheBytes?: number;
  /**
   * What is checked before a cached chunk is used: nothing (`'never'`), that the volume's info has not
   * changed (`'info'`), or that the chunk's object has not changed (`'always'`, one small request per chunk).
   * @default 'info'
   */
  revalidate?: Revalidation;
  /**
   * Number of chunks in flight at once, over all threads. `'auto'` begins with 32. Each chunk that comes adds
   * one, up to 240, while that does not make the reads slower, all threads have time left, and at most 64 MiB
   * of stored bytes are in flight. It falls again when reads take much longer.
   * @default 'auto'
   */
  concurrency?: number | 'auto';
  /**
   * Most worker threads. They fetch, decompress and decode chunks. They are started for a call that reads
   * many chunks or points, or a chunk that takes long to decode (`jxl`), and kept until the volume is closed. 0
   * does all work in the calling thread. No thread is started for a store of your own, for `mem://`, or where
   * something has replaced Node's network functions, as nock does.
   * @default one per core, up to 8; on a single core, one for chunks that take long to decode
   */
  workers?: number;
  /** Credentials of the bucket, or a store of your own. */
  storage?: StorageOptions | Store;
  /** Number of retries of a failure that may be temporary: 408, 429, 5xx, a broken connection. @default 4 */
  retries?: number;
  /** Longest wait for a connection, in ms. @default 10_000 */
  connectTimeoutMs?: number;
  /** Longest silence of a storage server, in ms. @default 30_000 */
  idleTimeoutMs?: number;
  /**
   * Limits the requests per host, and learns how many requests and IDs each host can take.
   * @default shared by all volumes of the process
   */
  pace?: Pace;
  /**
   * Deadline in ms for opening the volume, and for each call without a `timeoutMs` of its own. It holds for
   * `volume.graph` too, apart from edits: only a deadline of its own ends an edit. See
   * {@link ReadPointsOptions.timeoutMs}.
   * @default no limit
   */
  timeoutMs?: number;
  /** Aborts the opening. */
  signal?: AbortSignal;
  /** Receives warnings. @default warnings go to `console.warn` */
  logger?: Logger;
  /**
   * Receives an event for each chunk read, root request, batch of root look-ups and retry, with times and
   * bytes. It must be quick. An error that it throws is logged as a warning.
   */
  onEvent?: (event: VolumeEvent) => unknown;
}

/** Options of `openGraphene`. */
export interface OpenGrapheneOptions extends Omit<OpenOptions, 'resolution'> {
  /**
   * Nanometres per unit of all coordinates passed to this volume, xyz; or `'viewer'`, the resolution of the
   * datastack's viewer.
   * @default voxels of mip 0
   */
  resolution?: Resolution;
  /**
   * Info service that describes the datastack, `https://HOST[:PORT]`. Only with a datastack.
   * @default the server that CAVEclient has saved for the datastack, else https://global.daf-apis.com
   */
  server?: string;
  /**
   * Token for the graph server, and for the servers of a datastack; null sends none.
   * @default CAVE_TOKEN, then CAVEclient's and CloudVolume's files
   */
  token?: string | null;
  /**
   * Server that issues the tokens, `https://HOST[:PORT]`. Its token file is read after the graph host's own.
   * @default for a datastack, its info service's server
   */
  authServer?: string;
  /** Path of the watershed, as `openPrecomputed` takes it. @default the path that the graph server names */
  dataDir?: string;
  /**
   * `'ignore'` opens a graph whose supervoxels can split (`ocdbt_seg` in its info) with its unsplit watershed, with
   * a warning. Supervoxels that did split are then `staleSupervoxel`.
   * @default the current voxels are read
   */
  ocdbt?: OcdbtChoice;
  /**
   * Which version of the voxels is read, on graphs whose supervoxels can split: `'latest'`, for each call; the
   * number of a generation; or a time, for the last generation at or before it. The latest voxels are right for
   * roots at any timestamp. An earlier version only reproduces an earlier answer.
   * @default 'latest'
   */
  voxelsAt?: VoxelsAt;
  /**
   * Timestamp of all root look-ups. `'settled'` is the newest timestamp of each call whose answers are final,
   * see `settleMs`. With a datastack, `'mat_943'` is a materialization, and `'mat'` is the newest one when
   * the volume was opened.
   * @default now, for each call
   */
  timestamp?: Timestamp;
  /** Whether `graph.merge`, `split`, `undo` and `redo` may change the graph. @default false */
  allowEdits?: boolean;
  /**
   * Whether a supervoxel gets the status `suspect` if its ID names another graph chunk than that of its
   * point.
   * @default true
   */
  checkSupervoxels?: boolean;
  /**
   * Maximum number of IDs in one root request. Requests get smaller when the server needs that.
   * @default 100_000
   */
  rootBatchSize?: number;
  /** Maximum size of the IDs in one root request, in bytes before compression. @default 8 MiB */
  rootBatchBytes?: number;
  /** Number of root requests in flight at once. @default 4 */
  rootConcurrency?: number;
  /** Longest silence of the graph server during a root look-up, in ms. @default 600_000 */
  rootTimeoutMs?: number;
  /** How long root look-ups wait to share requests, in ms; 0 for one turn of the event loop. @default 0 */
  batchWindowMs?: number;
  /**
   * Maximum number of requests per second to the graph server's host. All volumes that are opened with the
   * same limit share it.
   * @default no limit
   */
  rateLimit?: number;
  /**
   * Age in ms from which the roots at a timestamp are final: no edit appears later than that.
   * @default 180_000
   */
  settleMs?: number;
  /**
   * Keeps the roots that were looked up. At a settled timestamp no root is requested twice; at a later
   * timestamp only changes are requested. If a server repairs its past, the cache notices only after
   * `maxAgeMs`.
   * @default false
   */
  rootCache?: boolean | RootCacheSettings;
}

/** How a point on background snaps to the nearest label. */
export interface SnapOptions {
  /** Longest distance in nanometres between voxel centres. */
  radiusNm: number;
}

/** Options of `scatteredPoints` on a Precomputed volume. */
export interface ReadPointsOptions {
  /** Nanometres per unit of the coordinates, xyz. @default the volume's `resolution`, else voxels of mip 0 */
  resolution?: readonly number[];
  /** Scale to read; 0 is the finest. @default the volume's */
  mip?: number;
  /**
   * Gives a point on background the nearest label within `radiusNm`, measured between voxel centres of the
   * scale that is read. Of labels at the same distance, the one of the lowest z, then y, then x is taken.
   * Points out of bounds, or in a chunk that is not stored, keep their status. A point fails if its nearest
   * label may be in a chunk that could not be read. Only for segmentations.
   * @default points on background stay there
   */
  snap?: SnapOptions;
  /**
   * `'linear'` gives each point the trilinear mean of the values around it, one per channel, as doubles. The
   * value of voxel i stands at i + 0.5. A coordinate of an integer type (an integer array, a bigint) names a
   * voxel and is read at its centre; a number is a place, also if it is a whole number. A point whose value
   * needs a voxel that is outside, in a chunk that is not stored, or in a chunk that failed, gets that status
   * and no value; voxels of weight 0 are not needed. Only for images, and for volumes of floats. `'none'`
   * gives each point the value of the voxel that it lies in.
   * @default 'none'
   */
  interpolate?: Interpolation;
  /**
   * `'throw'` throws a PartialResultError when something failed, after everything else has finished.
   * `'status'` shows failures in `status` only.
   * @default 'throw'
   */
  onError?: 'throw' | 'status';
  /**
   * Deadline of the call, in ms. Points without an answer by then are `failed`, or `rootFailed` if the
   * supervoxel is known, with a DeadlineError as the cause. All other answers are kept, as after any other
   * failure.
   * @default the volume's
   */
  timeoutMs?: number;
  /** Aborts the call: it then throws `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Receives the number of chunks done, during the call. An error that it throws is thrown by the call at its
   * end.
   */
  onProgress?: (progress: Progress) => void;
  /**
   * Do not copy typed arrays of points, which saves about 16 ms per million points. The caller promises not
   * to write to them before the call has ended. Lists are always copied.
   * @default false
   */
  borrow?: boolean;
}

/** Options of root look-ups. */
export interface RootOptions {
  /**
   * Timestamp of the roots. `'settled'` is the newest timestamp whose answers are final. `'mat'` and
   * `'mat_943'` are materializations of the datastack.
   * @default the volume's, else now
   */
  timestamp?: Timestamp;
  /** Layer at which the look-up ends, from 2 to the root layer; 2 gives L2 IDs. @default the root layer */
  stopLayer?: number;
  /**
   * Whether to check IDs of the root layer: they are `ok` if they are roots at the timestamp, else `noRoot`.
   * Without it they are kept, as `notLookedUp`. It also checks the roots of supervoxels, which graphs whose
   * supervoxels can split always do: a supervoxel under a replaced root is `staleSupervoxel`.
   * @default false
   */
  validate?: boolean;
  /** As {@link ReadPointsOptions.onError}. @default 'throw' */
  onError?: 'throw' | 'status';
  /** Deadline of the call, in ms. IDs without an answer by then are `rootFailed`. @default the volume's */
  timeoutMs?: number;
  /** Aborts the call: it then throws `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Do not copy a BigUint64Array of IDs. The caller promises not to write to it before the call has ended,
   * and the `rows()` of its result have been read.
   * @default false
   */
  borrow?: boolean;
}

/** Options of `scatteredPoints` on a graphene volume. */
export interface ScatteredPointsOptions extends Omit<ReadPointsOptions, 'resolution'>, RootOptions {
  /**
   * Nanometres per unit of the coordinates, xyz; or `'viewer'`, the resolution of the datastack's viewer.
   * @default the volume's `resolution`, else voxels of mip 0
   */
  resolution?: Resolution;
  /**
   * Whether to look up roots. With false, only supervoxels are read, and no request goes to the graph server.
   * @default true
   */
  agglomerate?: boolean;
}
