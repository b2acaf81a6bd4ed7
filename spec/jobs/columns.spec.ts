import { expect, test } from '@jest/globals';
import { outputNames } from '../../lib/jobs/columns.ts';

test.each([
  [{ kind: 'graph' }, ['supervoxel_id', 'root_id', 'status']],
  [{ kind: 'graph', stopLayer: 2 }, ['supervoxel_id', 'l2_id', 'status']],
  [{ kind: 'graph', position: 'pt_position' }, ['pt_supervoxel_id', 'pt_root_id', 'pt_status']],
  [
    { kind: 'graph', position: 'pre_pt_position', stopLayer: 3 },
    ['pre_pt_supervoxel_id', 'pre_pt_l3_id', 'pre_pt_status'],
  ],
  [{ kind: 'graph', position: 'soma' }, ['soma_supervoxel_id', 'soma_root_id', 'soma_status']],
  [{ kind: 'supervoxels' }, ['supervoxel_id', 'status']],
  [{ kind: 'values' }, ['value', 'status']],
  [{ kind: 'values', position: 'pt_position' }, ['pt_value', 'pt_status']],
  [{ kind: 'values', channels: 3 }, ['value_0', 'value_1', 'value_2', 'status']],
  [
    { kind: 'graph', snaps: true, position: 'pt_position' },
    ['pt_supervoxel_id', 'pt_root_id', 'pt_snapped_nm', 'pt_status'],
  ],
  [{ kind: 'values', channels: 2, snaps: true }, ['value_0', 'value_1', 'snapped_nm', 'status']],
] as const)('outputs of %j are named %j', (naming, names) => expect(outputNames(naming)).toEqual(names));
