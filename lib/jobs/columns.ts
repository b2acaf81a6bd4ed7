/** Names of columns, as CAVE names them: `pt_position` → `pt_supervoxel_id`, `pt_root_id`. */
import { TableError } from '../base/errors.ts';

export interface OutputNaming {
  /** Column that holds whole positions; its name without `_position` goes before every output. */
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

export function outputNames({ position, kind, stopLayer, channels = 1, snaps = false }: OutputNaming): string[] {
  const prefix = position === undefined ? '' : `${position.replace(/_position$/, '')}_`;
  const names = kind === 'values' ? (channels === 1 ? ['value'] : Array.from({ length: channels }, (_, c) => `value_${c}`)) : ['supervoxel_id'];
  if (kind === 'graph') names.push(stopLayer === undefined ? 'root_id' : `l${stopLayer}_id`);
  if (snaps) names.push('snapped_nm');
  return [...names, 'status'].map((name) => prefix + name);
}

/**
 * The column that holds the IDs of a kind, such as `root_id`: the one named, or called just so, or the only one whose name ends so, or the only one at all.
 * @returns its name, and what precedes the kind in it, which goes before the names of the outputs.
 * @throws TableError MISSING_COLUMN.
 */
export function idColumnIn(found: readonly string[], kind: string, named?: string): { name: string; prefix: string } {
  // What `latest` wrote stands beside the roots it was asked about.
  const all = found.filter((name) => name.endsWith(`_${kind}`)), ending = all.length > 1 ? all.filter((name) => !name.endsWith('latest_root_id')) : all;
  const name = named ?? (found.includes(kind) ? kind : ending.length === 1 ? ending[0] : found.length === 1 ? found[0] : undefined);
  if (name === undefined || !found.includes(name)) {
    const why = name === undefined && ending.length > 1 ? `${ending.length} columns could be the ${kind}: name one` : `no column ${JSON.stringify(name ?? kind)}`;
    throw new TableError('MISSING_COLUMN', `${why}; columns found: ${found.join(', ')}`);
  }
  return { name, prefix: name.endsWith(`_${kind}`) ? name.slice(0, -kind.length) : '' };
}
