/** The options of opening a volume, each in one place: what it may be, what holds without it, its flag, and what it is for. */
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
import type { OpenGrapheneOptions, OpenOptions } from './option-types.ts';
import type { RootCacheSettings } from './volume-root-cache.ts';
import {
  WAIT_OPTIONS,
  RESOLUTION_ROW,
  MIP_ROW,
  TIMESTAMP_ROW,
  RESOLUTION_OR_VIEWER,
} from './reading-options.ts';

/** An empty one is no URL or path, and told of as such. */
const anyText = (wanted: string): ValueKind => defineKind(wanted, (value) => typeof value === 'string');

/** Either of two, the second by its own check. */
const unless = (is: (value: unknown) => boolean, other: ValueKind): ValueKind => ({
  expected: other.expected,
  check: (name, value) => {
    if (!is(value)) other.check(name, value);
  },
});

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

/** Slots of a root cache are counted in 32 bits. */
const MOST_ENTRIES = 1_000_000_000;

export const ROOT_CACHE_OPTIONS = {
  maxEntries: {
    kind: integerFrom(1, MOST_ENTRIES),
    default: '10_000_000',
    says: 'most pairs of a supervoxel and a root that are kept',
  },
  maxAgeMs: {
    kind: defineNumberKind('a positive number of milliseconds', (value) => value > 0),
    default: '86_400_000, a day',
    says: 'after so long a fact is asked again; Infinity: never',
  },
  extendToCreation: {
    kind: BOOLEAN,
    default: 'false',
    says: 'ask when a root was made instead of looking its supervoxels up at earlier moments',
  },
  file: {
    kind: nonEmptyText('the path of a file'),
    default: 'one a graph in cacheDir, where that is given; else nothing is kept beyond close()',
    says: 'read when the volume is opened, written when it is closed',
  },
} as const satisfies OptionTable<RootCacheSettings>;

/** Chunks kept between calls and processes. */
export const CACHE_OPTIONS = {
  lruBytes: {
    kind: integerFrom(0),
    default: '0',
    flag: '--lru-bytes <size>',
    says: 'encoded chunks kept in memory, in bytes',
    flagSays: 'encoded chunks kept in memory, such as 200MB or 1GiB',
  },
  lruEncoding: {
    kind: oneOf(...LRU_ENCODINGS),
    default: "'same'",
    flag: '--lru-encoding <encoding>',
    says: 'how raw chunks of uint32 or uint64 are kept there',
  },
  cacheDir: {
    kind: nonEmptyText('the path of a folder'),
    default: 'none',
    flag: '--cache-dir <folder>',
    says: 'folder in which chunks, shard indices and roots are kept between runs',
    flagSays: 'keep chunks, shard indices and roots there between runs',
  },
  cacheBytes: {
    kind: integerFrom(1),
    default: '10 GiB',
    flag: '--cache-bytes <size>',
    says: 'what chunks in the cache folder may take together, in bytes',
    flagSays: 'what chunks in the cache folder may take together, such as 20GB',
  },
  revalidate: {
    kind: oneOf(...REVALIDATIONS),
    default: "'info'",
    flag: '--revalidate <when>',
    says: 'when kept chunks are asked about: never; when the info of the volume has changed; always',
  },
} as const satisfies Partial<OptionTable<OpenOptions>>;

