/**
 * A chunkedgraph server: answers computed from a graph with edits in time, with the manners of the real one.
 * Observed on PyChunkedGraph 2.21.1: what looks odd here (echoed unknown IDs, times that include or exclude their moment, 500 for
 * bad input) is what clients meet.
 */
import type { TableContext } from './endpoints/answers.ts';
import type { MockUser } from './endpoints/users.ts';
import { changeLogEndpoints, type KnownUser } from './endpoints/change-log.ts';
import { editEndpoints } from './endpoints/edits.ts';
import { flaskApp } from './endpoints/flask-app.ts';
import { historyEndpoints } from './endpoints/history.ts';
import { nodeEndpoints } from './endpoints/nodes.ts';
import { rootEndpoints } from './endpoints/roots.ts';
import { serviceEndpoints } from './endpoints/service.ts';
import type { Fault } from './faults.ts';
import { buildGraph, toMs, type GraphDescription, type Id, type Moment } from './graph-input.ts';
import type { LabelAt } from './graph/locate.ts';
import type { EditContext, Edited, Multicut, Operation } from './graph/operations.ts';
import type { Edge } from './graph/edge-table.ts';
import type { TimedGraph } from './graph/timed-graph.ts';
import { mockServer, type MockServer } from './server.ts';

/** Which edges a multicut between two groups of supervoxels removes: the mock computes none. */
export interface GivenMulticut {
  sources: readonly Id[];
  sinks: readonly Id[];
  removed: readonly (readonly Id[])[];
}

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
  multicuts?:
    | readonly GivenMulticut[]
    | ((sources: bigint[], sinks: bigint[]) => readonly (readonly Id[])[] | undefined);
  /**
   * The watershed, to find the supervoxel that an edit over HTTP means by a root and a point.
   * @default the first supervoxel of the root in the point's graph chunk
   */
  labelAt?: LabelAt;
  /** How long after its moment an edit over HTTP can be read; its own answer comes then, too. @default 0 */
  visibleAfterMs?: number;
  /** In place of a timer, for `visibleAfterMs`. */
  wait?: (ms: number) => Promise<unknown>;
  faults?: Fault[];
}

export interface EditOptions {
  /** Not before the newest edit. @default the server's now */
  at?: Moment;
  /** ID of the user. @default '0' */
  user?: string;
}

export interface EditResult {
  /** null for an undo or redo of what is so already. */
  operationId: number | null;
  oldRootIds: bigint[];
  newRootIds: bigint[];
  newLayer2Ids: bigint[];
}

export interface MockChunkedGraph extends MockServer {
  readonly table: string;
  readonly graph: TimedGraph;
  /** The operation log, in the order of the IDs, which count from 1. */
  readonly operations: readonly Operation[];
  /**
   * Joins the objects of two supervoxels.
   * @throws EditError REFUSED for two of one object.
   * @throws RangeError for what is no supervoxel, or a moment before the newest edit.
   */
  merge(supervoxels: readonly [Id, Id], options?: EditOptions): EditResult;
  /**
   * Takes away edges, or, when given sources and sinks, what the option `multicuts` says for them.
   * @throws EditError REFUSED for supervoxels of several objects, FAILED without a multicut.
   */
  split(
    cut: { edges: readonly (readonly [Id, Id])[] } | { sources: readonly Id[]; sinks: readonly Id[] },
    options?: EditOptions,
  ): EditResult;
  /** @throws EditError FAILED for an unknown operation. */
  undo(operationId: number, options?: EditOptions): EditResult;
  redo(operationId: number, options?: EditOptions): EditResult;
}

