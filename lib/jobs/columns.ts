/** Names of columns, as CAVE names them: `pt_position` → `pt_supervoxel_id`, `pt_root_id`. */
import { TableError } from '../base/errors.ts';
import { statusCode } from '../points/status.ts';
import { isMissing } from '../tables/missing.ts';
import type { PointColumns } from '../tables/table.ts';

export interface OutputNaming {
  /** Column of whole positions, or what the names of three begin with; without `_position` it goes before every output. */
  position?: string;
  /** `graph`: supervoxel and root; `supervoxels`: no root; `values`: one column a channel. */
  kind: 'graph' | 'supervoxels' | 'values';
  /** Layer asked for instead of the root. */
  stopLayer?: number;
  /** @default 1 */
  channels?: number;
  /** Whether points may snap: how far comes before the status. @default false */
  snaps?: boolean;
}

export function outputNames({
  position,
  kind,
  stopLayer,
  channels = 1,
  snaps = false,
}: OutputNaming): string[] {
  const prefix = position === undefined ? '' : `${position.replace(/_position$/, '')}_`;
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

/** What stands between the name of a point and its axes: CAVE's `pt_position_x`, and `soma.x`. */
const AXIS_ENDS = ['_x,_y,_z', '_X,_Y,_Z', '.x,.y,.z', '.X,.Y,.Z'].map((ends) => ends.split(','));

/**
 * The columns of a point: the one named, or the three whose names begin so and end with an axis.
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
      `no column ${JSON.stringify(position)}, nor ${position}_x, ${position}_y and ${position}_z; columns found: ${found.join(', ')}`,
    );
  return axes as [string, string, string];
}

/** What the names of three columns begin with, where they are the axes of a named point: `pre_pt_position`. */
export function findPointStem(columns: PointColumns): string | undefined {
  for (const ends of AXIS_ENDS) {
    const stem = columns[0].slice(0, -ends[0].length);
    if (stem !== '' && columns.length === 3 && columns.every((name, axis) => name === stem + ends[axis]))
      return stem;
  }
  return undefined;
}

/** The columns of a point that nobody named: x, y and z, in lower case where there are both. */
export function findAxisColumns(found: readonly string[]): PointColumns {
  const axis = (name: string): string =>
    !found.includes(name) && found.includes(name.toUpperCase()) ? name.toUpperCase() : name;
  return [axis('x'), axis('y'), axis('z')];
}

/** A column of IDs. */
export interface IdColumn {
  name: string;
  /** What precedes the kind in its name, which goes before the names of the outputs. */
  prefix: string;
}

/** The columns named, or the one found. @throws TableError MISSING_COLUMN. */
export const findIdColumns = (
  found: readonly string[],
  kind: string,
  named: readonly string[] = [],
): IdColumn[] =>
  named.length > 0 ? named.map((name) => findIdColumn(found, kind, name)) : [findIdColumn(found, kind)];

/**
 * The column that holds the IDs of a kind, such as `root_id`: the one named, or called just so, or the only one whose name ends so, or the only one at all.
 * @throws TableError MISSING_COLUMN.
 */
export function findIdColumn(found: readonly string[], kind: string, named?: string): IdColumn {
  // What `latest` wrote stands beside the roots it was asked about.
  const all = found.filter((name) => name.endsWith(`_${kind}`)),
    ending = all.length > 1 ? all.filter((name) => !name.endsWith('latest_root_id')) : all;
  const name =
    named ??
    (found.includes(kind)
      ? kind
      : ending.length === 1
        ? ending[0]
        : found.length === 1
          ? found[0]
          : undefined);
  if (name === undefined || !found.includes(name)) {
    const several = name === undefined && ending.length > 1;
    const why = several
      ? `${ending.length} columns could be the ${kind}: name one or more with --column`
      : `no column ${JSON.stringify(name ?? kind)}`;
    throw new TableError('MISSING_COLUMN', `${why}; columns found: ${found.join(', ')}`);
  }
  return { name, prefix: name.endsWith(`_${kind}`) ? name.slice(0, -kind.length) : '' };
}

/**
 * Where statuses go: to `status`, or where a `status` would be somebody else's to a column of another name.
 * @param other The other name, without the prefix.
 */
export function chooseStatusColumn(
  found: readonly string[],
  prefix: string,
  other: string,
  isOurs: (status: string) => boolean,
): string {
  const status = `${prefix}status`,
    apart = prefix + other;
  return found.includes(apart) || !isOurs(status) ? apart : status;
}

/** Whether the cells of a column could be statuses: each is missing or one of our words. */
export function holdsStatuses(cells: Iterable<string>): boolean {
  for (const cell of cells) if (!isMissing(cell) && statusCode(cell.trim()) === undefined) return false;
  return true;
}
