/**
 * Reads the positions of a JSON request into typed arrays, without an object for each of them: a body of
 * millions of brackets costs no more memory than its numbers. NaN, Infinity and -Infinity are read, because
 * Python's json module writes them, and the original reads them. Pure.
 * Source: bocklab/transform_service, app/main.py, `ColumnPointList` and `PointList`.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { JsonCursor } from './json-cursor.ts';
import { SchemaRefusal, tooMany } from './transform-error.ts';

const AXES = ['x', 'y', 'z'];

/** A list of numbers that grows, up to a bound. */
class NumberList {
  #numbers = new Float64Array(64);
  length = 0;

  /** @param maxPoints The bound, of the positions. @param each The numbers of a position. */
  constructor(
    readonly maxPoints: number,
    readonly each: number,
  ) {}

  /** @throws HttpRefusal 413. */
  push(value: number): void {
    if (this.length === this.maxPoints * this.each) throw tooMany(this.maxPoints);
    if (this.length === this.#numbers.length) {
      const grown = new Float64Array(Math.ceil(1.5 * this.length));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.length++] = value;
  }

  /** Returns the numbers. A view. */
  taken(): Float64Array {
    return this.#numbers.subarray(0, this.length);
  }
}

/**
 * Reads `{"x": […], "y": […], "z": […]}`; other members are ignored. Takes at most 10 bytes of memory for a byte
 * of the body.
 * @throws SchemaRefusal that names the place; HttpRefusal 413 for more than `maxPoints` positions.
 */
export function* readColumns(
  body: Buffer,
  maxPoints: number,
): PausableWork<Record<'x' | 'y' | 'z', Float64Array>> {
  const [x, y, z] = yield* readMembers(body, AXES, (cursor, name) =>
    readNumbers(cursor, name, new NumberList(maxPoints, 1)),
  );
  if (x.length !== y.length || x.length !== z.length)
    throw new SchemaRefusal(['body'], `x, y and z differ in length: ${x.length}, ${y.length}, ${z.length}`);
  return { x, y, z };
}

/**
 * Reads `{"locations": [[x, y, z], …]}`; other members are ignored.
 * @returns The positions, xyz interleaved.
 * @throws SchemaRefusal that names the place; HttpRefusal 413 for more than `maxPoints` positions.
 */
export function* readLocations(body: Buffer, maxPoints: number): PausableWork<Float64Array> {
  const [locations] = yield* readMembers(body, ['locations'], (cursor, name) =>
    readTriples(cursor, name, new NumberList(maxPoints, 3)),
  );
  return locations;
}

/** Reads the members that an object must have, in the order of their names. */
function* readMembers(
  body: Buffer,
  names: readonly string[],
  read: (cursor: JsonCursor, name: string) => PausableWork<Float64Array>,
): PausableWork<Float64Array[]> {
  const cursor = new JsonCursor(body),
    found = new Map<string, Float64Array>();
  if (!cursor.begins('object')) throw cursor.fault(`expected an object with ${names.join(', ')}`);
  for (let isFirst = true; cursor.hasItem('object', isFirst); isFirst = false) {
    const name = cursor.readName();
    if (!names.includes(name)) yield* cursor.skip();
    else if (found.has(name)) throw new SchemaRefusal(['body', name], 'the member is there twice');
    else found.set(name, yield* read(cursor, name));
  }
  cursor.end();
  return names.map((name) => {
    const values = found.get(name);
    if (!values) throw new SchemaRefusal(['body', name], 'field required', 'value_error.missing');
    return values;
  });
}

function* readNumbers(cursor: JsonCursor, name: string, list: NumberList): PausableWork<Float64Array> {
  if (!cursor.begins('list'))
    throw new SchemaRefusal(['body', name], 'expected a list of numbers', 'type_error.list');
  while (cursor.hasItem('list', list.length === 0)) {
    if (!cursor.readNumber())
      throw new SchemaRefusal(['body', name, list.length], 'expected a number', 'type_error.float');
    list.push(cursor.value);
    if (cursor.isPauseDue()) yield;
  }
  return list.taken();
}

function* readTriples(cursor: JsonCursor, name: string, list: NumberList): PausableWork<Float64Array> {
  if (!cursor.begins('list'))
    throw new SchemaRefusal(['body', name], 'expected a list of locations', 'type_error.list');
  for (let index = 0; cursor.hasItem('list', index === 0); index++) {
    readTriple(cursor, list, name, index);
    if (cursor.isPauseDue()) yield;
  }
  return list.taken();
}

function readTriple(cursor: JsonCursor, list: NumberList, name: string, index: number): void {
  const notThree = 'expected [x, y, z], three numbers';
  if (!cursor.begins('list')) throw new SchemaRefusal(['body', name, index], notThree, 'type_error.tuple');
  for (let axis = 0; axis < 3; axis++) {
    if (!cursor.hasItem('list', axis === 0))
      throw new SchemaRefusal(['body', name, index], notThree, 'value_error.tuple');
    if (!cursor.readNumber())
      throw new SchemaRefusal(['body', name, index, axis], 'expected a number', 'type_error.float');
    list.push(cursor.value);
  }
  if (cursor.hasItem('list', false))
    throw new SchemaRefusal(['body', name, index], notThree, 'value_error.tuple');
}
