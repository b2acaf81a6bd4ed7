/** The endpoints of the server: which path wants what of the user, and what answers it. */
import { minimalCoveringNodes } from './covering-nodes-endpoint.ts';
import { children, l2ChunkChildren, l2ChunkChildrenBinary, leaves, leavesMany } from './node-endpoints.ts';
import { changeLog, operationDetails, tabularChangeLogRecent, userOperations } from './change-log-endpoints.ts';
import { layer2Graph, subgraph } from './edge-endpoints.ts';
import { merge, redo, split, undo } from './edit-endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { findPath } from './find-path-endpoint.ts';
import {
  deltaRoots,
  lastEdit,
  lineageGraph,
  lineageGraphMultiple,
  oldestTimestamp,
  pastIdMapping,
} from './lineage-endpoints.ts';
import { mergeLog, rootChangeLog, tabularChangeLog, tabularChangeLogMany } from './root-change-log-endpoints.ts';
import { isLatestRoots, rootTimestamps, validNodes } from './root-time-endpoints.ts';
import { rootOfNode, roots, rootsBinary, rootsFromCoords } from './root-endpoints.ts';
import { apiVersions, serverVersion, serviceInfo, startPage } from './service-endpoints.ts';
import { splitPreview } from './split-preview-endpoint.ts';

/** Below the server's own path. */
const server = (path: string): RegExp => new RegExp(`^/segmentation/${path}$`);
/** Below the table's. */
const at = (path: string): RegExp => server(`api/v1/table/(?<table>[^/]+)/${path}`);

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: server('table/(?<table>[^/]+)/info'), need: 'view', answer: serviceInfo },
  { method: 'GET', path: server('api/versions'), need: 'token', answer: apiVersions },
  { method: 'GET', path: server('api/version'), need: 'token', answer: serverVersion },
  { method: 'GET', path: server('(api/v1/)?(index)?'), need: 'token', answer: startPage },

  { method: 'POST', path: at('roots_binary'), need: 'view', answer: rootsBinary },
  { method: 'POST', path: at('roots'), need: 'view', answer: roots },
  { method: 'GET', path: at('node/(?<id>[^/]+)/root'), need: 'view', answer: rootOfNode },
  { method: 'POST', path: at('is_latest_roots'), need: 'view', answer: isLatestRoots },
  { method: 'POST', path: at('root_timestamps'), need: 'view', answer: rootTimestamps },
  { method: 'GET', path: at('valid_nodes'), need: 'view', answer: validNodes },
  { method: 'POST', path: at('roots_from_coords'), need: 'view', answer: rootsFromCoords },

  { method: 'GET', path: at('node/(?<id>[^/]+)/leaves'), need: 'view', answer: leaves },
  { method: 'POST', path: at('(node/)?leaves_many'), need: 'view', answer: leavesMany },
  { method: 'GET', path: at('node/(?<id>[^/]+)/children'), need: 'view', answer: children },
  { method: 'GET', path: at('l2_chunk_children/(?<chunk>[^/]+)'), need: 'view', answer: l2ChunkChildren },
  {
    method: 'GET',
    path: at('l2_chunk_children_binary/(?<chunk>[^/]+)'),
    need: 'view',
    answer: l2ChunkChildrenBinary,
  },
  { method: 'GET', path: at('node/(?<id>[^/]+)/lvl2_graph'), need: 'view', answer: layer2Graph },
  { method: 'GET', path: at('node/(?<id>[^/]+)/subgraph'), need: 'view', answer: subgraph },
  { method: 'POST', path: at('minimal_covering_nodes'), need: 'view', answer: minimalCoveringNodes },

  { method: 'GET', path: at('root/(?<id>[^/]+)/lineage_graph'), need: 'view', answer: lineageGraph },
  { method: 'POST', path: at('lineage_graph_multiple'), need: 'view', answer: lineageGraphMultiple },
  { method: 'GET', path: at('past_id_mapping'), need: 'view', answer: pastIdMapping },
  { method: 'GET', path: at('delta_roots'), need: 'view', answer: deltaRoots },
  { method: 'GET', path: at('oldest_timestamp'), need: 'view', answer: oldestTimestamp },
  { method: 'GET', path: at('root/(?<id>[^/]+)/last_edit'), need: 'view', answer: lastEdit },

  { method: 'GET', path: at('change_log'), need: 'superadmin', answer: changeLog },
  {
    method: 'GET',
    path: at('tabular_change_log_recent'),
    need: 'admin_view',
    answer: tabularChangeLogRecent,
  },
  { method: 'GET', path: at('user_operations'), need: 'admin_view', answer: userOperations },
  { method: 'GET', path: at('root/(?<id>[^/]+)/change_log'), need: 'view', answer: rootChangeLog },
  { method: 'GET', path: at('root/(?<id>[^/]+)/tabular_change_log'), need: 'view', answer: tabularChangeLog },
  { method: 'GET', path: at('tabular_change_log_many'), need: 'view', answer: tabularChangeLogMany },
  { method: 'GET', path: at('root/(?<id>[^/]+)/merge_log'), need: 'view', answer: mergeLog },
  { method: 'GET', path: at('operation_details'), need: 'view', answer: operationDetails },

  { method: 'POST', path: at('merge'), need: 'edit', answer: merge },
  { method: 'POST', path: at('split'), need: 'edit', answer: split },
  { method: 'POST', path: at('undo'), need: 'edit', answer: undo },
  { method: 'POST', path: at('redo'), need: 'edit', answer: redo },
  { method: 'POST', path: at('graph/split_preview'), need: 'view', answer: splitPreview },
  { method: 'POST', path: at('graph/find_path'), need: 'view', answer: findPath },
];
