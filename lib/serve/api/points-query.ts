/** The query parameters of a request for points. */
import { parseTriple } from './query-values.ts';
import type { PointsQuestion } from './ask-points.ts';

/** The parameters, as their schema leaves them. */
export interface PointsQuery {
  timestamp?: string;
  resolution?: string;
  mip?: number;
  stop_layer?: number;
  snap_nm?: number;
  agglomerate?: boolean;
}

/** The JSON schema of the parameters. */
export const POINTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    timestamp: { type: 'string' },
    resolution: { type: 'string' },
    mip: { type: 'integer', minimum: 0 },
    stop_layer: { type: 'integer', minimum: 2 },
    snap_nm: { type: 'number', exclusiveMinimum: 0 },
    agglomerate: { type: 'boolean' },
  },
} as const;

/** Returns what the parameters ask. @throws TypeError for a resolution that is not three numbers. */
export const questionOf = ({ resolution, stop_layer, snap_nm, ...query }: PointsQuery): PointsQuestion => ({
  ...query,
  resolution:
    resolution === undefined || resolution === 'viewer' ? resolution : parseTriple('resolution', resolution),
  stopLayer: stop_layer,
  snap: snap_nm === undefined ? undefined : { radiusNm: snap_nm },
});
