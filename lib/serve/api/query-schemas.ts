/** The query parameters of `/v1`: their JSON schemas, which also make the OpenAPI document, and what they mean. */
import { DTYPES, type DtypeName } from '../bodies/binary-rows.ts';
import { ID_REPLY_FORMATS, REPLY_FORMATS, type ReplyFormat } from '../bodies/reply-formats.ts';
import type { PointsQuestion } from './points-look-up.ts';
import { parseTriple } from './query-values.ts';

const TIMESTAMP = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  description:
    'Timestamp of the roots: ISO 8601 (UTC unless it names a zone), unix seconds, `now`, `settled`, or for a datastack `mat` or `mat_943`.',
} as const;
const STOP_LAYER = {
  type: 'integer',
  minimum: 2,
  description: 'Ends the look-up at this layer instead of the root; 2 gives L2 IDs, in the column `l2_id`.',
} as const;
const formatParameter = (formats: readonly ReplyFormat[]) =>
  ({
    type: 'string',
    enum: formats.map(({ name }) => name),
    description: 'Format of the answer, instead of the header `Accept`.',
  }) as const;

const query = <Properties extends object>(properties: Properties) =>
  ({ type: 'object', additionalProperties: false, properties }) as const;

/** The parameters of a request for points. */
export const POINTS_QUERY = query({
  timestamp: TIMESTAMP,
  resolution: {
    type: 'string',
    minLength: 1,
    maxLength: 100,
    description:
      "Nanometres per unit of the coordinates, such as `4,4,40`; or `viewer`, the resolution of the datastack's viewer. Default: voxels of mip 0.",
  },
  mip: { type: 'integer', minimum: 0, description: 'Scale to read; 0 is the finest.' },
  stop_layer: STOP_LAYER,
  snap_nm: {
    type: 'number',
    exclusiveMinimum: 0,
    description:
      'Gives points on background the nearest label within this many nanometres; the column `snapped_nm` is its distance.',
  },
  agglomerate: {
    type: 'boolean',
    description: 'Whether to look up roots. Default: true for graphs whose roots the caller may ask for.',
  },
  dtype: {
    type: 'string',
    enum: Object.keys(DTYPES),
    description: 'Type of the numbers of a body of application/octet-stream. Default: float64.',
  },
  format: formatParameter(REPLY_FORMATS),
});

/** The parameters of a request for roots. */
export const ROOTS_QUERY = query({
  timestamp: TIMESTAMP,
  stop_layer: STOP_LAYER,
  validate: {
    type: 'boolean',
    description: 'Whether to check IDs of the root layer, and the roots of supervoxels. Default: false.',
  },
  format: formatParameter(ID_REPLY_FORMATS),
});

/** The parameters of a request for latest roots. */
export const LATEST_QUERY = query({ timestamp: TIMESTAMP, format: formatParameter(ID_REPLY_FORMATS) });

/** The parameters of a request for a timestamp. */
export const TIMESTAMP_QUERY = query({ timestamp: TIMESTAMP });

/** The parameters of a route that takes none. */
export const NO_QUERY = query({});

/** The name of a volume in a path. */
export const NAME_PARAMS = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', description: 'Name of a volume; GET /v1 lists them.' } },
} as const;

/** The parameters of a request for points, as their schema leaves them. */
export interface PointsParameters {
  timestamp?: string;
  resolution?: string;
  mip?: number;
  stop_layer?: number;
  snap_nm?: number;
  agglomerate?: boolean;
  dtype?: DtypeName;
  format?: string;
}

/** The parameters of a request for roots. */
export interface RootsParameters {
  timestamp?: string;
  stop_layer?: number;
  validate?: boolean;
  format?: string;
}

/** Returns what the parameters ask. @throws TypeError for a resolution that is not three numbers. */
export const questionOf = ({
  timestamp,
  resolution,
  mip,
  stop_layer,
  snap_nm,
  agglomerate,
}: PointsParameters): PointsQuestion => ({
  timestamp,
  mip,
  agglomerate,
  resolution:
    resolution === undefined || resolution === 'viewer' ? resolution : parseTriple('resolution', resolution),
  stopLayer: stop_layer,
  snap: snap_nm === undefined ? undefined : { radiusNm: snap_nm },
});
