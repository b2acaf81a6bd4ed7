/**
 * Reads one annotation of a layer.
 * Source: Neuroglancer, src/annotation/index.ts (`annotationToJson`); groups (`collection`, `line_strip`,
 * `spoke`) and `tagIds` are those of Seung-lab's fork, src/neuroglancer/annotation/index.ts. Tags of spelunker
 * are properties with a `tag` (nglui, src/nglui/parser/base.py).
 */
import { StateError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import { toNumber } from './dimensions.ts';

/** Which place of an annotation a point is: `pointA` and `pointB` are the ends of a line. */
export type AnnotationPart = 'point' | 'pointA' | 'pointB' | 'center' | 'vertex';

/** The places of an annotation, and what belongs to all of them. */
export interface AnnotationPlaces {
  id: string;
  description: string | undefined;
  tags: readonly string[];
  /** Decimal IDs of the segments that it is linked to. */
  segments: readonly string[];
  parts: readonly AnnotationPart[];
  /** The coordinates of each part, as the layer has them. */
  coordinates: readonly (readonly number[])[];
}

/** What the annotations of a layer have in common. */
export interface AnnotationContext {
  layer: string;
  /** How many coordinates a place has. */
  rank: number;
  /** The tags by ID, of Seung-lab's fork. */
  tags: ReadonlyMap<number, string>;
  /** The tag of each property; undefined for a property that is none. */
  tagOfProperty: readonly (string | undefined)[];
}

type Json = Readonly<Record<string, unknown>>;

/** Groups of other annotations have no place of their own: their members are in the list, too. */
const GROUPS = new Set(['collection', 'line_strip', 'spoke']);
const NO_PARTS: readonly AnnotationPart[] = [];

/**
 * Reads an annotation. The centre is that of a box or an ellipsoid.
 *
 * @param index Its place in the list, for messages.
 * @throws StateError BAD_ANNOTATION.
 */
export function readAnnotation(json: unknown, index: number, context: AnnotationContext): AnnotationPlaces {
  const { layer, rank } = context;
  const given =
    typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Json) : undefined;
  const id = given?.id;
  const refuse = (reason: string): StateError => {
    const named = typeof id === 'string' || typeof id === 'number' ? String(id) : undefined,
      shown = named === undefined ? `number ${index + 1}` : toPrintable(named, 60);
    return new StateError(
      'BAD_ANNOTATION',
      `layer ${toPrintable(layer, 80)}: annotation ${shown} ${reason}`,
      { layer, annotation: named ?? String(index + 1) },
    );
  };
  if (!given) throw refuse('is not an object');
  const place = (value: unknown, name: string): number[] => {
    const numbers: number[] = [];
    if (Array.isArray(value) && value.length === rank)
      for (const part of value as unknown[]) {
        const number = toNumber(part);
        if (number !== undefined) numbers.push(number);
      }
    if (numbers.length !== rank) throw refuse(`has a ${name} that is not ${rank} finite numbers`);
    return numbers;
  };
  const type = typeof given.type === 'string' ? given.type.toLowerCase() : undefined;
  let parts = NO_PARTS,
    coordinates: number[][] = [];
  if (type === 'point') {
    parts = ['point'];
    coordinates = [place(given.point, 'point')];
  } else if (type === 'line') {
    parts = ['pointA', 'pointB'];
    coordinates = [place(given.pointA, 'pointA'), place(given.pointB, 'pointB')];
  } else if (type === 'axis_aligned_bounding_box') {
    const end = place(given.pointB, 'pointB');
    parts = ['center'];
    coordinates = [place(given.pointA, 'pointA').map((value, axis) => value / 2 + end[axis] / 2)];
  } else if (type === 'ellipsoid') {
    parts = ['center'];
    coordinates = [place(given.center, 'center')];
  } else if (type === 'polyline') {
    if (!Array.isArray(given.points)) throw refuse('has points that are not a list');
    coordinates = given.points.map((point, k) => place(point, `points[${k}]`));
    parts = coordinates.map(() => 'vertex');
  } else if (type === undefined || !GROUPS.has(type))
    throw refuse(
      `has the type ${toPrintable(JSON.stringify(given.type) ?? 'undefined', 40)}: point, line, axis_aligned_bounding_box, ellipsoid and polyline are read`,
    );
  const description = given.description ?? undefined;
  if (description !== undefined && typeof description !== 'string')
    throw refuse('has a description that is not a text');
  return {
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : '',
    description,
    tags: tagsOf(given, context, refuse),
    segments: segmentsOf(given.segments, refuse),
    parts,
    coordinates,
  };
}

const NONE: readonly string[] = [];
/** The largest uint64. */
const LARGEST_ID = '18446744073709551615';

function tagsOf(
  { tagIds, props }: Json,
  { tags, tagOfProperty }: AnnotationContext,
  refuse: (reason: string) => StateError,
): readonly string[] {
  const found: string[] = [];
  if (tagIds !== undefined && tagIds !== null) {
    if (!Array.isArray(tagIds)) throw refuse('has tagIds that are not a list');
    for (const tag of tagIds as unknown[]) {
      const label = tags.get(tag as number);
      if (label === undefined)
        throw refuse(`has the tag ${toPrintable(String(tag), 40)}, which the layer does not name`);
      found.push(label);
    }
  }
  if (Array.isArray(props))
    for (const [k, tag] of tagOfProperty.entries())
      if (tag !== undefined && (props[k] === 1 || props[k] === true)) found.push(tag);
  return found.length === 0 ? NONE : found;
}

/** Reads IDs of segments: a list, or a list for each relationship of the layer. */
function segmentsOf(json: unknown, refuse: (reason: string) => StateError): readonly string[] {
  if (json === undefined || json === null) return NONE;
  if (!Array.isArray(json)) throw refuse('has segments that are not a list');
  if (json.length === 0) return NONE;
  const toId = (value: unknown): string => {
    const isId =
      typeof value === 'string'
        ? /^\d{1,20}$/.test(value) && (value.length < 20 || value <= LARGEST_ID)
        : Number.isSafeInteger(value) && (value as number) >= 0;
    if (!isId)
      throw refuse(
        typeof value === 'number'
          ? 'has a segment that is a number, and so may have lost digits: IDs are texts'
          : 'has a segment that is not the text of a uint64',
      );
    return String(value);
  };
  return json.flatMap((entry: unknown) => (Array.isArray(entry) ? entry.map(toId) : [toId(entry)]));
}
