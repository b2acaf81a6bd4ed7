/** What can be asked for when a volume is opened or read, checked before anything is done. */
import { checkTimeout } from '../base/deadline.ts';
import { InfoError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { checkNames, takeOptions } from '../base/options.ts';
import type { Vec3 } from '../base/vec3.ts';
import { formatVec3 } from '../base/vec3.ts';
import { REVALIDATIONS, type Revalidation } from '../chunks/chunk-cache.ts';
import { LRU_ENCODINGS, type LruEncoding } from '../chunks/reencoding-source.ts';
import type { Timestamp } from '../chunkedgraph/ids/timestamp.ts';
import type { Progress } from '../points/point-reader.ts';
import { checkBucketOptions, type BucketOptions } from '../storage/bucket-options.ts';
import type { Store } from '../storage/store.ts';
import { OCDBT_CHOICES, type OcdbtChoice } from './ocdbt.ts';
import type { RootCacheSettings } from './root-cache.ts';

/**
 * Credentials of the bucket; those of the graph server are apart and never sent there. Without any, a gs:// or s3:// bucket that is not
 * public is read with what CloudVolume, gcloud or the AWS CLI use on this machine.
 */
export interface StorageOptions extends BucketOptions {
  /** Sent as `Authorization: Bearer …` to the bucket's host, over TLS or to loopback only; instead of `credentials`. */
  token?: string;
  /** Sent to the bucket's host with every read. */
  headers?: Record<string, string>;
}

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
   * in files, in memory or in a store of your own are not kept.
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
  /** Most that the opening may take, and each call that does not say otherwise, in ms; of `volume.graph` too, but for edits, which only a deadline of their own ends. See {@link ReadPointsOptions.timeoutMs}. @default no limit */
  timeoutMs?: number;
  /** Ends the opening. */
  signal?: AbortSignal;
  /** @default warnings go to `console.warn` */
  logger?: Logger;
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
  /** Where the watershed is, instead of where the server says. Anything `openPrecomputed` takes. */
  dataDir?: string;
  /**
   * Of a graph whose supervoxels can split (`ocdbt_seg` in its info): `'ignore'` opens it with a warning, as if none had. Supervoxels
   * that were split, and their roots, are then old ones.
   * @default an InfoError
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

const POSITIVE_INTEGERS = [
  'cacheBytes',
  'concurrency',
  'connectTimeoutMs',
  'idleTimeoutMs',
  'rootBatchSize',
  'rootBatchBytes',
  'rootConcurrency',
  'rootTimeoutMs',
] as const;
const COUNTS = ['lruBytes', 'retries', 'mip', 'batchWindowMs', 'settleMs'] as const;

const OPEN_OPTIONS = [
  'cacheDir',
  'cacheBytes',
  'revalidate',
  'resolution',
  'mip',
  'lruBytes',
  'lruEncoding',
  'rangeReads',
  'concurrency',
  'storage',
  'retries',
  'connectTimeoutMs',
  'idleTimeoutMs',
  'timeoutMs',
  'signal',
  'logger',
];
const GRAPHENE_OPTIONS = [
  ...OPEN_OPTIONS,
  'server',
  'authServer',
  'token',
  'dataDir',
  'ocdbt',
  'timestamp',
  'checkSupervoxels',
  'rootBatchSize',
  'rootBatchBytes',
  'rootConcurrency',
  'rootTimeoutMs',
  'batchWindowMs',
  'rateLimit',
  'settleMs',
  'rootCache',
  'allowEdits',
];
const STORAGE_OPTIONS = ['token', 'headers', 'credentials', 'profile', 'region', 'endpoint', 'requesterPays'];
export const READ_OPTIONS = [
  'resolution',
  'mip',
  'snap',
  'onError',
  'timeoutMs',
  'signal',
  'onProgress',
  'borrow',
];
export const ROOT_OPTIONS = [
  'timestamp',
  'stopLayer',
  'validate',
  'onError',
  'timeoutMs',
  'signal',
  'borrow',
];
export const SCATTERED_OPTIONS = [...new Set([...READ_OPTIONS, ...ROOT_OPTIONS, 'agglomerate'])];

/**
 * The options as they are now, checked.
 * @param graphene Whether the options of a chunkedgraph are meant, too.
 * @throws RangeError or TypeError for a name nobody knows or a value that cannot be meant.
 */
export function takeOpenOptions<Options extends OpenOptions | OpenGrapheneOptions>(
  given: Options,
  graphene: boolean,
): Options {
  const own = takeOptions(given, graphene ? GRAPHENE_OPTIONS : OPEN_OPTIONS),
    options: OpenGrapheneOptions = own;
  for (const name of POSITIVE_INTEGERS) checkNumber(name, options[name], 1);
  for (const name of COUNTS) checkNumber(name, options[name], 0);
  checkTimeout(options.timeoutMs);
  const { rateLimit } = options;
  if (
    rateLimit !== undefined &&
    !(typeof rateLimit === 'number' && rateLimit > 0 && Number.isFinite(rateLimit))
  )
    throw new RangeError(`rateLimit must be a positive number of requests a second, not ${shown(rateLimit)}`);
  checkLruEncoding(options.lruEncoding);
  checkBoolean('rangeReads', options.rangeReads);
  checkCache(options);
  checkBoolean('allowEdits', options.allowEdits);
  if (options.ocdbt !== undefined && !OCDBT_CHOICES.includes(options.ocdbt))
    throw new TypeError(`ocdbt is 'ignore', not ${shown(options.ocdbt)}`);
  checkText('server', options.server);
  checkText('authServer', options.authServer);
  if (!graphene || options.resolution !== 'viewer') resolutionOf(options.resolution, undefined);
  checkStorage(options.storage);
  return own;
}

export const isStore = (storage: StorageOptions | Store | undefined): storage is Store =>
  typeof (storage as Store | undefined)?.read === 'function';

function checkStorage(storage: StorageOptions | Store | undefined): void {
  if (storage === undefined || isStore(storage)) return;
  checkNames(storage, STORAGE_OPTIONS);
  const { token, credentials, profile } = storage;
  if (token !== undefined && !(typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)))
    throw new TypeError('storage.token is a text without spaces');
  if (
    token !== undefined &&
    ((credentials !== undefined && credentials !== 'default') || profile !== undefined)
  )
    throw new TypeError('storage.token is given instead of credentials or profile');
  checkBucketOptions(storage);
}

