/**
 * The option tables for reading points and roots. Each row has the check, the default, the command-line flag
 * and the description of one option. docs/options.md and the help of the command line are generated from
 * these tables.
 */
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

/** A resolution, or 'viewer'. */
export const RESOLUTION_OR_VIEWER: ValueKind = {
  expected: `${RESOLUTION.expected}, or 'viewer'`,
  check: (name, value) => {
    if (value !== 'viewer') RESOLUTION.check(name, value);
  },
};

/** Options within `snap`. */
export const SNAP_OPTIONS = {
  radiusNm: {
    kind: positiveNumberOf('nanometres'),
    required: true,
    flag: '--snap-nm <radius>',
    says: 'longest distance to the nearest label, in nanometres between voxel centres',
    flagSays:
      'give points on background the nearest label within this many nanometres; snapped_nm is its distance',
  },
} as const satisfies OptionTable<SnapOptions>;

/** Options of all calls that wait. */
export const WAIT_OPTIONS = {
  timeoutMs: {
    kind: TIMEOUT,
    default: "the volume's",
    flag: '--timeout <seconds>',
    says: 'deadline of the call, in ms; answers that are missing by then have failed',
    flagSays:
      'deadline for opening the volume, and then for each million rows; rows without an answer by then have failed',
  },
  signal: { kind: SIGNAL, says: 'aborts the call' },
} as const;

export const RESOLUTION_ROW = {
  kind: RESOLUTION,
  default: 'voxels of mip 0',
  flag: '--resolution <x,y,z>',
  says: 'nanometres per unit of the coordinates',
  flagSays: "nanometres per unit of the coordinates, or viewer for the resolution of the datastack's viewer",
} as const;

export const MIP_ROW = {
  kind: integerFrom(0),
  default: '0; for a chunkedgraph its cv_mip',
  flag: '--mip <mip>',
  says: 'scale to read; 0 is the finest',
} as const;

export const TIMESTAMP_ROW = {
  kind: TIMESTAMP_KIND,
  default: 'now, for each call',
  flag: '--timestamp <time>',
  says: 'timestamp of the roots',
  flagSays:
    'timestamp of the roots: ISO 8601 (UTC unless it names a zone), unix seconds, settled, or for a datastack mat or mat_943',
} as const;

export const BORROW_ROW = {
  kind: BOOLEAN,
  default: 'false',
  says: 'do not copy typed arrays: the caller promises not to write to them during the call',
} as const;

export const ON_ERROR_ROW = {
  kind: oneOf('throw', 'status'),
  default: "'throw'",
  says: 'whether failures throw a PartialResultError or only show in `status`',
} as const;

export const INTERPOLATE_ROW = {
  kind: oneOf('none', 'linear'),
  default: "'none'",
  flag: '--interpolate <how>',
  says: 'compute values between voxels, for images and floats: the value of voxel i stands at i + 0.5',
  flagSays:
    'linear: compute the values of images and floats between voxels; the value of voxel i stands at i + 0.5. Whole numbers in a table name voxels',
} as const;

/** Options of reading points of a Precomputed volume. */
export const READ_OPTIONS = {
  resolution: { ...RESOLUTION_ROW, default: "the volume's resolution, else voxels of mip 0" },
  mip: { ...MIP_ROW, default: "the volume's" },
  snap: {
    kind: optionGroup('an object with a radiusNm', SNAP_OPTIONS),
    default: 'points on background stay there',
    says: 'give a point on background the nearest label within a radius',
  },
  interpolate: INTERPOLATE_ROW,
  onError: ON_ERROR_ROW,
  ...WAIT_OPTIONS,
  onProgress: { kind: FUNCTION, says: 'receives the number of chunks done' },
  borrow: BORROW_ROW,
} as const satisfies OptionTable<ReadPointsOptions>;

/** Options of looking up roots. */
export const ROOT_OPTIONS = {
  timestamp: { ...TIMESTAMP_ROW, default: "the volume's, else now" },
  stopLayer: {
    kind: integerFrom(2),
    default: 'the root layer',
    flag: '--stop-layer <layer>',
    says: 'end the look-up at this layer instead of the root; 2 gives L2 IDs',
    flagSays: 'end the look-up at this layer instead of the root; 2 gives l2_id',
  },
  validate: {
    kind: BOOLEAN,
    default: 'false',
    flag: '--validate',
    says: 'check whether IDs of the root layer, and the roots of supervoxels, are roots at the timestamp',
  },
  onError: ON_ERROR_ROW,
  ...WAIT_OPTIONS,
  borrow: BORROW_ROW,
} as const satisfies OptionTable<RootOptions>;

/** Options of reading points of a graphene volume. */
export const SCATTERED_OPTIONS = {
  ...READ_OPTIONS,
  ...ROOT_OPTIONS,
  resolution: { ...READ_OPTIONS.resolution, kind: RESOLUTION_OR_VIEWER },
  agglomerate: {
    kind: BOOLEAN,
    default: 'true',
    flag: '--supervoxels-only',
    says: 'look up roots; false reads supervoxels only and sends the graph server no request',
    flagSays: 'do not look up roots',
    flagMeans: false,
  },
} as const satisfies OptionTable<ScatteredPointsOptions>;

/** Options of calls that take a signal only. */
export const SIGNAL_OPTIONS = { signal: WAIT_OPTIONS.signal } as const satisfies Record<string, OptionRow>;
