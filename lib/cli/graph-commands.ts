/** The subcommands of `graphene-points graph`, as a table. None of them changes a graph. */
import type { ChunkedGraph } from '../chunkedgraph/api/chunked-graph.ts';
import type { Bounds } from '../chunkedgraph/api/check-arguments.ts';
import type { GraphPoint } from '../chunkedgraph/api/nodes.ts';
import { UsageError } from './io.ts';

/** The flags of the calls; `commands/graph-command.ts` defines them. */
export interface GraphFlags {
  timestamp?: string;
  from?: string;
  to?: string;
  bounds?: Bounds;
  resolution?: number[];
  stopLayer?: number;
  verify?: boolean;
  by?: 'level2' | 'supervoxels';
  unfiltered?: boolean;
  raw?: boolean;
  latest?: boolean;
  includeUndone?: boolean;
  precise?: boolean;
  source?: GraphPoint[];
  sink?: GraphPoint[];
  query?: Record<string, string>;
  body?: string;
  as?: 'json' | 'ids' | 'text';
}

interface CallContext {
  graph: ChunkedGraph;
  flags: GraphFlags;
  signal: AbortSignal;
}

interface CommandSummary {
  summary: string;
  options?: readonly (keyof GraphFlags)[];
  /** The required options. */
  required?: readonly (keyof GraphFlags)[];
}

/** A call on IDs. Each ID gets a line of its own, which begins with the ID. */
export interface IdGraphCommand extends CommandSummary {
  /** The kind of the IDs, which is also their column in tables. */
  ids: string;
  /** The maximum number of IDs per call. @default 1 */
  maxIds?: number;
  run(ids: bigint[], context: CallContext): Promise<readonly object[]>;
}

/** A call that takes no IDs. */
export interface OtherGraphCommand extends CommandSummary {
  ids?: undefined;
  /** The name of the argument after the cloud path. */
  argument?: string;
  /** Whether the names in the answer stay as the server writes them. */
  keepsNames?: boolean;
  run(context: CallContext, argument: string): Promise<Iterable<unknown>>;
}

const MAX_LOG_IDS = 200;
const WINDOW = ['from', 'to'] as const;

/** Defines a call on one ID at a time. */
const each = (
  summary: string,
  ids: string,
  options: readonly (keyof GraphFlags)[],
  run: (id: bigint, context: CallContext) => Promise<object>,
): IdGraphCommand => ({ summary, ids, options, run: async ([id], context) => [await run(id, context)] });

const pairs = (ids: BigUint64Array): bigint[][] =>
  Array.from({ length: ids.length / 2 }, (_, k) => [ids[2 * k], ids[2 * k + 1]]);

const toBounds = ({ bounds, resolution }: GraphFlags): Bounds | undefined =>
  bounds && { ...bounds, resolution };

