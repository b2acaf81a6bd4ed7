/** Names of the columns a job writes, as CAVE names them: `pt_position` → `pt_supervoxel_id`, `pt_root_id`. */

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
