/** Reads the points of a part: from three columns, or from one column of lists, structs or text. */
import { TableError } from '../../base/errors.ts';
import { PointStatus } from '../../points/status.ts';
import { DECIMALS, WHOLE_NUMBERS } from '../table.ts';
import type { BatchCells } from '../text/batch-cells.ts';
import { isMissingPosition, parsePosition, positionParts } from '../text/decimal.ts';
import { type ColumnType, type ColumnValues, isPresent, type TableField } from './column.ts';
import { countValues, INVALID_MARK, MISSING_MARK, readNumbers, valueText } from './column-numbers.ts';

const { invalidPoint, notLookedUp } = PointStatus;
const AXES = ['x', 'y', 'z'];

/** Reads one point per row. */
export class PointColumnReader {
  readonly #fields: readonly TableField[];
  /** The places of the columns among the columns of a part. */
  readonly #places: readonly number[];
  /** For each axis: whether its numbers are integers; undefined if their text tells. */
  readonly #areWhole: readonly boolean[] | undefined;
  #marks = new Uint8Array(0);

  /**
   * @param fields One column, or three.
   * @param places The places of the columns among the columns of a part.
   * @throws TableError BAD_FORMAT if the columns cannot hold points.
   */
  constructor(fields: readonly TableField[], places: readonly number[]) {
    this.#fields = fields;
    this.#places = places;
    const axes = fields.length === 3 ? fields.map(({ type }) => type) : axesOf(fields[0].type);
    const wrong = axes === undefined ? 0 : axes.findIndex((type) => !holdsNumbers(type));
    if (wrong >= 0) {
      const { name, typeName } = fields[fields.length === 3 ? wrong : 0];
      throw new TableError(
        'BAD_FORMAT',
        `column ${name} holds ${typeName}, which is not ${fields.length === 3 ? 'a coordinate' : 'a position: a list of three numbers, a struct of x, y and z, or text'}`,
      );
    }
    this.#areWhole = axes!.some(({ kind }) => kind === 'text') ? undefined : axes!.map(isWhole);
  }

  /**
   * Reads the points of a part into the cells of its batch.
   *
   * @param k The column of points.
   * @param row The index of the first row of the part in the batch.
   */
  read(columns: readonly ColumnValues[], rows: number, cells: BatchCells, k: number, row: number): void {
    const own = this.#places.map((place) => columns[place]),
      at = k * cells.rows + row,
      marks = this.#clearMarks(3 * rows);
    const hasMarks =
      own.length === 3
        ? readAxes(own, rows, cells.points, at, marks)
        : readWhole(own[0], rows, cells.points, at, marks);
    if (hasMarks) setStatuses(marks, rows, cells, at);
    this.#noteKinds(own, rows, cells, k, at);
  }

  /** Returns marks that hold 0. They are valid until the next call. */
  #clearMarks(count: number): Uint8Array {
    if (this.#marks.length < count) this.#marks = new Uint8Array(count);
    return this.#marks.subarray(0, count).fill(0);
  }

