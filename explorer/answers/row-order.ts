/** Which rows the table shows, in which order. */
import { Change, type Answers } from './answers.ts';

export interface RowFilter {
  /** A status code. */
  readonly status?: number;
  /** The beginning of a root ID, or all of it. */
  readonly root?: string;
  /** Only rows whose root differs at the second timestamp. */
  readonly changedOnly?: boolean;
  /** Only these rows. */
  readonly only?: ReadonlySet<number>;
}

/** A column that the table sorts by. `extra:2` is the third column of the reader's own. */
export interface RowSort {
  readonly column: string;
  readonly descending: boolean;
}

/** What rows are sorted by. */
export interface SortableRows {
  readonly coordinates: Float64Array;
  readonly answers: Answers;
  readonly columns: readonly { readonly values: readonly string[] }[];
}

/** Returns the rows that pass the filter, in the order of the points. */
export function filterRows(answers: Answers, { status, root, changedOnly, only }: RowFilter): Uint32Array {
  // A root is compared once, not for each of its rows.
  const isWanted = root
    ? Uint8Array.from(answers.roots.texts, (text) => (text.startsWith(root) ? 1 : 0))
    : undefined;
  const rows = new Uint32Array(answers.rows);
  let count = 0;
  for (let row = 0; row < answers.rows; row++)
    if (
      (status === undefined || answers.status[row] === status) &&
      (!isWanted || isWanted[answers.root[row]] === 1) &&
      (!changedOnly || answers.change[row] === Change.changed) &&
      (!only || only.has(row))
    )
      rows[count++] = row;
  return rows.subarray(0, count);
}

/** Sorts rows in place. Equal rows keep their order; rows without a value come last. */
export function sortRows(
  rows: Uint32Array,
  { column, descending }: RowSort,
  data: SortableRows,
): Uint32Array {
  const keyOf = keysOf(column, data);
  if (!keyOf) return descending ? rows.reverse() : rows;
  // Keys of rows side by side: a native sort of numbers takes a tenth of the time of one with a function.
  const keys = Float64Array.from(rows, (row) => keyOf(row));
  const places = Uint32Array.from(keys, (_, k) => k);
  const sign = descending ? -1 : 1;
  places.sort((a, b) => {
    const x = keys[a],
      y = keys[b];
    if (x === y) return a - b;
    if (Number.isNaN(x)) return Number.isNaN(y) ? a - b : 1;
    return Number.isNaN(y) ? -1 : sign * (x - y);
  });
  return (rows.set(Uint32Array.from(places, (place) => rows[place])), rows);
}

/** Returns the number that a row is sorted by; NaN for no value. Undefined for the order of the points. */
function keysOf(
  column: string,
  { coordinates, answers, columns }: SortableRows,
): ((row: number) => number) | undefined {
  const axis = ['x', 'y', 'z'].indexOf(column);
  if (axis >= 0) return (row) => coordinates[3 * row + axis];
  if (column === 'status') return (row) => answers.status[row];
  if (column === 'change') return (row) => -answers.change[row];
  const ids = { supervoxel: answers.supervoxels, root: answers.roots, otherRoot: answers.roots }[column];
  if (ids) {
    const ranks = rankIds(ids.texts),
      indices = answers[column as 'supervoxel' | 'root' | 'otherRoot'];
    return (row) => ranks[indices[row]];
  }
  const [, extra] = /^extra:(\d+)$/.exec(column) ?? [];
  if (extra === undefined) return undefined;
  const { values } = columns[Number(extra)];
  const ranks = rankTexts(values);
  return (row) => ranks[row];
}

/** The place of each ID among all, by value; NaN for no ID. Shorter decimal texts are smaller. */
function rankIds(texts: readonly string[]): Float64Array {
  const order = texts.map((_, k) => k).slice(1);
  order.sort((a, b) => texts[a].length - texts[b].length || (texts[a] < texts[b] ? -1 : 1));
  const ranks = new Float64Array(texts.length).fill(NaN);
  for (const [rank, index] of order.entries()) ranks[index] = rank;
  return ranks;
}

/** The place of each text: by number if all that are not empty are numbers, else by letters. */
function rankTexts(values: readonly string[]): Float64Array {
  const numbers = Float64Array.from(values, (text) => (text.trim() === '' ? NaN : Number(text)));
  if (
    values.every((text, k) => text.trim() === '' || !Number.isNaN(numbers[k])) &&
    values.every((text) => text.length < 16)
  )
    return numbers;
  const distinct = [...new Set(values)].filter((text) => text !== '').sort();
  const ranks = new Map(distinct.map((text, rank) => [text, rank]));
  return Float64Array.from(values, (text) => ranks.get(text) ?? NaN);
}
