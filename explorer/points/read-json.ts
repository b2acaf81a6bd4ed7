/** Reads points from JSON that is not a Neuroglancer state. */
import { toPrintable } from '../../lib/base/printable.ts';
import { type Breathe, PasteError, type PastedPoints, STRETCH } from './pasted-points.ts';
import { PointRows } from './point-rows.ts';
import { findPositionColumns } from './position-columns.ts';
import { readNumber, readPosition } from './read-number.ts';

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const toNumber = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' ? readNumber(value) : NaN;
const toText = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/**
 * Reads `[[x, y, z], …]`, one `[x, y, z]`, `[{"x": …, "y": …, "z": …}, …]`, `{"points": …}` and
 * `{"x": […], "y": […], "z": […]}`.
 *
 * @throws PasteError for any other form.
 */
export async function readJson(value: unknown, breathe: Breathe): Promise<PastedPoints> {
  if (isObject(value) && value.points !== undefined) return readJson(value.points, breathe);
  if (isObject(value)) return readColumns(value, breathe);
  if (!Array.isArray(value))
    throw new PasteError('The JSON is neither a list of points nor an object with points.');
  if (value.length === 0) throw new PasteError('The list of points is empty.');
  if (value.length === 3 && value.every((item) => !Number.isNaN(toNumber(item))))
    return readTriples([value], breathe);
  return isObject(value[0]) ? readObjects(value, breathe) : readTriples(value, breathe);
}

async function readTriples(list: readonly unknown[], breathe: Breathe): Promise<PastedPoints> {
  const rows = new PointRows();
  for (const [k, item] of list.entries()) {
    const position = Array.isArray(item) && item.length === 3 ? item.map(toNumber) : [];
    if (position.length === 3 && !position.some(Number.isNaN)) rows.add(position);
    else rows.addUnreadable(`item ${k + 1}`, toText(item));
    if (k % STRETCH === STRETCH - 1) await breathe();
  }
  return rows.finish('JSON');
}

async function readObjects(list: readonly unknown[], breathe: Breathe): Promise<PastedPoints> {
  const names = Object.keys(list[0] as Json),
    columns = findPositionColumns(names),
    isPosition = (name: string): boolean => columns.some((k) => names[k] === name),
    others = names.filter((name) => !isPosition(name)),
    rows = new PointRows(others);
  for (const [k, item] of list.entries()) {
    const row = isObject(item) ? item : {},
      values = columns.map((column) => row[names[column]]);
    const whole = values.length === 1 ? values[0] : values;
    const position =
      typeof whole === 'string' ? readPosition(whole) : Array.isArray(whole) ? whole.map(toNumber) : [];
    const texts = others.map((name) => toText(row[name]));
    if (position?.length === 3 && !position.some(Number.isNaN)) rows.add(position, texts);
    else rows.addUnreadable(`item ${k + 1}`, toText(item), texts);
    if (k % STRETCH === STRETCH - 1) await breathe();
  }
  return rows.finish('JSON');
}

async function readColumns(value: Json, breathe: Breathe): Promise<PastedPoints> {
  const names = Object.keys(value);
  if (names.length === 0) throw new PasteError('The JSON is an empty object.');
  const lists = findPositionColumns(names).map((k) => value[names[k]]);
  if (lists.length !== 3 || !lists.every(Array.isArray))
    throw new PasteError('x, y and z of the JSON are not three lists of numbers.');
  const [x, y, z] = lists as unknown[][];
  if (x.length !== y.length || x.length !== z.length)
    throw new PasteError(toPrintable(`x, y and z have ${x.length}, ${y.length} and ${z.length} values.`));
  return readTriples(
    x.map((first, k) => [first, y[k], z[k]]),
    breathe,
  );
}
