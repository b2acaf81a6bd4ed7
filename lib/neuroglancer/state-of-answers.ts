/**
 * Makes a Neuroglancer state of points and their answers.
 * Source: Neuroglancer, src/layer/annotation/index.ts and src/layer/segmentation/json_keys.ts (members of the
 * layers), src/annotation/index.ts (annotations and their properties), src/annotation/rendering.md (shader).
 */
import { wordsOf } from '../base/uint64.ts';
import { ratiosOfOtherUnits } from '../base/unit-ratio.ts';
import type { Vec3 } from '../base/vec3.ts';
import { PointStatus, statusText } from '../points/status.ts';
import { shiftDecimal } from './dimensions.ts';
import { frequentIds } from './frequent-ids.ts';
import { idColor, statusColor } from './state-colors.ts';

/** Points with their answers. All lists have one entry for each point. */
export interface StateAnswers {
  /** x, y and z of each point, in units of `resolution`. */
  points: Float64Array;
  /** Nanometres per unit of the points, xyz. */
  resolution: Vec3;
  /** The `PointStatus` of each point. */
  status: Uint8Array;
  /** The ID at each point: its root, supervoxel or label. 0 without an answer. */
  ids: BigUint64Array;
}

/** How a state is made. */
export interface StateOfAnswersOptions {
  /**
   * The source of the segmentation, as Neuroglancer names it: `precomputed://gs://…`,
   * `graphene://middleauth+https://…`. @default the state has no segmentation layer
   */
  source?: string;
  /** The source of an image layer. @default none */
  image?: string;
  /** Nanometres per unit of the state, xyz: the voxels of the volume. @default the resolution of the points */
  voxelSize?: Vec3;
  /** What the colour of a point shows. @default 'root' */
  colorBy?: 'root' | 'status';
  /** The most points that are shown: the first ones. @default 10000 */
  maxPoints?: number;
  /** The most IDs that are selected: the most frequent ones. @default 100 */
  maxSelected?: number;
  /** The name of the layer of the points. @default 'points' */
  pointsName?: string;
  /** The name of the segmentation layer. @default 'segmentation' */
  segmentationName?: string;
}

/** A state, and what it shows. */
export interface AnswersState {
  /** The JSON of the state. */
  state: Record<string, unknown>;
  /** How many points are shown, of how many. A point whose coordinates are not finite has no place. */
  points: {
    /** The points that are annotations of the state. */
    shown: number;
    /** The points that have a place. */
    of: number;
    /** The points without a place. */
    withoutPlace: number;
  };
  /** How many IDs are selected, of how many different ones. */
  selected: {
    /** The selected segments of the state. */
    shown: number;
    /** The different IDs, without 0. */
    of: number;
  };
}

/** The most points of a state, if nothing else is said. */
export const DEFAULT_MAX_POINTS = 10_000;
/** The most selected IDs of a state, if nothing else is said. */
export const DEFAULT_MAX_SELECTED = 100;

const SHADER = `void main() {
  setColor(prop_color());
}
`;

/**
 * Makes a Neuroglancer state that shows points with their answers: a segmentation layer with the most frequent
 * IDs selected, and a layer of point annotations, coloured by ID or by status. Each annotation is linked to
 * its segment; its ID is the index of the point. The view is at the first point.
 *
 * Neuroglancer keeps places as float32: beyond 2^24 voxels they are rounded.
 *
 * @example
 * ```ts
 * const { rootIds: ids, status } = await volume.scatteredPoints(points);
 * const { state } = stateOfAnswers({ points: Float64Array.from(points.flat()), resolution: [8, 8, 40], status, ids });
 * ```
 */
export function stateOfAnswers(answers: StateAnswers, options: StateOfAnswersOptions = {}): AnswersState {
  checkAnswers(answers, options);
  const { resolution, ids } = answers,
    {
      source,
      image,
      voxelSize = resolution,
      maxPoints = DEFAULT_MAX_POINTS,
      maxSelected = DEFAULT_MAX_SELECTED,
      pointsName = 'points',
      segmentationName = 'segmentation',
    } = options;
  const frequent = frequentIds(ids, maxSelected),
    selected = source === undefined ? new BigUint64Array(0) : frequent.ids;
  const shown = chooseShown(answers.points, maxPoints),
    annotations = annotationsOf(answers, shown.indices, voxelSize, options);
  const layers: unknown[] = [];
  if (image !== undefined) layers.push({ type: 'image', source: image, name: 'image' });
  if (source !== undefined)
    layers.push(segmentationLayer(source, selected, segmentationName, options.colorBy));
  layers.push(
    pointsLayer(annotations, voxelSize, pointsName, source === undefined ? undefined : segmentationName),
  );
  return {
    state: {
      dimensions: dimensionsOf(voxelSize),
      ...(annotations.length > 0 && { position: annotations[0].point }),
      layers,
      selectedLayer: { visible: true, layer: pointsName },
      layout: '4panel',
    },
    points: {
      shown: annotations.length,
      of: shown.placed,
      withoutPlace: answers.status.length - shown.placed,
    },
    selected: { shown: selected.length, of: frequent.distinct },
  };
}