export const OPEN_OPTIONS = {
  // 'viewer' is an InfoError that says of what it is one.
  resolution: { ...RESOLUTION_ROW, kind: unless((value) => value === 'viewer', RESOLUTION) },
  mip: MIP_ROW,
  storage: { kind: STORAGE, says: 'credentials of the bucket, or a store of your own' },
  ...CACHE_OPTIONS,
  rangeReads: {
    kind: BOOLEAN,
    default: 'true',
    flag: '--no-range-reads',
    says: 'read only a part of a large raw chunk, where few points need little of it',
    flagSays: 'read chunks whole, also where few points need little of them',
  },
  concurrency: {
    kind: integerFrom(1),
    default: '32',
    flag: '--concurrency <n>',
    says: 'chunks in flight at once',
  },
  retries: { kind: integerFrom(0), default: '4', says: 'tries after the first, of what may pass' },
  connectTimeoutMs: { kind: integerFrom(1), default: '10_000', says: 'longest wait for a connection' },
  idleTimeoutMs: { kind: integerFrom(1), default: '30_000', says: 'longest silence of a storage server' },
  pace: {
    kind: defineKind('an object with the methods take, allow and batchSize', isPace),
    default: 'one for all volumes of the process',
    says: 'at what pace servers are asked, and what is learnt of how much each can take',
  },
  timeoutMs: {
    ...WAIT_OPTIONS.timeoutMs,
    default: 'no limit',
    says: 'most that the opening may take, and each call that does not say otherwise, in ms',
  },
  signal: { ...WAIT_OPTIONS.signal, says: 'ends the opening' },
  logger: { kind: LOGGER, default: 'warnings go to console.warn', says: 'is told of what is odd' },
  onEvent: {
    kind: FUNCTION,
    says: 'told of each chunk read, request for roots, batch and retry, with times and bytes',
  },
} as const satisfies OptionTable<OpenOptions>;

export const GRAPHENE_OPTIONS = {
  ...OPEN_OPTIONS,
  resolution: { ...RESOLUTION_ROW, kind: RESOLUTION_OR_VIEWER },
  server: {
    kind: anyText('a text, the URL of a server'),
    default: 'the one CAVEclient remembers for it, else https://global.daf-apis.com',
    flag: '--server <url>',
    says: 'of a cave:// path: the server that knows the datastack',
  },
  authServer: {
    kind: anyText('a text, the URL of a server'),
    default: 'of a datastack, the server that knows it',
    says: 'the server that makes the tokens: its file is looked into after that of the host asked',
  },
  token: {
    kind: defineKind(
      'a text, or null for none',
      (value) => value === null || typeof value === 'string',
      formatType,
    ),
    default: "CAVE_TOKEN, then CAVEclient's and CloudVolume's files",
    says: 'token of the graph server, and of the servers of a datastack; null sends none',
  },
  dataDir: {
    kind: anyText('a text, the path of a volume'),
    default: 'where the graph server says',
    flag: '--data-dir <path>',
    says: 'where the watershed is',
  },
  ocdbt: {
    kind: oneOf(...OCDBT_CHOICES),
    default: 'an error, InfoError UNSUPPORTED',
    flag: '--ocdbt <choice>',
    says: 'of a graph whose supervoxels can split: open it as if none had, with a warning',
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
    says: 'marks supervoxels that do not belong to the graph chunk of their point as suspect',
  },
  rootBatchSize: { kind: integerFrom(1), default: '100_000', says: 'most IDs in one root request' },
  rootBatchBytes: {
    kind: integerFrom(1),
    default: '8 MiB',
    says: 'most bytes of IDs in one root request, before they are packed',
  },
  rootConcurrency: { kind: integerFrom(1), default: '4', says: 'root requests at once' },
  rootTimeoutMs: {
    kind: integerFrom(1),
    default: '600_000',
    says: 'longest silence of the graph server during a root look-up',
  },
  batchWindowMs: {
    kind: integerFrom(0),
    default: '0',
    says: 'how long root look-ups wait for others to share their requests; 0: one turn of the event loop',
  },
  rateLimit: {
    kind: positiveNumberOf('requests a second'),
    default: 'no limit',
    says: "requests a second to the graph server's host",
  },
  settleMs: {
    kind: integerFrom(0),
    default: '180_000',
    says: 'how old a moment must be for its roots to be final',
  },
  rootCache: {
    kind: unless(
      (value) => typeof value === 'boolean',
      optionGroup('true, false or its options', ROOT_CACHE_OPTIONS),
    ),
    default: 'false',
    says: 'keeps roots that were looked up',
  },
} as const satisfies OptionTable<OpenGrapheneOptions>;
