/**
 * A chunkedgraph server: answers computed from a graph with edits in time, with the manners of the real one.
 * Observed on PyChunkedGraph 2.21.1: what looks odd here (echoed unknown IDs, times that include or exclude their moment, 500 for
 * bad input) is what clients meet.
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
import type { MockOperation } from './graph/operation-log.ts';
import type { Multicut } from './graph/editor.ts';
import type { TimedGraph } from './graph/timed-graph.ts';
import { toMulticut, type GivenMulticuts } from './multicuts.ts';
import { mockServer, type MockServer } from './server.ts';

/** Options of `createMockChunkedGraph`: the graph, and how its server behaves. */
export interface MockChunkedGraphOptions extends GraphDescription {
  /** Name in the URLs. @default 'mock' */
  table?: string;
  /** In place of `{DATA_DIR}` in the info's `data_dir`; `{HOST}` in either stands for the origin the request came to. */
  dataDir?: string;
  /** Wanted of every request; whoever has it may do everything. @default none is asked for */
  token?: string;
  /** More tokens, each with what its owner may do. */
  tokens?: Readonly<Record<string, MockUser>>;
  /** What permissions are given for, as refusals name it. @default the table */
  dataset?: string;
  /** Names for change logs, by ID of the user. @default those of the tokens' users */
  users?: Readonly<Record<string, KnownUser>>;
  /** Milliseconds since 1970: the server's now. @default Date.now */
  clock?: () => number;
  /**
   * A server without quirks: unknown IDs get 0 whatever else is asked with them, form bodies are read, binary answers say so, every
   * time includes its moment, `last_edit` works, a merge adds the edge it was asked for, what a split removed stays so, and points of edits may be near the volume's
   * edge. @default false
   */
  strict?: boolean;
  /** What mincut splits remove; one that is not here is answered with status 500. @default none */
  multicuts?: GivenMulticuts;
  /**
   * The watershed, to find the supervoxel that an edit over HTTP means by a root and a point.
   * @default the first supervoxel of the root in the point's graph chunk
   */
  labelAt?: LabelAt;
  /** How long after its moment an edit over HTTP can be read; its own answer comes then, too. @default 0 */
  visibleAfterMs?: number;
  /** In place of a timer, for `visibleAfterMs`. */
  wait?: (ms: number) => Promise<unknown>;
  /** What goes wrong; more can be added later. @default none */
  faults?: Fault[];
}

/** A mocked chunkedgraph, to be mounted by `serveMocks` or `nockMocks`, with edits to call. */
export interface MockChunkedGraph extends MockServer, EditsFromCode {
  /** The name of the table. */
  readonly table: string;
  /** The graph itself, for specs that look inside. Its shape may change. */
  readonly graph: TimedGraph;
  /** The operation log, in the order of the IDs, which count from 1. */
  readonly operations: readonly MockOperation[];
}

/** @throws RangeError when the description does not fit together. */
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
  let liveMs = -Infinity; // with a clock that stands still, "now" still comes after what was done
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
    now,
    nextEditMs: () => (liveMs = Math.max(Math.floor(now()), graph.newestMs + 1)),
    runInTurn: oneByOne(),
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

/** Runs what it is given one after the other, whatever becomes of those before. */
function oneByOne(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const begun = last.then(job);
    last = begun.catch(() => undefined);
    return begun;
  };
}
