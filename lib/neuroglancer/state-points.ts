/** Reads the points of a Neuroglancer state. */
import { StateError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Vec3 } from '../base/vec3.ts';
import { type Dimension, readDimensions } from './dimensions.ts';
import { type LayerPlacement, placeCoordinates, readPlacement, readVoxelSize } from './layer-placement.ts';
import { type AnnotationContext, type AnnotationPart, readAnnotation } from './read-annotation.ts';
import { readStateText, requireState } from './state-text.ts';

/** How the points of a state are read. */
export interface StatePointsOptions {
  /** The name of the only annotation layer that is read. @default all of them */
  layer?: string;
  /**
   * Nanometres per unit of the points, xyz.
   * @default that of the dimensions of the state, else of the first layer: what the viewer shows
   */
  resolution?: Vec3;
}

/** The points of a state. All lists have one entry for each point. */
export interface StatePoints {
  /** x, y and z of each point, in units of `resolution`. A voxel covers [i, i + 1). */
  points: Float64Array;
  /** Nanometres per unit of the points, xyz. */
  resolution: Vec3;
  /** The name of the layer. */
  layer: readonly string[];
  /** The ID of the annotation; empty if it has none. The points of one annotation have the same. */
  annotation: readonly string[];
  /** Which place of the annotation the point is. */
  part: readonly AnnotationPart[];
  /** The description of the annotation; undefined if it has none. */
  description: readonly (string | undefined)[];
  /** The tags of the annotation, as the layer names them. */
  tags: readonly (readonly string[])[];
  /** The IDs of the segments that the annotation is linked to, in decimal. */
  segments: readonly (readonly string[])[];
  /** The annotation layers whose annotations are not in the state, and so are not read. */
  elsewhere: readonly {
    /** The name of the layer. */
    layer: string;
    /** Where its annotations are. */
    source: string;
  }[];
}

type Json = Readonly<Record<string, unknown>>;

const LOCAL = 'local://annotations';

/** An annotation layer of a state. */
interface AnnotationLayer {
  name: string;
  json: Json;
  /** The source of annotations that are in the state; undefined in old states. */
  source: unknown;
  /** Where its annotations are, if they are not in the state. */
  elsewhere: string | undefined;
}

/**
 * Reads the points of the annotation layers of a Neuroglancer state: points, both ends of lines, the centres
 * of boxes and ellipsoids, and the vertices of polylines. Units, transforms of layers and dimensions in any
 * order are honoured, and so is what older versions and forks write (`voxelSize`, `tagIds`).
 *
 * Groups of Seung-lab's fork are no points; their members are. Dimensions other than x, y and z are ignored.
 *
 * @param state The JSON of the state, as text or as an object, or a link that holds it (`https://…/#!{…}`).
 * @throws StateError UNSUPPORTED for a link that only names where its state is. BAD_STATE; NO_LAYER if there is
 *   no annotation layer, or none of that name; BAD_LAYER if the place of a layer is unknown; BAD_ANNOTATION.
 * @example
 * ```ts
 * const { points, resolution, annotation } = pointsOfState(await readFile('state.json', 'utf8'));
 * const { rows } = await volume.scatteredPoints(points, { resolution });
 * ```
 */
export function pointsOfState(state: string | object, options: StatePointsOptions = {}): StatePoints {
  const json = typeof state === 'string' ? stateOfText(state) : requireState(state);
  const dimensions = dimensionsOfState(json),
    layers = chooseLayers(annotationLayersOf(json), options.layer),
    elsewhere = layers.flatMap((layer) =>
      layer.elsewhere === undefined ? [] : [{ layer: layer.name, source: layer.elsewhere }],
    );
  const read = layers
    .filter((layer) => layer.elsewhere === undefined)
    .map((layer) => readLayer(layer, readPlacement(layer.source, layer.json, layer.name, dimensions)));
  const resolution = options.resolution ?? resolutionOf(dimensions) ?? read[0].placement.outputNm;
  return joinLayers(read, resolution, elsewhere);
}

function stateOfText(text: string): Json {
  const { state, url } = readStateText(text);
  if (state) return state;
  throw new StateError('UNSUPPORTED', `the link names a state at ${toPrintable(url, 200)}: read that first`);
}

/** Reads the dimensions of a state, also from the member of older versions. */
function dimensionsOfState({ dimensions, navigation }: Json): Dimension[] | undefined {
  if (dimensions !== undefined && dimensions !== null)
    return readDimensions(dimensions, 'the dimensions of the state');
  const { pose } = Object(navigation) as Json,
    { position } = Object(pose) as Json,
    { voxelSize } = Object(position) as Json;
  if (voxelSize === undefined) return undefined;
  const sizes = readVoxelSize(
    voxelSize,
    (reason) => new StateError('BAD_STATE', `the position of the state ${reason}`),
  );
  return ['x', 'y', 'z'].map((name, axis) => ({ name, nm: sizes[axis] }));
}

function resolutionOf(dimensions: readonly Dimension[] | undefined): Vec3 | undefined {
  const sizes = ['x', 'y', 'z'].map((axis) => dimensions?.find(({ name }) => name === axis)?.nm);
  return sizes.includes(undefined) ? undefined : (sizes as [number, number, number]);
}

