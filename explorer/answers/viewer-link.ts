/** A link that opens rows in Neuroglancer. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import {
  DEFAULT_GRAPH_VIEWER_SITE,
  DEFAULT_VIEWER_SITE,
  linkOfState,
} from '../../lib/neuroglancer/state-link.ts';
import { DEFAULT_MAX_POINTS, stateOfAnswers } from '../../lib/neuroglancer/state-of-answers.ts';
import type { VolumeInfo } from '../service/volume-info.ts';
import type { Answers } from './answers.ts';

/** Rows to show in the viewer. */
export interface LinkedRows {
  readonly info: VolumeInfo;
  readonly coordinates: Float64Array;
  /** Nanometres per unit of the coordinates. */
  readonly resolution: Vec3;
  readonly answers: Answers;
  readonly rows: Uint32Array;
  readonly colourBy: 'root' | 'status';
}

/** Returns the link, and how many of the rows it shows: a link holds some thousand points. */
export function viewerLink({ info, coordinates, resolution, answers, rows, colourBy }: LinkedRows): {
  url: string;
  annotations: number;
} {
  const [scale] = info.scales,
    source = info.neuroglancer?.source ?? undefined,
    site =
      info.neuroglancer?.site ??
      (source?.startsWith('graphene:') ? DEFAULT_GRAPH_VIEWER_SITE : DEFAULT_VIEWER_SITE);
  const points = new Float64Array(3 * rows.length);
  for (const [k, row] of rows.entries()) points.set(coordinates.subarray(3 * row, 3 * row + 3), 3 * k);
  const ids = new BigUint64Array(rows.length);
  for (const [k, row] of rows.entries())
    ids[k] = BigInt((answers.hasRoots ? answers.rootText(row) : answers.supervoxelText(row)) || 0);
  const status = Uint8Array.from(rows, (row) => answers.status[row]);
  for (let maxPoints = DEFAULT_MAX_POINTS; ; maxPoints = Math.floor(maxPoints / 2)) {
    const made = stateOfAnswers(
      { points, resolution, status, ids },
      { source, voxelSize: scale.resolution, colorBy: colourBy, maxPoints },
    );
    const url = linkOfState(made.state, site);
    if (url !== undefined) return { url, annotations: made.points.shown };
  }
}
