/** Points and IDs from parsed JSON: lists of triples, columns, lists of decimal texts. */
import { toPrintable } from '../../base/printable.ts';
import { idsOfTexts } from './id-texts.ts';
import { HttpRefusal } from '../http-errors.ts';
import { requireFlatJson } from './json-shape.ts';

const AXES = ['x', 'y', 'z'] as const;

const bad = (message: string): HttpRefusal => new HttpRefusal(400, message);

/** Parses JSON. @throws HttpRefusal 400. */
export function parseBodyJson(text: string, what = 'the body'): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw bad(`${what} is not JSON: ${toPrintable((error as Error).message, 200)}`);
  }
}

/** Parses a whole body. @throws HttpRefusal 400 unless it is an object; 413 for too many lists. */
function parseObject(body: Buffer, wanted: string): Record<string, unknown> {
  requireFlatJson(body, wanted);
  const value = parseBodyJson(body.toString('utf8'));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(`the body must be ${wanted}`);
  return value as Record<string, unknown>;
}

function refuseOthers(given: Record<string, unknown>, known: readonly string[], wanted: string): void {
  const other = Object.keys(given).find((name) => !known.includes(name));
  if (other !== undefined)
    throw bad(`the body has a member ${JSON.stringify(toPrintable(other, 60))}; it must be ${wanted}`);
}

const POINTS = '{"points": [[x, y, z], …]} or {"x": […], "y": […], "z": […]}';

/** Returns the points of a whole body, xyz interleaved. @throws HttpRefusal 400. */
export function pointsOfJson(body: Buffer): Float64Array {
  const given = parseObject(body, POINTS);
  if ('points' in given) {
    refuseOthers(given, ['points'], POINTS);
    if (!Array.isArray(given.points)) throw bad(`points must be a list: the body must be ${POINTS}`);
    return flattenPoints(given.points, 0);
  }
  refuseOthers(given, AXES, POINTS);
  return interleave(AXES.map((axis) => given[axis]));
}

/**
 * Flattens a list of points.
 * @param first The index of the first point in the body, for messages.
 * @throws HttpRefusal 400 that names the point.
 */
export function flattenPoints(list: readonly unknown[], first: number): Float64Array {
  const flat = new Float64Array(3 * list.length);
  for (let index = 0, to = 0; index < list.length; index++, to += 3) {
    const point = list[index] as readonly unknown[];
    if (!Array.isArray(point) || point.length !== 3) throw bad(describePoint(point, first + index));
    for (let axis = 0; axis < 3; axis++) {
      const value: unknown = point[axis];
      if (typeof value !== 'number')
        throw bad(
          `points[${first + index}]: ${AXES[axis]} is ${kindOf(value)}; expected [x, y, z], three numbers`,
        );
      flat[to + axis] = value;
    }
  }
  return flat;
}

const describePoint = (point: unknown, index: number): string =>
  `points[${index}] is ${Array.isArray(point) ? `a list of ${point.length}` : kindOf(point)}; expected [x, y, z], three numbers`;

function interleave(columns: readonly unknown[]): Float64Array {
  columns.forEach((column, axis) => {
    if (!Array.isArray(column))
      throw bad(
        `${AXES[axis]} is ${column === undefined ? 'missing' : kindOf(column)}; the body must be ${POINTS}`,
      );
  });
  const [x, y, z] = columns as unknown[][];
  if (x.length !== y.length || x.length !== z.length)
    throw bad(`x, y and z differ in length: ${x.length}, ${y.length}, ${z.length}`);
  const flat = new Float64Array(3 * x.length);
  (columns as unknown[][]).forEach((column, axis) => {
    for (let index = 0, to = axis; index < column.length; index++, to += 3) {
      const value = column[index];
      if (typeof value !== 'number')
        throw bad(`${AXES[axis]}[${index}] is ${kindOf(value)}; expected a number`);
      flat[to] = value;
    }
  });
  return flat;
}

const IDS = '{"ids": ["…", …]}, with decimal texts';

/** Returns the IDs of a whole body. @throws HttpRefusal 400. */
export function idsOfJson(body: Buffer): BigUint64Array {
  const given = parseObject(body, IDS);
  refuseOthers(given, ['ids'], IDS);
  if (!Array.isArray(given.ids))
    throw bad(`ids is ${given.ids === undefined ? 'missing' : kindOf(given.ids)}; the body must be ${IDS}`);
  return idsOfTexts(given.ids, 0);
}

/** Names the kind of a value. */
export const kindOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value === 'string' ? 'text' : typeof value}`;