function annotationLayersOf({ layers }: Json): AnnotationLayer[] {
  // Very old states have an object, by name.
  const entries: [string | undefined, unknown][] = Array.isArray(layers)
    ? layers.map((layer) => [undefined, layer])
    : Object.entries(Object(layers) as Json);
  return entries.flatMap(([key, json], index): AnnotationLayer[] => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return [];
    const layer = json as Json,
      sources: readonly unknown[] =
        layer.source === undefined ? [] : Array.isArray(layer.source) ? layer.source : [layer.source];
    const urls = sources.map(urlOf),
      local = urls.indexOf(LOCAL);
    if (layer.type !== 'annotation' && layer.type !== 'pointAnnotation' && local < 0) return [];
    const name = typeof layer.name === 'string' ? layer.name : (key ?? `layers[${index}]`);
    const isElsewhere = local < 0 && sources.length > 0 && layer.annotations === undefined;
    return [
      {
        name,
        json: layer,
        source: local < 0 ? undefined : sources[local],
        elsewhere: isElsewhere ? toPrintable(urls.join(', '), 200) : undefined,
      },
    ];
  });
}

const urlOf = (source: unknown): string => {
  const url = typeof source === 'string' ? source : (Object(source) as Json).url;
  return typeof url === 'string' ? url : '';
};

function chooseLayers(
  layers: readonly AnnotationLayer[],
  name: string | undefined,
): readonly AnnotationLayer[] {
  const chosen = name === undefined ? layers : layers.filter((layer) => layer.name === name),
    names = layers.map((layer) => toPrintable(layer.name, 40)).join(', ');
  if (layers.length === 0) throw new StateError('NO_LAYER', 'the state has no annotation layer');
  if (chosen.length === 0)
    throw new StateError(
      'NO_LAYER',
      `the state has no annotation layer ${toPrintable(name!, 80)}: it has ${names}`,
      { layer: name },
    );
  if (chosen.every(({ elsewhere }) => elsewhere !== undefined))
    throw new StateError(
      'UNSUPPORTED',
      `the annotations of layer ${toPrintable(chosen[0].name, 80)} are at ${chosen[0].elsewhere}, and not in the state`,
      { layer: chosen[0].name },
    );
  return chosen;
}

/** The points of one layer. */
interface ReadLayer extends Pick<StatePoints, 'annotation' | 'part' | 'description' | 'tags' | 'segments'> {
  name: string;
  placement: LayerPlacement;
  coordinates: Float64Array;
}

function readLayer({ name, json }: AnnotationLayer, placement: LayerPlacement): ReadLayer {
  const list = (member: string): readonly unknown[] => {
    const value = json[member] ?? [];
    if (Array.isArray(value)) return value;
    throw new StateError('BAD_LAYER', `layer ${toPrintable(name, 80)} has ${member} that are not a list`, {
      layer: name,
    });
  };
  const context: AnnotationContext = {
    layer: name,
    rank: placement.rank,
    tags: new Map(
      list('annotationTags').map((tag) => {
        const { id, label } = Object(tag) as Json;
        return [id as number, String(label)];
      }),
    ),
    tagOfProperty: list('annotationProperties').map((property) => {
      const { tag } = Object(property) as Json;
      return typeof tag === 'string' ? tag : undefined;
    }),
  };
  // The first versions had a list of places.
  const old = list('points').map((point, k) => ({ type: 'point', id: String(k), point }));
  const coordinates: number[] = [],
    annotation: string[] = [],
    part: AnnotationPart[] = [],
    description: (string | undefined)[] = [],
    tags: (readonly string[])[] = [],
    segments: (readonly string[])[] = [];
  for (const annotations of [list('annotations'), old])
    for (const [index, given] of annotations.entries()) {
      const read = readAnnotation(given, index, context);
      for (const [k, place] of read.coordinates.entries()) {
        for (const value of place) coordinates.push(value);
        annotation.push(read.id);
        part.push(read.parts[k]);
        description.push(read.description);
        tags.push(read.tags);
        segments.push(read.segments);
      }
    }
  return {
    name,
    placement,
    coordinates: Float64Array.from(coordinates),
    annotation,
    part,
    description,
    tags,
    segments,
  };
}

function joinLayers(
  layers: readonly ReadLayer[],
  resolution: Vec3,
  elsewhere: StatePoints['elsewhere'],
): StatePoints {
  const count = layers.reduce((sum, { part }) => sum + part.length, 0),
    points = new Float64Array(3 * count);
  let first = 0;
  for (const { name, placement, coordinates, annotation, part } of layers) {
    const own = points.subarray(first, first + 3 * part.length);
    placeCoordinates(placement, coordinates, resolution, own);
    const bad = own.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const id = annotation[Math.floor(bad / 3)];
      throw new StateError(
        'BAD_ANNOTATION',
        `layer ${toPrintable(name, 80)}: annotation ${toPrintable(id, 60)} is too far away: its place is not a finite number`,
        { layer: name, annotation: id },
      );
    }
    first += own.length;
  }
  return {
    points,
    resolution,
    layer: layers.flatMap(({ name, part }) => part.map(() => name)),
    annotation: layers.flatMap((layer) => layer.annotation),
    part: layers.flatMap((layer) => layer.part),
    description: layers.flatMap((layer) => layer.description),
    tags: layers.flatMap((layer) => layer.tags),
    segments: layers.flatMap((layer) => layer.segments),
    elsewhere,
  };
}