/** @throws RangeError when the description does not fit together. */
export function createMockChunkedGraph(options: MockChunkedGraphOptions): MockChunkedGraph {
  const {
    table = 'mock',
    token,
    tokens,
    dataset = table,
    clock = Date.now,
    strict = false,
    faults,
    info,
  } = options;
  const named = Object.values(tokens ?? {}).flatMap(({ id = 1, name }) =>
    name === undefined ? [] : [[id, { name }] as const],
  );
  const users = { ...Object.fromEntries(named), ...options.users };
  const editor = buildGraph(options, {
    exact: strict,
    multicut: (graph) => multicutOf(graph, options.multicuts),
  });
  const { graph } = editor;
  let liveMs = -Infinity; // with a clock that stands still, "now" still comes after what was done
  const now = (): number => Math.max(clock(), liveMs);
  const nextMs = (): number => (liveMs = Math.max(Math.floor(now()), graph.newestMs + 1));
  const context: TableContext = { table, info, graph, editor, strict, now, nextMs };
  const endpoints = [
    ...serviceEndpoints(info, options.dataDir),
    ...rootEndpoints(context),
    ...nodeEndpoints(context),
    ...historyEndpoints(context),
    ...changeLogEndpoints(context, users),
    ...editEndpoints(context, {
      labelAt: options.labelAt,
      visibleAfterMs: options.visibleAfterMs ?? 0,
      wait: options.wait,
    }),
  ];
  const known =
    token === undefined && !tokens
      ? undefined
      : { ...(token === undefined ? {} : { [token]: { admin: true } }), ...tokens };
  const server = mockServer(flaskApp(endpoints, { table, tokens: known, dataset, strict, now: clock }), {
    faults,
    wholePath: true,
  });

  const supervoxel = (id: Id): number => graph.supervoxel(BigInt(id));
  const edit = ({ at, user = '0' }: EditOptions, carryOut: (context: EditContext) => Edited): EditResult => {
    const timeMs = at === undefined ? context.nextMs() : toMs(at);
    if (timeMs < graph.newestMs) throw new RangeError('edits must be given in the order of their times');
    const { operation, oldRoots, newRoots, newLayer2 } = carryOut({ user, timeMs });
    const ids = (nodes: readonly number[]): bigint[] => [...graph.nodes.idsOf(nodes)];
    return {
      operationId: operation && operation.id,
      oldRootIds: ids(oldRoots),
      newRootIds: ids(newRoots),
      newLayer2Ids: ids(newLayer2),
    };
  };
  return {
    ...server,
    table,
    graph,
    operations: editor.operations,
    merge: ([a, b], how = {}) =>
      edit(how, (context) => editor.merge([supervoxel(a), supervoxel(b)], context)),
    split: (cut, how = {}) =>
      edit(how, (context) =>
        'edges' in cut
          ? editor.split(
              cut.edges.map(([a]) => supervoxel(a)),
              cut.edges.map(([, b]) => supervoxel(b)),
              context,
            )
          : editor.cut(cut.sources.map(supervoxel), cut.sinks.map(supervoxel), context),
      ),
    undo: (id, how = {}) => edit(how, (context) => editor.undo(id, context)),
    redo: (id, how = {}) => edit(how, (context) => editor.redo(id, context)),
  };
}

function multicutOf(graph: TimedGraph, given: MockChunkedGraphOptions['multicuts'] = []): Multicut {
  const toEdges = (removed: readonly (readonly Id[])[] | undefined): Edge[] | undefined =>
    removed?.map(([a, b]) => [graph.supervoxel(BigInt(a)), graph.supervoxel(BigInt(b))] as const);
  const sorted = (ids: Iterable<Id>): string => [...new Set(Array.from(ids, String))].sort().join();
  if (typeof given === 'function')
    return (sources, sinks) => toEdges(given([...graph.nodes.idsOf(sources)], [...graph.nodes.idsOf(sinks)]));
  const byEnds = new Map(
    given.map(({ sources, sinks, removed }) => [`${sorted(sources)}|${sorted(sinks)}`, removed]),
  );
  return (sources, sinks) =>
    toEdges(byEnds.get(`${sorted(graph.nodes.idsOf(sources))}|${sorted(graph.nodes.idsOf(sinks))}`));
}
