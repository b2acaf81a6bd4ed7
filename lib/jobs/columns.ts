/**
 * Chooses the input columns of a table and names its output columns, as CAVE does: `pt_position` gives
 * `pt_supervoxel_id` and `pt_root_id`.
 */
import { TableError } from '../base/errors.ts';
import { statusCode } from '../points/status.ts';
import { isMissing } from '../tables/missing.ts';
import type { PointColumns } from '../tables/table.ts';

/** What the names of the output columns depend on. */
export interface OutputNaming {
  /**
   * The position column, or the start of the names of three columns. Without `_position`, it is the prefix of
   * every output.
   */
  position?: string;
  /** The name of another volume than the main one. It stands before the kinds of columns. */
  volume?: string;
  /** `graph`: supervoxel and root; `supervoxels`: no root; `values`: one column per channel. */
  kind: 'graph' | 'supervoxels' | 'values';
  /** The layer that is looked up instead of the root. */
  stopLayer?: number;
  /** @default 1 */
  channels?: number;
  /** Whether points may snap. The distance is then written before the status. @default false */
  snaps?: boolean;
}

/** Returns the names of the output columns of one point. */
export function outputNames({
  position,
  volume,
  kind,
  stopLayer,
  channels = 1,
  snaps = false,
}: OutputNaming): string[] {
  const prefix =
    (position === undefined ? '' : `${position.replace(/_position$/, '')}_`) +
    (volume === undefined ? '' : `${volume}_`);
  const names =
    kind === 'values'
      ? channels === 1
        ? ['value']
        : Array.from({ length: channels }, (_, c) => `value_${c}`)
      : ['supervoxel_id'];
  if (kind === 'graph') names.push(stopLayer === undefined ? 'root_id' : `l${stopLayer}_id`);
  if (snaps) names.push('snapped_nm');
  return [...names, 'status'].map((name) => prefix + name);
}

/** How the names of the three columns of a point may end: `pt_position_x` as in CAVE, or `soma.x`. */
const AXIS_ENDS = ['_x,_y,_z', '_X,_Y,_Z', '.x,.y,.z', '.X,.Y,.Z'].map((ends) => ends.split(','));

/**
 * Finds the columns of a point: the column with this name, or three columns whose names start with it and end
 * with an axis.
 *
 * @throws TableError MISSING_COLUMN.
 */
export function findPointColumns(found: readonly string[], position: string): PointColumns {
  if (found.includes(position)) return [position];
  const axes = AXIS_ENDS.map((ends) => ends.map((end) => position + end)).find((names) =>
    names.every((name) => found.includes(name)),
  );
  if (!axes)
    throw new TableError(
      'MISSING_COLUMN',
      `no column ${JSON.stringify(position)}, and no columns ${position}_x, ${position}_y and ${position}_z; columns found: ${found.join(', ')}`,
    );
  return axes as [string, string, string];
}

/** Checks that a table has the three columns of a point. @throws TableError MISSING_COLUMN. */
export function requireColumns(
  found: readonly string[],
  names: readonly [string, string, string],
): PointColumns {
  const missing = names.find((name) => !found.includes(name));
  if (missing !== undefined)
    throw new TableError(
      'MISSING_COLUMN',
      `no column ${JSON.stringify(missing)}; columns found: ${found.join(', ')}`,
    );
  return [...names];
}

/**
 * Returns the common start of the names of three columns that are the axes of a point, such as
 * `pre_pt_position`.
 */
export function findPointStem(columns: PointColumns): string | undefined {
  for (const ends of AXIS_ENDS) {
    const stem = columns[0].slice(0, -ends[0].length);
    if (stem !== '' && columns.length === 3 && columns.every((name, axis) => name === stem + ends[axis]))
      return stem;
  }
  return undefined;
}

/** Returns the default columns of a point: x, y and z, or X, Y and Z. If both exist, lower case wins. */
export function findAxisColumns(found: readonly string[]): PointColumns {
  const axis = (name: string): string =>
    !found.includes(name) && found.includes(name.toUpperCase()) ? name.toUpperCase() : name;
  return [axis('x'), axis('y'), axis('z')];
}

/** A column of IDs. */
export interface IdColumn {
  name: string;
  /** The part of the name before the kind. It is also the prefix of the outputs. */
  prefix: string;
}

/** Finds the named columns of IDs, or the only one if none is named. @throws TableError MISSING_COLUMN. */
export const findIdColumns = (
  found: readonly string[],
  kind: string,
  named: readonly string[] = [],
): IdColumn[] =>
  named.length > 0 ? named.map((name) => findIdColumn(found, kind, name)) : [findIdColumn(found, kind)];

/**
 * Finds the column with IDs of a kind, such as `root_id`. It is the named column; otherwise the column with
 * that name, the only column whose name ends with it, or the only column of the table.
 *
 * @throws TableError MISSING_COLUMN.
 */
export function findIdColumn(found: readonly string[], kind: string, named?: string): IdColumn {
  // A column latest_root_id is the output of `latest`, not its input.
  const all = found.filter((name) => name.endsWith(`_${kind}`)),
    candidates = all.length > 1 ? all.filter((name) => !name.endsWith('latest_root_id')) : all;
  const name =
    named ??
    (found.includes(kind)
      ? kind
      : candidates.length === 1
        ? candidates[0]
        : found.length === 1
          ? found[0]
          : undefined);
  if (name === undefined || !found.includes(name)) {
    const several = name === undefined && candidates.length > 1;
    const why = several
      ? `${candidates.length} columns could be the ${kind}: name one or more with --column`
      : `no column ${JSON.stringify(name ?? kind)}`;
    throw new TableError('MISSING_COLUMN', `${why}; columns found: ${found.join(', ')}`);
  }
  return { name, prefix: name.endsWith(`_${kind}`) ? name.slice(0, -kind.length) : '' };
}

/**
 * Chooses the column for statuses: `status`, or another name if the table has a `status` column with a
 * different meaning.
 *
 * @param other The other name, without the prefix.
 */
export function chooseStatusColumn(
  found: readonly string[],
  prefix: string,
  other: string,
  isUsable: (status: string) => boolean,
): string {
  const status = `${prefix}status`,
    otherName = prefix + other;
  return found.includes(otherName) || !isUsable(status) ? otherName : status;
}

/**
 * Returns whether the cells of a column can be statuses: each cell is missing or a status of this program.
 */
export function holdsStatuses(cells: Iterable<string>): boolean {
  for (const cell of cells) if (!isMissing(cell) && statusCode(cell.trim()) === undefined) return false;
  return true;
}
