/**
 * The option tables for opening a volume. Each row has the check, the default, the command-line flag and the
 * description of one option. docs/options.md and the help of the command line are generated from these
 * tables.
 */
import {
  BOOLEAN,
  FUNCTION,
  defineKind,
  LOGGER,
  oneOf,
  positiveNumberOf,
  defineNumberKind,
  RESOLUTION,
  nonEmptyText,
  formatType,
  integerFrom,
  type ValueKind,
} from '../base/value-kinds.ts';
import { optionGroup, type OptionTable } from '../base/option-table.ts';
import { LRU_ENCODINGS, REVALIDATIONS } from '../chunks/cache-options.ts';
import { checkStorageCombination, STORAGE_OPTIONS } from '../storage/bucket-options.ts';
import { isStore } from '../storage/store.ts';
import { OCDBT_CHOICES } from './ocdbt.ts';
import { VOXELS_AT } from './voxels-at.ts';
import type { OpenGrapheneOptions, OpenOptions } from './option-types.ts';
import type { RootCacheSettings } from './volume-root-cache.ts';
import {
  WAIT_OPTIONS,
  RESOLUTION_ROW,
  MIP_ROW,
  TIMESTAMP_ROW,
  RESOLUTION_OR_VIEWER,
} from './reading-options.ts';

/** Any string. An empty one is refused later, as a URL or path that cannot be used. */
const anyText = (wanted: string): ValueKind => defineKind(wanted, (value) => typeof value === 'string');

/** Accepts a value that `is` accepts, and any other by the check of `other`. */
const unless = (is: (value: unknown) => boolean, other: ValueKind): ValueKind => ({
  expected: other.expected,
  check: (name, value) => {
    if (!is(value)) other.check(name, value);
  },
});

/** A whole number from 1, or 'auto'. */
const COUNT_OR_AUTO: ValueKind = {
  expected: "a whole number from 1, or 'auto'",
  check: (name, value) => {
    if (value !== 'auto') integerFrom(1).check(name, value);
  },
};

const BUCKET = optionGroup('credentials of the bucket, or a store', STORAGE_OPTIONS);
const STORAGE: ValueKind = {
  expected: BUCKET.expected,
  check: (name, value) => {
    if (isStore(value)) return;
    BUCKET.check(name, value);
    checkStorageCombination(value as object);
  },
};