  #noteKinds(own: readonly ColumnValues[], rows: number, cells: BatchCells, k: number, at: number): void {
    const present = cells.pointStatus.subarray(at, at + rows);
    if (!this.#areWhole) {
      for (let i = 0; i < rows; i++) if (present[i] === 0) cells.noteNumbers(k, this.#textsOf(own, i));
    } else if (present.includes(0))
      this.#areWhole.forEach((areWhole, axis) => {
        cells.numberKinds[3 * k + axis] |= areWhole ? WHOLE_NUMBERS : DECIMALS;
      });
  }

  #textsOf(own: readonly ColumnValues[], i: number): string[] {
    return own.length === 3 ? own.map((column) => valueText(column, i)) : positionParts(valueText(own[0], i));
  }

  /** Describes a point that cannot be read and is not missing. @param i The row in the part. */
  describeInvalid(columns: readonly ColumnValues[], i: number): string {
    const own = this.#places.map((place) => columns[place]);
    if (own.length === 1) return describeValue(this.#fields[0], own[0], i, 'not [x, y, z]');
    const marks = new Uint8Array(i + 1);
    const axis = own.findIndex((column) => {
      readNumbers(column, i + 1, { out: new Float64Array(i + 1), at: 0, stride: 1, marks });
      return marks[i] !== 0;
    });
    return describeValue(this.#fields[axis], own[axis], i, 'not a finite number');
  }
}

/** Describes a value that cannot be read: `column x is null`, `column x: "abc" is not a number`. */
export function describeValue({ name }: TableField, column: ColumnValues, i: number, what: string): string {
  if (column.validity && !isPresent(column.validity, i)) return `column ${name} is null`;
  const text = valueText(column, i).slice(0, 60),
    isText = column.kind === 'text' || (column.kind === 'dictionary' && column.values.kind === 'text');
  return text.trim() === ''
    ? `column ${name} is empty`
    : `column ${name}: ${isText ? JSON.stringify(text) : text} is ${what}`;
}

/** Returns the types of the three coordinates that a column of positions holds. */
function axesOf(type: ColumnType): readonly ColumnType[] | undefined {
  if (type.kind === 'text') return [type, type, type];
  if (type.kind === 'list') return [type.item, type.item, type.item];
  if (type.kind !== 'struct') return undefined;
  const indices = axisIndices(type.fields.map(({ name }) => name));
  return indices?.map((index) => type.fields[index].type);
}

/** Returns where x, y and z are among the fields of a struct. */
function axisIndices(names: readonly string[]): number[] | undefined {
  const indices = AXES.map((axis) =>
    names.includes(axis) ? names.indexOf(axis) : names.indexOf(axis.toUpperCase()),
  );
  return indices.includes(-1) ? undefined : indices;
}

const holdsNumbers = ({ kind }: ColumnType): boolean =>
  kind === 'number' || kind === 'decimal' || kind === 'text';

const isWhole = (type: ColumnType): boolean =>
  type.kind === 'number' ? type.isInteger : type.kind === 'decimal' && type.scale <= 0;

/** Reads three columns. `marks` receives those of all x, then of all y, then of all z. */
function readAxes(
  own: readonly ColumnValues[],
  rows: number,
  points: Float64Array,
  at: number,
  marks: Uint8Array,
): boolean {
  let hasMarks = false;
  own.forEach((column, axis) => {
    const target = {
      out: points,
      at: 3 * at + axis,
      stride: 3,
      marks: marks.subarray(axis * rows, (axis + 1) * rows),
    };
    hasMarks = readNumbers(column, rows, target) || hasMarks;
  });
  return hasMarks;
}

/** Reads one column with whole positions. */
function readWhole(
  column: ColumnValues,
  rows: number,
  points: Float64Array,
  at: number,
  marks: Uint8Array,
): boolean {
  const hasMarks = readPositions(column, rows, points, at, marks),
    { validity } = column;
  if (!validity) return hasMarks;
  let hasNulls = false;
  for (let i = 0; i < rows; i++) {
    if (isPresent(validity, i)) continue;
    marks[i] = marks[rows + i] = marks[2 * rows + i] = MISSING_MARK;
    hasNulls = true;
  }
  return hasMarks || hasNulls;
}

function readPositions(
  column: ColumnValues,
  rows: number,
  points: Float64Array,
  at: number,
  marks: Uint8Array,
): boolean {
  switch (column.kind) {
    case 'struct': {
      const indices = axisIndices(column.fields.map(({ name }) => name))!;
      return readAxes(
        indices.map((index) => column.fields[index].values),
        rows,
        points,
        at,
        marks,
      );
    }
    case 'list':
      return readLists(column, rows, points, at, marks);
    case 'fixed-list': {
      const { size, values, validity } = column;
      const starts = Uint32Array.from({ length: rows }, (_, i) => i * size);
      return readLists(
        { starts, lengths: new Uint32Array(rows).fill(size), values, validity },
        rows,
        points,
        at,
        marks,
      );
    }
    case 'text':
      return readTextPositions(column, rows, points, at, marks);
    case 'dictionary': {
      const { values, indices, validity } = column,
        size = countValues(values),
        known = new Float64Array(3 * size),
        knownMarks = new Uint8Array(3 * size);
      const hasMarks = readWhole(values, size, known, 0, knownMarks);
      for (let i = 0; i < rows; i++) {
        if (validity && !isPresent(validity, i)) continue;
        for (let axis = 0; axis < 3; axis++) {
          points[3 * (at + i) + axis] = known[3 * indices[i] + axis];
          marks[axis * rows + i] = knownMarks[axis * size + indices[i]];
        }
      }
      return hasMarks;
    }
    default:
      throw new TypeError(`a column of kind ${column.kind} does not hold positions`);
  }
}

function readLists(
  { starts, lengths, values, validity }: Omit<Extract<ColumnValues, { kind: 'list' }>, 'kind'>,
  rows: number,
  points: Float64Array,
  at: number,
  marks: Uint8Array,
): boolean {
  const size = countValues(values),
    numbers = new Float64Array(size),
    numberMarks = new Uint8Array(size);
  const hasNumberMarks = readNumbers(values, size, { out: numbers, at: 0, stride: 1, marks: numberMarks });
  let hasMarks = hasNumberMarks;
  for (let i = 0, to = 3 * at; i < rows; i++, to += 3) {
    const start = starts[i];
    if (lengths[i] === 3 && start + 3 <= size) {
      points[to] = numbers[start];
      points[to + 1] = numbers[start + 1];
      points[to + 2] = numbers[start + 2];
      if (hasNumberMarks)
        for (let axis = 0; axis < 3; axis++) marks[axis * rows + i] = numberMarks[start + axis];
    } else if (!validity || isPresent(validity, i)) {
      marks[i] = INVALID_MARK;
      hasMarks = true;
    }
  }
  return hasMarks;
}

function readTextPositions(
  column: Extract<ColumnValues, { kind: 'text' }>,
  rows: number,
  points: Float64Array,
  at: number,
  marks: Uint8Array,
): boolean {
  const { validity } = column;
  let hasMarks = false;
  for (let i = 0; i < rows; i++) {
    if (validity && !isPresent(validity, i)) continue;
    const text = column.textAt(i),
      bytes = Buffer.from(text);
    if (parsePosition(bytes, 0, bytes.length, points, 3 * (at + i))) continue;
    marks[i] = INVALID_MARK;
    if (isMissingPosition(text)) marks[i] = marks[rows + i] = marks[2 * rows + i] = MISSING_MARK;
    hasMarks = true;
  }
  return hasMarks;
}

/** Removes each point with a mark. It is missing if all of its coordinates are. */
function setStatuses(marks: Uint8Array, rows: number, cells: BatchCells, at: number): void {
  for (let i = 0; i < rows; i++) {
    const sum = marks[i] | (marks[rows + i] << 2) | (marks[2 * rows + i] << 4);
    if (sum !== 0) cells.clearPoint(at + i, sum === ALL_MISSING ? notLookedUp : invalidPoint);
  }
}

const ALL_MISSING = MISSING_MARK | (MISSING_MARK << 2) | (MISSING_MARK << 4);
