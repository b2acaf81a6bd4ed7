/**
 * A mocked chunkedgraph server. It computes its answers from a graph whose edits have timestamps.
 *
 * It behaves as PyChunkedGraph 2.21.1 was observed to behave, oddities included: unknown IDs are echoed, some
 * time ranges include their ends and others do not, and bad input gets status 500.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { editsFromCode, type EditsFromCode } from './edits-from-code.ts';
import type { TableContext } from './endpoints/endpoint.ts';
import { flaskApp } from './endpoints/flask-app.ts';
import { ENDPOINTS } from './endpoints/endpoint-list.ts';
import { infoJsonOf } from './endpoints/service-endpoints.ts';
import type { KnownUser, MockUser } from './endpoints/users.ts';
import type { Fault } from './faults.ts';
import type { GraphDescription } from './graph-description.ts';
import { buildGraph } from './graph-input.ts';
import type { LabelAt } from './graph/locate-supervoxels.ts';
import { splitterOf, type SplitVoxels } from './split-supervoxel.ts';
import type { MockOperation } from './graph/operation-log.ts';
import type { Multicut } from './graph/editor.ts';
import type { TimedGraph } from './graph/timed-graph.ts';
import { toMulticut, type GivenMulticuts } from './multicuts.ts';
import { mockServer, type MockServer } from './server.ts';

/** Options of {@link createMockChunkedGraph}: the graph's description, and how the server behaves. */
export interface MockChunkedGraphOptions extends GraphDescription {
  /** Name of the table, as in the URLs. @default 'mock' */
  table?: string;
  /**
   * Replaces `{DATA_DIR}` in the info's `data_dir`. `{HOST}` in either of them becomes the origin of the
   * request.
   * @default `{DATA_DIR}` stays
   */
  dataDir?: string;
  /**
   * A token whose owner may do everything. With it, every request needs a token.
   * @default no token is needed
   */
  token?: string;
  /** Users by token. With it, every request needs a token. @default no token is needed */
  tokens?: Readonly<Record<string, MockUser>>;
  /** The dataset that permissions are for. Refusals name it. @default the table */
  dataset?: string;
  /** Users' names for change logs, by user ID. They are added to the users of `tokens`. @default {} */
  users?: Readonly<Record<string, KnownUser>>;
  /** The server's clock, in milliseconds since 1970. @default Date.now */
  clock?: () => number;
  /**
   * Turns off the oddities of the real server:
   * - an unknown ID always gets root 0
   * - form bodies are read
   * - binary answers have a binary content type
   * - every time range includes its ends
   * - `last_edit` works
   * - a merge adds exactly the requested edge
   * - edges that a split removed stay removed
   * - points of edits may be near the volume's edge
   * @default false
   */
  strict?: boolean;
  /**
   * The edges that each mincut split removes. A mincut split that is not listed gets status 500.
   * @default none
   */
  multicuts?: GivenMulticuts;
  /**
   * Reads the watershed. An edit over HTTP that names a root and a point needs it to find the supervoxel.
   * @default the first supervoxel of the root in the point's graph chunk is used
   */
  labelAt?: LabelAt;
  /**
   * Splits the voxels of a supervoxel, and answers as a server of version 3: a split whose points lie in one
   * supervoxel splits that supervoxel first. `buildWorld` sets it for `supervoxelSplits`.
   * @default supervoxels cannot split
   */
  splitVoxels?: SplitVoxels;
  /** Milliseconds after its timestamp at which an edit over HTTP can be read and is answered. @default 0 */
  visibleAfterMs?: number;
  /** Waits for `visibleAfterMs`. A test may pass its own function. @default a timer */
  wait?: (ms: number) => Promise<unknown>;
  /** Faults of the server, in order of precedence. @default none */
  faults?: Fault[];
}

/**
 * A mocked chunkedgraph: a server to mount at `/segmentation`, and methods that edit its graph without HTTP.
 */
export interface MockChunkedGraph extends MockServer, EditsFromCode {
  /** Name of the table, as in the URLs. */
  readonly table: string;
  /** The graph that answers are computed from. */
  readonly graph: TimedGraph;
  /** The operation log, in the order of the operation IDs, which count from 1. */
  readonly operations: readonly MockOperation[];
}

/**
 * Creates a mocked chunkedgraph. Mount it at `/segmentation` with `serveMocks` or `nockMocks`.
 *
 * @throws RangeError or SyntaxError for a description whose parts do not match, such as an edge of an unknown
 *   supervoxel.
 * @example
 * const id = supervoxelId(graphInfo(), [0, 0, 0], 1);
 * const graph = createMockChunkedGraph({ info: graphInfo(), supervoxels: [id], edges: [] });
 */
export function createMockChunkedGraph(options: MockChunkedGraphOptions): MockChunkedGraph {
  const { clock = Date.now, faults } = options;
  const context = contextOf(options, clock);
  const { table, graph, editor } = context;
  const app = flaskApp(ENDPOINTS, context, {
    tokens: tokensOf(options),
    dataset: options.dataset ?? table,
    now: clock,
  });
  return {
    ...mockServer(app, { faults, wholePath: true }),
    table,
    graph,
    operations: editor.operations,
    ...editsFromCode(context),
  };
}

function contextOf(options: MockChunkedGraphOptions, clock: () => number): TableContext {
  const { table = 'mock', info, strict = false, labelAt, visibleAfterMs = 0 } = options;
  const multicut = (graph: TimedGraph): Multicut => toMulticut(graph, options.multicuts);
  const editor = buildGraph(options, { exact: strict, multicut });
  const { graph } = editor;
  let liveMs = -Infinity; // now is never before the newest edit, even with a clock that does not move
  const now = (): number => Math.max(clock(), liveMs);
  return {
    table,
    info,
    infoJson: infoJsonOf(info, options.dataDir),
    graph,
    editor,
    strict,
    users: usersOf(options),
    labelAt,
    splitSupervoxel: options.splitVoxels && splitterOf(graph, options.splitVoxels),
    now,
    nextEditMs: () => (liveMs = Math.max(Math.floor(now()), graph.newestMs + 1)),
    runInTurn: jobQueue(),
    visibleAfterMs,
    wait: options.wait ?? wait,
  };
}

function tokensOf({ token, tokens }: MockChunkedGraphOptions): Record<string, MockUser> | undefined {
  if (token === undefined) return tokens;
  return { [token]: { admin: true }, ...tokens };
}

function usersOf({ tokens = {}, users }: MockChunkedGraphOptions): Record<string, KnownUser> {
  const named = Object.values(tokens).flatMap(({ id = 1, name }) =>
    name === undefined ? [] : [[id, { name }] as const],
  );
  return { ...Object.fromEntries(named), ...users };
}

/** Returns a function that runs jobs one after the other. A job that fails does not stop the next. */
function jobQueue(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = last.then(job);
    last = result.catch(() => undefined);
    return result;
  };
}