const isPace = (value: unknown): boolean =>
  ['take', 'allow', 'batchSize'].every(
    (name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function',
  );

/** The slots of a root cache are counted in 32 bits. */
const MOST_ENTRIES = 1_000_000_000;

/** Options within `rootCache`. */
export const ROOT_CACHE_OPTIONS = {
  maxEntries: {
    kind: integerFrom(1, MOST_ENTRIES),
    default: '10_000_000',
    says: 'maximum number of pairs of a supervoxel and a root',
  },
  maxAgeMs: {
    kind: defineNumberKind('a positive number of milliseconds', (value) => value > 0),
    default: '86_400_000, a day',
    says: 'age in ms after which a root is requested again; Infinity for never',
  },
  extendToCreation: {
    kind: BOOLEAN,
    default: 'false',
    says: 'request when a root was created, instead of looking up its supervoxels at earlier timestamps',
  },
  file: {
    kind: nonEmptyText('the path of a file'),
    default: 'with cacheDir, one file per graph in that folder; else roots are lost at close()',
    says: 'snapshot that is read when the volume is opened and written when it is closed',
  },
} as const satisfies OptionTable<RootCacheSettings>;

/** Options of the memory cache and the disk cache. */
export const CACHE_OPTIONS = {
  lruBytes: {
    kind: integerFrom(0),
    default: '0',
    flag: '--lru-bytes <size>',
    says: 'size of the memory cache of encoded chunks, in bytes',
    flagSays: 'size of the memory cache of encoded chunks, such as 200MB or 1GiB',
  },
  lruEncoding: {
    kind: oneOf(...LRU_ENCODINGS),
    default: "'same'",
    flag: '--lru-encoding <encoding>',
    says: 'encoding of chunks in the memory cache: as stored, smaller (raw uint32 and uint64), or decoded (images and floats)',
  },
  cacheDir: {
    kind: nonEmptyText('the path of a folder'),
    default: 'none',
    flag: '--cache-dir <folder>',
    says: 'folder of the disk cache: keeps chunks, shard indices and roots between runs',
    flagSays: 'keep chunks, shard indices and roots in this folder between runs',
  },
  cacheBytes: {
    kind: integerFrom(1),
    default: '10 GiB',
    flag: '--cache-bytes <size>',
    says: 'maximum total size of the chunks in the cache folder, in bytes',
    flagSays: 'maximum total size of the chunks in the cache folder, such as 20GB',
  },
  revalidate: {
    kind: oneOf(...REVALIDATIONS),
    default: "'info'",
    flag: '--revalidate <when>',
    says: "what is checked before a cached chunk is used: nothing (never), the volume's info (info), or the chunk's object (always)",
  },
} as const satisfies Partial<OptionTable<OpenOptions>>;

/** Options of openPrecomputed. */
export const OPEN_OPTIONS = {
  // 'viewer' passes this check: it is refused later by an InfoError with a better message.
  resolution: { ...RESOLUTION_ROW, kind: unless((value) => value === 'viewer', RESOLUTION) },
  mip: MIP_ROW,
  storage: { kind: STORAGE, says: 'credentials of the bucket, or a store of your own' },
  ...CACHE_OPTIONS,
  rangeReads: {
    kind: BOOLEAN,
    default: 'true',
    flag: '--no-range-reads',
    says: 'read only part of a large raw chunk when its points need little of it',
    flagSays: 'always read whole chunks, even when the points need little of them',
  },
  concurrency: {
    kind: COUNT_OR_AUTO,
    default: "'auto'",
    flag: '--concurrency <n|auto>',
    says: "chunks in flight at once; 'auto' means 32 to 240, as the server's distance needs",
    flagSays: 'chunks in flight at once, or auto',
  },
  workers: {
    kind: integerFrom(0),
    default: 'one per core, up to 8; on a single core, one for chunks that take long to decode',
    flag: '--workers <n>',
    says: 'most worker threads, which fetch, decompress and decode chunks of large calls, and chunks that take long to decode; 0 uses none',
  },
  retries: {
    kind: integerFrom(0),
    default: '4',
    flag: '--retries <n>',
    says: 'retries of a request whose failure may be temporary',
  },
  connectTimeoutMs: { kind: integerFrom(1), default: '10_000', says: 'longest wait for a connection' },
  idleTimeoutMs: { kind: integerFrom(1), default: '30_000', says: 'longest silence of a storage server' },
  pace: {
    kind: defineKind('an object with the methods take, allow and batchSize', isPace),
    default: 'shared by all volumes of the process',
    says: 'limits the requests per host, and learns how many requests and IDs each host can take',
  },
  timeoutMs: {
    ...WAIT_OPTIONS.timeoutMs,
    default: 'no limit',
    says: 'deadline in ms for opening the volume, and for each call without a timeoutMs of its own',
  },
  signal: { ...WAIT_OPTIONS.signal, says: 'aborts the opening' },
  logger: { kind: LOGGER, default: 'warnings go to console.warn', says: 'receives warnings' },
  onEvent: {
    kind: FUNCTION,
    says: 'receives an event for each chunk read, root request, batch and retry, with times and bytes',
  },
} as const satisfies OptionTable<OpenOptions>;

/** Options of openGraphene. */
export const GRAPHENE_OPTIONS = {
  ...OPEN_OPTIONS,
  resolution: { ...RESOLUTION_ROW, kind: RESOLUTION_OR_VIEWER },
  server: {
    kind: anyText('a string, the URL of a server'),
    default: 'the server that CAVEclient has saved for the datastack, else https://global.daf-apis.com',
    flag: '--server <url>',
    says: 'info service of a cave:// path, which describes the datastack',
  },
  authServer: {
    kind: anyText('a string, the URL of a server'),
    default: "for a datastack, its info service's server",
    says: "server that issues the tokens: its token file is read after the graph host's own",
  },
  token: {
    kind: defineKind(
      'a string, or null for none',
      (value) => value === null || typeof value === 'string',
      formatType,
    ),
    default: "CAVE_TOKEN, then CAVEclient's and CloudVolume's files",
    says: "token for the graph server, and for a datastack's servers; null sends none",
  },
  dataDir: {
    kind: anyText('a string, the path of a volume'),
    default: 'the path that the graph server names',
    flag: '--data-dir <path>',
    says: 'path of the watershed',
  },
  ocdbt: {
    kind: oneOf(...OCDBT_CHOICES),
    default: 'the current voxels are read',
    flag: '--ocdbt <choice>',
    says: 'ignore opens a graph whose supervoxels can split with its unsplit watershed, with a warning',
    flagSays:
      'ignore opens a graph whose supervoxels can split with its unsplit watershed (default: its current voxels are read)',
  },
  voxelsAt: {
    kind: VOXELS_AT,
    default: "'latest'",
    flag: '--voxels-at <version>',
    says: 'version of the voxels where supervoxels can split: latest, the number of a generation, or a time; an earlier one only reproduces an earlier answer',
    flagSays:
      'version of the voxels where supervoxels can split: latest, the number of a generation, or a time; an earlier one only reproduces an earlier answer',
  },
  timestamp: TIMESTAMP_ROW,
  allowEdits: {
    kind: BOOLEAN,
    default: 'false',
    says: 'whether merge, split, undo and redo of volume.graph may change the graph',
  },
  checkSupervoxels: {
    kind: BOOLEAN,
    default: 'true',
    says: 'mark a supervoxel as suspect if its ID names another graph chunk than that of its point',
  },
  rootBatchSize: {
    kind: integerFrom(1),
    default: '100_000',
    says: 'maximum number of IDs in one root request',
  },
  rootBatchBytes: {
    kind: integerFrom(1),
    default: '8 MiB',
    says: 'maximum size of the IDs in one root request, in bytes before compression',
  },
  rootConcurrency: { kind: integerFrom(1), default: '4', says: 'root requests in flight at once' },
  rootTimeoutMs: {
    kind: integerFrom(1),
    default: '600_000',
    says: 'longest silence of the graph server during a root look-up',
  },
  batchWindowMs: {
    kind: integerFrom(0),
    default: '0',
    says: 'how long root look-ups wait to share requests, in ms; 0 for one turn of the event loop',
  },
  rateLimit: {
    kind: positiveNumberOf('requests per second'),
    default: 'no limit',
    says: "maximum number of requests per second to the graph server's host",
  },
  settleMs: {
    kind: integerFrom(0),
    default: '180_000',
    says: 'age in ms from which the roots at a timestamp are final',
  },
  rootCache: {
    kind: unless(
      (value) => typeof value === 'boolean',
      optionGroup('true, false or its options', ROOT_CACHE_OPTIONS),
    ),
    default: 'false',
    says: 'keep the roots that were looked up',
  },
} as const satisfies OptionTable<OpenGrapheneOptions>;