const shown = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);

function checkNumber(name: string, value: unknown, least: number): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= least))
    throw new RangeError(`${name} must be a whole number from ${least}, not ${shown(value)}`);
}

export function checkBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean')
    throw new TypeError(`${name} is true or false, not ${shown(value)}`);
}

function checkText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string')
    throw new TypeError(`${name} is a text, not ${shown(value)}`);
}

function checkLruEncoding(encoding: unknown): void {
  if (encoding !== undefined && !LRU_ENCODINGS.includes(encoding as LruEncoding))
    throw new TypeError(`lruEncoding is 'same' or 'compressed_segmentation', not ${shown(encoding)}`);
}

function checkCache({ cacheDir, revalidate }: Pick<OpenOptions, 'cacheDir' | 'revalidate'>): void {
  if (cacheDir !== undefined && (typeof cacheDir !== 'string' || cacheDir === ''))
    throw new TypeError(`cacheDir is the path of a folder, not ${shown(cacheDir)}`);
  if (revalidate !== undefined && !REVALIDATIONS.includes(revalidate))
    throw new TypeError(`revalidate is 'never', 'info' or 'always', not ${shown(revalidate)}`);
}

/** @throws RangeError unless it is three positive numbers, or undefined. */
export function checkResolution(resolution: readonly number[] | undefined): Vec3 | undefined {
  if (resolution === undefined) return undefined;
  if (
    !Array.isArray(resolution) ||
    resolution.length !== 3 ||
    !resolution.every((nm) => typeof nm === 'number' && nm > 0 && Number.isFinite(nm))
  )
    throw new RangeError(
      `resolution must be three positive numbers, nanometres along x, y, z, not ${Array.isArray(resolution) ? formatVec3(resolution) : String(resolution)}`,
    );
  return resolution as unknown as Vec3;
}

/**
 * The same, or that of the datastack's viewer: never in place of numbers that were given.
 * @throws InfoError UNSUPPORTED for `'viewer'` where there is no datastack, NOT_FOUND where that does not say, BAD_INFO where it says
 *   something else; RangeError.
 */
export function resolutionOf(
  resolution: Resolution | undefined,
  datastack: { name: string; viewerResolution: Vec3 | undefined; viewerFault?: Error } | undefined,
): Vec3 | undefined {
  if (resolution !== 'viewer') return checkResolution(resolution);
  if (!datastack)
    throw new InfoError(
      'UNSUPPORTED',
      "resolution 'viewer' is that of a datastack: open the volume as cave://DATASTACK, or give three numbers",
    );
  if (datastack.viewerFault) throw datastack.viewerFault;
  if (!datastack.viewerResolution)
    throw new InfoError(
      'NOT_FOUND',
      `datastack ${datastack.name} does not say at which resolution its viewer shows coordinates: give three numbers`,
    );
  return datastack.viewerResolution;
}

/** @throws RangeError unless it holds a positive radius, or is undefined. */
export function checkSnap(snap: SnapOptions | undefined): number | undefined {
  if (snap === undefined) return undefined;
  const radiusNm: unknown = (snap as SnapOptions | null)?.radiusNm;
  if (!(typeof radiusNm === 'number' && radiusNm > 0 && Number.isFinite(radiusNm)))
    throw new RangeError(`snap.radiusNm must be a positive number of nanometres, not ${shown(radiusNm)}`);
  return radiusNm;
}

/** @throws TypeError unless it is one of the two words, or undefined. */
export function checkOnError(onError: unknown): 'throw' | 'status' {
  if (onError === undefined || onError === 'throw' || onError === 'status') return onError ?? 'throw';
  throw new TypeError(`onError is 'throw' or 'status', not ${shown(onError)}`);
}
