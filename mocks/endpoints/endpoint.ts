/** What an endpoint is, and what its answer is made from. */
import type { MockGraphInfo } from '../graph/node-id-layout.ts';
import type { LabelAt } from '../graph/locate-supervoxels.ts';
import type { Editor } from '../graph/editor.ts';
import type { TimedGraph } from '../graph/timed-graph.ts';
import type { MockRequest, MockResponse } from '../message.ts';
import type { KnownUser, MockUser, RequiredPermission } from './users.ts';

export interface EndpointRequest extends MockRequest {
  /** Groups of the endpoint's path, decoded. */
  parts: Record<string, string>;
  user: MockUser;
}

/** The server that endpoints speak for: one table. */
export interface TableContext {
  table: string;
  info: MockGraphInfo;
  /** The info as it is answered, but for `{HOST}`, which stands for the origin the request came to. */
  infoJson: string;
  graph: TimedGraph;
  editor: Editor;
  strict: boolean;
  /** By ID, for change logs. */
  users: Readonly<Record<string, KnownUser>>;
  /** The watershed, where edits have points. */
  labelAt?: LabelAt;
  /** Milliseconds since 1970. */
  now: () => number;
  /** The timestamp of an edit that is made now: after all others. */
  nextEditMs: () => number;
  /** Carries out edits one after the other. */
  runInTurn: <T>(edit: () => Promise<T>) => Promise<T>;
  /** Between an edit's timestamp and its being there to read. */
  visibleAfterMs: number;
  /** In place of a timer, for `visibleAfterMs`. */
  wait: (ms: number) => Promise<unknown>;
}

export type EndpointHandler = (
  context: TableContext,
  request: EndpointRequest,
) => MockResponse | Promise<MockResponse>;

export interface Endpoint {
  method: 'GET' | 'POST';
  /** The whole path; a group named `table` makes it an endpoint of a table, which wants the table to exist. */
  path: RegExp;
  permission: RequiredPermission;
  answer: EndpointHandler;
}