function checkAnswers({ points, status, ids }: StateAnswers, options: StateOfAnswersOptions): void {
  for (const name of ['maxPoints', 'maxSelected'] as const) {
    const { [name]: most = 0 } = options;
    if (!Number.isInteger(most) || most < 0) throw new RangeError(`${name} must be a whole number from 0`);
  }
  if (points.length !== 3 * status.length || ids.length !== status.length)
    throw new RangeError(
      `the answers do not belong together: ${points.length} coordinates, ${status.length} statuses, ${ids.length} IDs`,
    );
}

function chooseShown(points: Float64Array, most: number): { indices: readonly number[]; placed: number } {
  const indices: number[] = [];
  let placed = 0;
  for (let k = 0; 3 * k < points.length; k++) {
    if (![points[3 * k], points[3 * k + 1], points[3 * k + 2]].every(Number.isFinite)) continue;
    placed++;
    if (indices.length < most) indices.push(k);
  }
  return { indices, placed };
}

/** One annotation, as a state holds it. */
interface StateAnnotation {
  point: number[];
  type: 'point';
  id: string;
  description?: string;
  segments?: string[][];
  props: [string, number];
}

function annotationsOf(
  { points, resolution, status, ids }: StateAnswers,
  indices: readonly number[],
  voxelSize: Vec3,
  { colorBy = 'root' }: StateOfAnswersOptions,
): StateAnnotation[] {
  const places = Float64Array.from(
    indices.flatMap((k) => [points[3 * k], points[3 * k + 1], points[3 * k + 2]]),
  );
  for (const { axis, ratio } of ratiosOfOtherUnits(resolution, voxelSize))
    ratio.convertPlaces(places, axis, places.length);
  const words = wordsOf(ids);
  return indices.map((k, n) => {
    const code = status[k],
      hasId = words[2 * k] !== 0 || words[2 * k + 1] !== 0;
    return {
      point: [places[3 * n], places[3 * n + 1], places[3 * n + 2]],
      type: 'point',
      id: String(k),
      ...(code !== PointStatus.ok && { description: statusText(code) }),
      ...(hasId && { segments: [[String(ids[k])]] }),
      props: [colorBy === 'status' ? statusColor(code) : idColor(words[2 * k], words[2 * k + 1]), code],
    };
  });
}

function segmentationLayer(
  source: string,
  selected: BigUint64Array,
  name: string,
  colorBy: StateOfAnswersOptions['colorBy'] = 'root',
): unknown {
  const words = wordsOf(selected),
    colors = Array.from(selected, (id, k) => [String(id), idColor(words[2 * k], words[2 * k + 1])]);
  return {
    type: 'segmentation',
    source,
    segments: Array.from(selected, String),
    // The segments have the colours of their points.
    ...(colorBy === 'root' && colors.length > 0 && { segmentColors: Object.fromEntries(colors) as unknown }),
    name,
  };
}

function pointsLayer(
  annotations: readonly StateAnnotation[],
  voxelSize: Vec3,
  name: string,
  segmentation: string | undefined,
): unknown {
  const codes = Object.values(PointStatus);
  return {
    type: 'annotation',
    source: { url: 'local://annotations', transform: { outputDimensions: dimensionsOf(voxelSize) } },
    annotations,
    annotationProperties: [
      { id: 'color', type: 'rgb', default: '#ffffff' },
      { id: 'status', type: 'uint8', enum_values: codes, enum_labels: codes.map(statusText) },
    ],
    shader: SHADER,
    ...(segmentation !== undefined && { linkedSegmentationLayer: { segments: segmentation } }),
    name,
  };
}

const dimensionsOf = (nm: Vec3): Record<string, [number, string]> => ({
  x: [shiftDecimal(nm[0], -9), 'm'],
  y: [shiftDecimal(nm[1], -9), 'm'],
  z: [shiftDecimal(nm[2], -9), 'm'],
});
