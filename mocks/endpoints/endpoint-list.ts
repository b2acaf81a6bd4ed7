/**
 * All endpoints of the chunkedgraph server: their paths, the permissions they require, and their handlers.
 */
import { minimalCoveringNodesEndpoint } from './covering-nodes-endpoint.ts';
import {
  childrenEndpoint,
  l2ChunkChildrenEndpoint,
  l2ChunkChildrenBinaryEndpoint,
  leavesEndpoint,
  leavesManyEndpoint,
} from './node-endpoints.ts';
import {
  changeLogEndpoint,
  operationDetailsEndpoint,
  tabularChangeLogRecentEndpoint,
  userOperationsEndpoint,
} from './change-log-endpoints.ts';
import { layer2GraphEndpoint, subgraphEndpoint } from './edge-endpoints.ts';
import { mergeEndpoint, redoEndpoint, splitEndpoint, undoEndpoint } from './edit-endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { findPathEndpoint } from './find-path-endpoint.ts';
import {
  deltaRootsEndpoint,
  lastEditEndpoint,
  lineageGraphEndpoint,
  lineageGraphMultipleEndpoint,
  oldestTimestampEndpoint,
  pastIdMappingEndpoint,
} from './lineage-endpoints.ts';
import {
  mergeLogEndpoint,
  rootChangeLogEndpoint,
  tabularChangeLogEndpoint,
  tabularChangeLogManyEndpoint,
} from './root-change-log-endpoints.ts';
import { isLatestRootsEndpoint, rootTimestampsEndpoint, validNodesEndpoint } from './root-time-endpoints.ts';
import {
  rootOfNodeEndpoint,
  rootsEndpoint,
  rootsBinaryEndpoint,
  rootsFromCoordsEndpoint,
} from './root-endpoints.ts';
import {
  apiVersionsEndpoint,
  serverVersionEndpoint,
  infoEndpoint,
  startPageEndpoint,
} from './service-endpoints.ts';
import { splitPreviewEndpoint } from './split-preview-endpoint.ts';

/** Matches a path of the server, below `/segmentation/`. */
const server = (path: string): RegExp => new RegExp(`^/segmentation/${path}$`);
/** Matches a path of a table, below `/segmentation/api/v1/table/NAME/`. */
const at = (path: string): RegExp => server(`api/v1/table/(?<table>[^/]+)/${path}`);

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: server('table/(?<table>[^/]+)/info'), permission: 'view', answer: infoEndpoint },
  { method: 'GET', path: server('api/versions'), permission: 'token', answer: apiVersionsEndpoint },
  { method: 'GET', path: server('api/version'), permission: 'token', answer: serverVersionEndpoint },
  { method: 'GET', path: server('(api/v1/)?(index)?'), permission: 'token', answer: startPageEndpoint },

  { method: 'POST', path: at('roots_binary'), permission: 'view', answer: rootsBinaryEndpoint },
  { method: 'POST', path: at('roots'), permission: 'view', answer: rootsEndpoint },
  { method: 'GET', path: at('node/(?<id>[^/]+)/root'), permission: 'view', answer: rootOfNodeEndpoint },
  { method: 'POST', path: at('is_latest_roots'), permission: 'view', answer: isLatestRootsEndpoint },
  { method: 'POST', path: at('root_timestamps'), permission: 'view', answer: rootTimestampsEndpoint },
  { method: 'GET', path: at('valid_nodes'), permission: 'view', answer: validNodesEndpoint },
  { method: 'POST', path: at('roots_from_coords'), permission: 'view', answer: rootsFromCoordsEndpoint },

  { method: 'GET', path: at('node/(?<id>[^/]+)/leaves'), permission: 'view', answer: leavesEndpoint },
  { method: 'POST', path: at('(node/)?leaves_many'), permission: 'view', answer: leavesManyEndpoint },
  { method: 'GET', path: at('node/(?<id>[^/]+)/children'), permission: 'view', answer: childrenEndpoint },
  {
    method: 'GET',
    path: at('l2_chunk_children/(?<chunk>[^/]+)'),
    permission: 'view',
    answer: l2ChunkChildrenEndpoint,
  },
  {
    method: 'GET',
    path: at('l2_chunk_children_binary/(?<chunk>[^/]+)'),
    permission: 'view',
    answer: l2ChunkChildrenBinaryEndpoint,
  },
  {
    method: 'GET',
    path: at('node/(?<id>[^/]+)/lvl2_graph'),
    permission: 'view',
    answer: layer2GraphEndpoint,
  },
  { method: 'GET', path: at('node/(?<id>[^/]+)/subgraph'), permission: 'view', answer: subgraphEndpoint },
  {
    method: 'POST',
    path: at('minimal_covering_nodes'),
    permission: 'view',
    answer: minimalCoveringNodesEndpoint,
  },

  {
    method: 'GET',
    path: at('root/(?<id>[^/]+)/lineage_graph'),
    permission: 'view',
    answer: lineageGraphEndpoint,
  },
  {
    method: 'POST',
    path: at('lineage_graph_multiple'),
    permission: 'view',
    answer: lineageGraphMultipleEndpoint,
  },
  { method: 'GET', path: at('past_id_mapping'), permission: 'view', answer: pastIdMappingEndpoint },
  { method: 'GET', path: at('delta_roots'), permission: 'view', answer: deltaRootsEndpoint },
  { method: 'GET', path: at('oldest_timestamp'), permission: 'view', answer: oldestTimestampEndpoint },
  { method: 'GET', path: at('root/(?<id>[^/]+)/last_edit'), permission: 'view', answer: lastEditEndpoint },

  { method: 'GET', path: at('change_log'), permission: 'superadmin', answer: changeLogEndpoint },
  {
    method: 'GET',
    path: at('tabular_change_log_recent'),
    permission: 'admin_view',
    answer: tabularChangeLogRecentEndpoint,
  },
  { method: 'GET', path: at('user_operations'), permission: 'admin_view', answer: userOperationsEndpoint },
  {
    method: 'GET',
    path: at('root/(?<id>[^/]+)/change_log'),
    permission: 'view',
    answer: rootChangeLogEndpoint,
  },
  {
    method: 'GET',
    path: at('root/(?<id>[^/]+)/tabular_change_log'),
    permission: 'view',
    answer: tabularChangeLogEndpoint,
  },
  {
    method: 'GET',
    path: at('tabular_change_log_many'),
    permission: 'view',
    answer: tabularChangeLogManyEndpoint,
  },
  { method: 'GET', path: at('root/(?<id>[^/]+)/merge_log'), permission: 'view', answer: mergeLogEndpoint },
  { method: 'GET', path: at('operation_details'), permission: 'view', answer: operationDetailsEndpoint },

  { method: 'POST', path: at('merge'), permission: 'edit', answer: mergeEndpoint },
  { method: 'POST', path: at('split'), permission: 'edit', answer: splitEndpoint },
  { method: 'POST', path: at('undo'), permission: 'edit', answer: undoEndpoint },
  { method: 'POST', path: at('redo'), permission: 'edit', answer: redoEndpoint },
  { method: 'POST', path: at('graph/split_preview'), permission: 'view', answer: splitPreviewEndpoint },
  { method: 'POST', path: at('graph/find_path'), permission: 'view', answer: findPathEndpoint },
];
