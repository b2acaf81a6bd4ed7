/** Finds where the position is in the columns of a table, by their names. */
import { findAxisColumns, findPointStem } from '../../lib/jobs/columns.ts';
import { PasteError } from './pasted-points.ts';
import { toPrintable } from '../../lib/base/printable.ts';

/** Indices of the columns of a position: three, or one with whole positions. */
export type PositionColumns = readonly [number, number, number] | readonly [number];

/**
 * Finds the columns x, y and z; else the only three columns such as `pt_position_x`, `_y` and `_z`; else the
 * only column `position`, or whose name ends with `_position`.
 *
 * @throws PasteError if there is none, or several.
 */
export function findPositionColumns(names: readonly string[]): PositionColumns {
  const axes = findAxisColumns(names).map((name) => names.indexOf(name));
  if (!axes.includes(-1)) return axes as [number, number, number];
  const triples = tripleColumns(names);
  const whole = names.flatMap((name, k) =>
    /^(?:.*_)?(?:position|point|coordinates?|xyz)$/i.test(name) ? [k] : [],
  );
  const found = triples.length > 0 ? triples : whole.map((k) => [k] as const);
  if (found.length === 1) return found[0];
  const list = toPrintable(names.join(', '), 200);
  throw new PasteError(
    found.length === 0
      ? `The table has no columns x, y and z, and no column position. Its columns are: ${list}`
      : `The table has several positions (${found.map((columns) => toPrintable(names[columns[0]], 40)).join(', ')}). Keep one, or name its columns x, y and z.`,
  );
}

function tripleColumns(names: readonly string[]): [number, number, number][] {
  return names.flatMap((name, k): [number, number, number][] => {
    const [, stem, mark, axis] = /^(.+)([_.])([xX])$/.exec(name) ?? [];
    if (stem === undefined) return [];
    const [y, z] = axis === 'x' ? ['y', 'z'] : ['Y', 'Z'];
    const columns = [name, `${stem}${mark}${y}`, `${stem}${mark}${z}`] as const;
    const indices = columns.map((column) => names.indexOf(column));
    return indices.includes(-1) || findPointStem([...columns]) === undefined
      ? []
      : [[k, indices[1], indices[2]]];
  });
}
