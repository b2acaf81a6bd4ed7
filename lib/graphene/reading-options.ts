/** The options of reading points and roots, each in one place: what it may be, what holds without it, its flag, and what it is for. */
import {
  BOOLEAN,
  FUNCTION,
  oneOf,
  positiveNumberOf,
  RESOLUTION,
  SIGNAL,
  TIMEOUT,
  integerFrom,
  type ValueKind,
} from '../base/value-kinds.ts';
import { optionGroup, type OptionRow, type OptionTable } from '../base/option-table.ts';
import { TIMESTAMP_KIND } from '../chunkedgraph/ids/timestamp.ts';
import type { ReadPointsOptions, RootOptions, ScatteredPointsOptions, SnapOptions } from './option-types.ts';

export const RESOLUTION_OR_VIEWER: ValueKind = {
  expected: `${RESOLUTION.expected}, or 'viewer'`,
  check: (name, value) => {
    if (value !== 'viewer') RESOLUTION.check(name, value);
  },
};

export const SNAP_OPTIONS = {
  radiusNm: {
    kind: positiveNumberOf('nanometres'),
    required: true,
    flag: '--snap-nm <radius>',
    says: 'how far away the nearest label may be, in nanometres between voxel centres',
    flagSays:
      'points on background take the nearest label within so many nanometres; snapped_nm says how far it is',
  },
} as const satisfies OptionTable<SnapOptions>;

/** Of calls that wait. */
export const WAIT_OPTIONS = {
  timeoutMs: {
    kind: TIMEOUT,
    default: "the volume's",
    flag: '--timeout <seconds>',
    says: 'most that the call may take, in ms; what it has not got by then has failed',
    flagSays:
      'most that the opening, and then each million rows, may take; rows without an answer by then have failed',
  },
  signal: { kind: SIGNAL, says: 'ends it' },
} as const;

export const RESOLUTION_ROW = {
  kind: RESOLUTION,
  default: 'voxels of mip 0',
  flag: '--resolution <x,y,z>',
  says: 'nanometres per unit of the coordinates',
  flagSays: "nanometres per unit of the coordinates, or viewer for those of the datastack's viewer",
} as const;

export const MIP_ROW = {
  kind: integerFrom(0),
  default: "0; a chunkedgraph's own cv_mip",
  flag: '--mip <mip>',
  says: 'scale to read, 0 the finest',
} as const;

export const TIMESTAMP_ROW = {
  kind: TIMESTAMP_KIND,
  default: "each call's own now",
  flag: '--timestamp <time>',
  says: 'moment of the roots',
  flagSays:
    'moment of the roots: ISO 8601 (no zone: UTC), unix seconds, settled, or mat or mat_943 of a datastack',
} as const;

const BORROW_ROW = {
  kind: BOOLEAN,
  default: 'false',
  says: 'do not copy typed arrays: the caller does not write to them meanwhile',
} as const;

const ON_ERROR_ROW = {
  kind: oneOf('throw', 'status'),
  default: "'throw'",
  says: 'whether failures throw a PartialResultError, or only show in `status`',
} as const;

export const READ_OPTIONS = {
  resolution: { ...RESOLUTION_ROW, default: "the volume's resolution, else voxels of mip 0" },
  mip: { ...MIP_ROW, default: "the volume's" },
  snap: {
    kind: optionGroup('an object with a radiusNm', SNAP_OPTIONS),
    default: 'points on background stay there',
    says: 'a point on background takes the nearest label within so many nanometres',
  },
  onError: ON_ERROR_ROW,
  ...WAIT_OPTIONS,
  onProgress: { kind: FUNCTION, says: 'told how many chunks are done' },
  borrow: BORROW_ROW,
} as const satisfies OptionTable<ReadPointsOptions>;

export const ROOT_OPTIONS = {
  timestamp: { ...TIMESTAMP_ROW, default: "the volume's, else now" },
  stopLayer: {
    kind: integerFrom(2),
    default: 'the root layer',
    flag: '--stop-layer <layer>',
    says: 'end at this layer instead of the root: 2 gives L2 IDs',
    flagSays: 'end at this layer instead of the root: 2 gives l2_id',
  },
  validate: {
    kind: BOOLEAN,
    default: 'false',
    flag: '--validate',
    says: 'IDs that are roots already are asked whether they are valid at the moment',
  },
  onError: ON_ERROR_ROW,
  ...WAIT_OPTIONS,
  borrow: BORROW_ROW,
} as const satisfies OptionTable<RootOptions>;

export const SCATTERED_OPTIONS = {
  ...READ_OPTIONS,
  ...ROOT_OPTIONS,
  resolution: { ...READ_OPTIONS.resolution, kind: RESOLUTION_OR_VIEWER },
  agglomerate: {
    kind: BOOLEAN,
    default: 'true',
    flag: '--supervoxels-only',
    says: 'look up roots; false: supervoxels only, the graph server is not asked',
    flagSays: 'do not look up roots',
    flagMeans: false,
  },
} as const satisfies OptionTable<ScatteredPointsOptions>;

/** Of calls that only wait. */
export const SIGNAL_OPTIONS = { signal: WAIT_OPTIONS.signal } as const satisfies Record<string, OptionRow>;
