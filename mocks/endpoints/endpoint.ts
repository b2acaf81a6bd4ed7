/** The types of an endpoint and of the data that it answers from. */
import type { MockGraphInfo } from '../graph/node-id-layout.ts';
import type { LabelAt } from '../graph/locate-supervoxels.ts';
import type { Editor } from '../graph/editor.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { MockRequest, MockResponse } from '../message.ts';
import type { KnownUser, MockUser, RequiredPermission } from './users.ts';

/** A request that has passed the checks of the token, the method and the table. */
export interface EndpointRequest extends MockRequest {
  /** Named groups of the endpoint's path, decoded. */
  parts: Record<string, string>;
  user: MockUser;
}

/**
 * Splits a supervoxel by its voxels, and returns the IDs of the parts. `timeMs` is the timestamp of the edit
 * that it belongs to, in milliseconds since 1970.
 */
export type SplitSupervoxel = (
  id: bigint,
  partOf: (x: number, y: number, z: number) => number,
  timeMs: number,
) => bigint[];

/** The data that endpoints answer from: one table. */
export interface TableContext {
  table: string;
  info: MockGraphInfo;
  /** The info to answer. The origin of the request replaces `{HOST}`. */
  infoJson: string;
  graph: TimedGraph;
  editor: Editor;
  strict: boolean;
  /** Users by ID, for change logs. */
  users: Readonly<Record<string, KnownUser>>;
  /** Reads the watershed at the points of edits. */
  labelAt?: LabelAt;
  /** Splits a supervoxel in the graph and in the voxels. Undefined where supervoxels cannot split. */
  splitSupervoxel?: SplitSupervoxel;
  /** The server's clock, in milliseconds since 1970. */
  now: () => number;
  /** The timestamp of an edit made now. It is after all other edits. */
  nextEditMs: () => number;
  /** Runs edits one after the other. */
  runInTurn: <T>(edit: () => Promise<T>) => Promise<T>;
  /** Milliseconds after its timestamp at which an edit can be read. */
  visibleAfterMs: number;
  /** Waits for `visibleAfterMs`. */
  wait: (ms: number) => Promise<unknown>;
}

/** Answers a request to an endpoint. */
export type EndpointHandler = (
  context: TableContext,
  request: EndpointRequest,
) => MockResponse | Promise<MockResponse>;

/** A path of the server, who may use it, and its handler. */
export interface Endpoint {
  method: 'GET' | 'POST';
  /** Matches the whole path. If it has a group named `table`, that table must exist. */
  path: RegExp;
  permission: RequiredPermission;
  answer: EndpointHandler;
}