/** All subcommands of `graphene-points graph`, by name, in the order of the help. */
export const GRAPH_COMMANDS: Readonly<Record<string, IdGraphCommand | OtherGraphCommand>> = {
  leaves: each(
    'Lists the supervoxels of a node, or its nodes of another layer',
    'root_id',
    ['bounds', 'resolution', 'stopLayer', 'verify'],
    async (id, { graph, flags, signal }) => ({
      leaves: await graph.leaves(id, {
        bounds: toBounds(flags),
        stopLayer: flags.stopLayer,
        verify: flags.verify,
        signal,
      }),
    }),
  ),
  children: each('Lists the direct children of a node', 'root_id', [], async (id, { graph, signal }) => ({
    children: await graph.children(id, { signal }),
  })),
  subgraph: each(
    'Lists the edges between the supervoxels of a node',
    'root_id',
    ['bounds', 'resolution'],
    async (id, { graph, flags, signal }) => {
      const { edges, affinities, areas } = await graph.subgraph(id, { bounds: toBounds(flags), signal });
      return { edges: pairs(edges), affinities, areas };
    },
  ),
  'level2-graph': each(
    'Lists the edges between the layer-2 nodes of a node',
    'root_id',
    ['bounds', 'resolution'],
    async (id, { graph, flags, signal }) => ({
      edges: pairs(await graph.level2Graph(id, { bounds: toBounds(flags), signal })),
    }),
  ),
  'chunk-children': each(
    'Lists the layer-2 nodes of a graph chunk with their supervoxels; the chunk is that of an ID of layer 1 or 2',
    'supervoxel_id',
    ['timestamp'],
    (id, { graph, signal }) => graph.l2ChunkChildren(id, { signal }),
  ),
  lineage: each(
    'Shows which roots a root was made from, and which roots replaced it',
    'root_id',
    WINDOW,
    (id, { graph, flags: { from, to }, signal }) => graph.lineageGraph(id, { from, to, signal }),
  ),
  'change-counts': each(
    'Counts the merges and splits in the history of a root, by user',
    'root_id',
    ['unfiltered'],
    (id, { graph, flags, signal }) => graph.changeLog(id, { filtered: !flags.unfiltered, signal }),
  ),
  'merge-log': each(
    'Lists the merges in the history of a root, with the edges they added',
    'root_id',
    [],
    async (id, { graph, signal }) => ({
      merges: (await graph.mergeLog(id, { signal })).map(formatOperation),
    }),
  ),
  'last-edit': each(
    'Shows when a root was last edited; null if it never was',
    'root_id',
    [],
    async (id, { graph, signal }) => ({ lastEdit: (await graph.lastEdit(id, { signal })) ?? null }),
  ),

  changelog: {
    summary: 'Lists the edits in the history of a root, oldest first',
    ids: 'root_id',
    maxIds: MAX_LOG_IDS,
    options: ['unfiltered'],
    async run(ids, { graph, flags, signal }) {
      const logs = await graph.tabularChangeLogs(ids, { filtered: !flags.unfiltered, signal });
      return ids.map((id) => ({ operations: logs.get(id) }));
    },
  },
  'past-ids': {
    summary: 'Lists the roots that the parts of a root belonged to at --from',
    ids: 'root_id',
    maxIds: MAX_LOG_IDS,
    options: ['from'],
    async run(ids, { graph, flags, signal }) {
      const { past } = await graph.pastIdMapping(ids, { timestampPast: flags.from, signal });
      return ids.map((id) => ({ past: past.get(id) ?? [] }));
    },
  },
  'latest-roots': {
    summary:
      'Lists the roots that hold the parts of a root at --timestamp, according to the history of edits',
    ids: 'root_id',
    maxIds: MAX_LOG_IDS,
    options: ['timestamp'],
    async run(ids, { graph, signal }) {
      const found = await graph.latestRoots(ids, { signal });
      return ids.map((id) => ({ roots: found.get(id) }));
    },
  },
  'original-roots': {
    summary: 'Lists the roots that a root was made from: the very first ones, or those at --timestamp',
    ids: 'root_id',
    maxIds: MAX_LOG_IDS,
    options: ['timestamp'],
    async run(ids, { graph, flags: { timestamp }, signal }) {
      const found = await graph.originalRoots(ids, { timestamp, signal });
      return ids.map((id) => ({ roots: found.get(id) }));
    },
  },
  suggest: {
    summary: 'Suggests the roots that hold the parts of a node at --timestamp, by a vote of the parts',
    ids: 'root_id',
    maxIds: 50,
    options: ['timestamp', 'by'],
    async run(ids, { graph, flags: { by }, signal }) {
      return (await graph.suggestLatestRoots(ids, { by, signal })).map(({ changed, suggestions }) => ({
        changed,
        suggestions,
      }));
    },
  },
  'is-latest': {
    summary: 'Tells whether an ID is a root at --timestamp',
    ids: 'root_id',
    maxIds: 50_000,
    options: ['timestamp'],
    run: async (ids, { graph, signal }) =>
      (await graph.isLatestRoots(ids, { signal })).map((isLatest) => ({ isLatest })),
  },
  timestamps: {
    summary: 'Shows when a root was made; with --latest, the last millisecond in which it was a root',
    ids: 'root_id',
    maxIds: 50_000,
    options: ['latest', 'timestamp'],
    run: async (ids, { graph, flags: { latest }, signal }) =>
      (await graph.rootTimestamps(ids, { latest, signal })).map((timestamp) => ({ timestamp })),
  },
  'valid-nodes': {
    summary: 'Tells whether an ID was a node at --to; with --from, whether it also changed after --from',
    ids: 'root_id',
    maxIds: 50_000,
    options: WINDOW,
    run: async (ids, { graph, flags: { from, to }, signal }) =>
      (await graph.validNodes(ids, { from, to, signal })).map((valid) => ({ valid })),
  },
  operation: {
    summary: 'Shows what an operation did',
    ids: 'operation_id',
    maxIds: MAX_LOG_IDS,
    async run(ids, { graph, signal }) {
      const found = await graph.operationDetails(ids.map(Number), { signal });
      return ids.map((id) => {
        const details = found.get(Number(id));
        return details
          ? formatOperation(details)
          : { error: 'UNKNOWN_ID', message: 'the log has no operation with this ID' };
      });
    },
  },

  'covering-nodes': {
    summary:
      'Finds the smallest set of nodes that hold exactly the supervoxels of the given nodes; writes one line for all',
    ids: 'supervoxel_id',
    maxIds: Infinity,
    options: ['timestamp'],
    run: async (ids, { graph, signal }) => [{ nodes: await graph.minimalCoveringNodes(ids, { signal }) }],
  },
  operations: {
    summary: 'Lists all edits of the table between two timestamps; needs administrator permission',
    options: WINDOW,
    run: ({ graph, flags: { from, to }, signal }) => graph.operations({ from, to, signal }),
  },
  'user-operations': {
    summary: 'Lists the edits of one user; needs administrator permission',
    argument: 'user',
    options: [...WINDOW, 'includeUndone'],
    run: ({ graph, flags: { from, to, includeUndone }, signal }, user) =>
      graph.userOperations(user, { from, to, includeUndone, signal }),
  },
  delta: {
    summary:
      'Lists the roots at --from that are not roots at --to, and the reverse; with --raw, all roots that were replaced or made in between',
    options: [...WINDOW, 'raw'],
    required: ['from'],
    run: async ({ graph, flags: { from, to, raw }, signal }) => [
      await graph.deltaRoots({ from: from!, to, raw, signal }),
    ],
  },
  path: {
    summary: 'Finds a shortest path of layer-2 nodes from a --source to a --sink',
    options: ['source', 'sink', 'precise'],
    required: ['source', 'sink'],
    async run({ graph, flags: { source, sink, precise }, signal }) {
      if (source!.length !== 1 || sink!.length !== 1)
        throw new UsageError('a path needs exactly one --source and one --sink');
      const { l2Ids, centroidsNm, failedL2Ids } = await graph.findPath(source![0], sink![0], {
        precise,
        signal,
      });
      return [
        {
          l2Ids,
          centroidsNm: Array.from({ length: centroidsNm.length / 3 }, (_, k) =>
            centroidsNm.slice(3 * k, 3 * k + 3),
          ),
          failedL2Ids,
        },
      ];
    },
  },
  'split-preview': {
    summary:
      'Previews a split of the --source points from the --sink points, in a box around them; the server ignores the rest of the object. Changes nothing',
    options: ['source', 'sink'],
    required: ['source', 'sink'],
    run: async ({ graph, flags: { source, sink }, signal }) => [
      await graph.splitPreview(source!, sink!, { signal }),
    ],
  },
  'oldest-timestamp': {
    summary: 'Shows the time half a second before the first edit; null if there is no edit',
    run: async ({ graph, signal }) => [
      { oldestTimestamp: (await graph.oldestTimestamp({ signal })) ?? null },
    ],
  },
  info: {
    summary: 'Prints the info of the table as the server sends it',
    keepsNames: true,
    run: async ({ graph }) => [graph.info],
  },
  versions: {
    summary: 'Shows the API versions and the PyChunkedGraph version of the server',
    run: async ({ graph, signal }) => [await graph.versions({ signal })],
  },
  request: {
    summary:
      'Sends any other request: a path below the table (root/123/change_log), or a path of the service that begins with /',
    argument: 'path',
    options: ['query', 'body', 'as'],
    keepsNames: true,
    async run({ graph, flags: { query, body, as }, signal }, path) {
      return [
        await graph.request(path, {
          method: body === undefined ? 'GET' : 'POST',
          query,
          body: body === undefined ? undefined : await parseBody(body),
          as,
          signal,
        }),
      ];
    },
  },
};

const formatOperation = ({
  raw: _,
  addedEdges,
  removedEdges,
  ...rest
}: {
  raw: unknown;
  addedEdges?: BigUint64Array;
  removedEdges?: BigUint64Array;
}): object => ({
  ...rest,
  ...(addedEdges && { addedEdges: pairs(addedEdges) }),
  ...(removedEdges && { removedEdges: pairs(removedEdges) }),
});

async function parseBody(text: string): Promise<unknown> {
  // Loaded here because every command loads this file and few need the parser.
  const { parseExactJson } = await import('../chunkedgraph/server/exact-json.ts');
  try {
    return parseExactJson(text);
  } catch {
    throw new UsageError('--body is not JSON');
  }
}
