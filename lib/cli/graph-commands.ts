/** What `graphene-points graph` can be asked: sub commands as a table of calls. Nothing here changes a graph. */
import type { ChunkedGraph } from '../chunkedgraph/api/chunked-graph.ts';
import type { Bounds } from '../chunkedgraph/api/check-arguments.ts';
import type { GraphPoint } from '../chunkedgraph/api/nodes.ts';
import { UsageError } from './io.ts';

/** Options of the calls; `graph-command.ts` says what they are on the command line. */
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

interface Asked {
  graph: ChunkedGraph;
  flags: GraphFlags;
  signal: AbortSignal;
}

interface Described {
  summary: string;
  options?: readonly (keyof GraphFlags)[];
  /** The options that it cannot do without. */
  required?: readonly (keyof GraphFlags)[];
}

/** Of IDs: each has a line of its own, which begins with the ID. */
export interface IdGraphCommand extends Described {
  /** What the IDs are: the column they have in tables. */
  ids: string;
  /** Most in one call. @default 1 */
  maxIds?: number;
  call(ids: bigint[], asked: Asked): Promise<readonly object[]>;
}

/** Of anything else. */
export interface OtherGraphCommand extends Described {
  ids?: undefined;
  /** What stands behind the cloud path. */
  argument?: string;
  /** Whether the names in the answer are the server's own. */
  keepsNames?: boolean;
  call(asked: Asked, argument: string): Promise<Iterable<unknown>>;
}

const MANY = 200;
const WINDOW = ['from', 'to'] as const;

/** A call about one ID at a time. */
const each = (
  about: string,
  ids: string,
  options: readonly (keyof GraphFlags)[],
  ask: (id: bigint, asked: Asked) => Promise<object>,
): IdGraphCommand => ({ summary: about, ids, options, call: async ([id], asked) => [await ask(id, asked)] });

const pairs = (ids: BigUint64Array): bigint[][] =>
  Array.from({ length: ids.length / 2 }, (_, k) => [ids[2 * k], ids[2 * k + 1]]);

const boxOf = ({ bounds, resolution }: GraphFlags): Bounds | undefined => bounds && { ...bounds, resolution };

export const GRAPH_COMMANDS: Readonly<Record<string, IdGraphCommand | OtherGraphCommand>> = {
  leaves: each(
    'supervoxels of a node, or its nodes of a layer',
    'root_id',
    ['bounds', 'resolution', 'stopLayer', 'verify'],
    async (id, { graph, flags, signal }) => ({
      leaves: await graph.leaves(id, {
        bounds: boxOf(flags),
        stopLayer: flags.stopLayer,
        verify: flags.verify,
        signal,
      }),
    }),
  ),
  children: each('nodes right below a node', 'root_id', [], async (id, { graph, signal }) => ({
    children: await graph.children(id, { signal }),
  })),
  subgraph: each(
    'edges between the supervoxels of a node',
    'root_id',
    ['bounds', 'resolution'],
    async (id, { graph, flags, signal }) => {
      const { edges, affinities, areas } = await graph.subgraph(id, { bounds: boxOf(flags), signal });
      return { edges: pairs(edges), affinities, areas };
    },
  ),
  'level2-graph': each(
    'edges between the layer-2 nodes of a node',
    'root_id',
    ['bounds', 'resolution'],
    async (id, { graph, flags, signal }) => ({
      edges: pairs(await graph.level2Graph(id, { bounds: boxOf(flags), signal })),
    }),
  ),
  'chunk-children': each(
    'layer-2 nodes of the graph chunk of an ID of layer 1 or 2, with their supervoxels',
    'supervoxel_id',
    ['timestamp'],
    (id, { graph, signal }) => graph.l2ChunkChildren(id, { signal }),
  ),
  lineage: each(
    'how a root came out of others, and what became of it',
    'root_id',
    WINDOW,
    (id, { graph, flags: { from, to }, signal }) => graph.lineageGraph(id, { from, to, signal }),
  ),
  'change-counts': each(
    'merges and splits in the history of a root, by user',
    'root_id',
    ['unfiltered'],
    (id, { graph, flags, signal }) => graph.changeLog(id, { filtered: !flags.unfiltered, signal }),
  ),
  'merge-log': each(
    'merges in the history of a root, with the edges they added',
    'root_id',
    [],
    async (id, { graph, signal }) => ({ merges: (await graph.mergeLog(id, { signal })).map(operationLine) }),
  ),
  'last-edit': each(
    'when a root was last edited; null if never',
    'root_id',
    [],
    async (id, { graph, signal }) => ({ lastEdit: (await graph.lastEdit(id, { signal })) ?? null }),
  ),

  changelog: {
    summary: 'edits in the history of a root, oldest first',
    ids: 'root_id',
    maxIds: MANY,
    options: ['unfiltered'],
    async call(ids, { graph, flags, signal }) {
      const logs = await graph.tabularChangeLogs(ids, { filtered: !flags.unfiltered, signal });
      return ids.map((id) => ({ operations: logs.get(id) }));
    },
  },
  'past-ids': {
    summary: 'roots that the parts of a root had at the moment --from',
    ids: 'root_id',
    maxIds: MANY,
    options: ['from'],
    async call(ids, { graph, flags, signal }) {
      const { past } = await graph.pastIdMapping(ids, { timestampPast: flags.from, signal });
      return ids.map((id) => ({ past: past.get(id) ?? [] }));
    },
  },
  'latest-roots': {
    summary: 'roots that hold what a root held, by the history of edits',
    ids: 'root_id',
    maxIds: MANY,
    options: ['timestamp'],
    async call(ids, { graph, signal }) {
      const found = await graph.latestRoots(ids, { signal });
      return ids.map((id) => ({ roots: found.get(id) }));
    },
  },
  'original-roots': {
    summary: 'roots that a root was made of: in the beginning, or at --timestamp',
    ids: 'root_id',
    maxIds: MANY,
    options: ['timestamp'],
    async call(ids, { graph, flags: { timestamp }, signal }) {
      const found = await graph.originalRoots(ids, { timestamp, signal });
      return ids.map((id) => ({ roots: found.get(id) }));
    },
  },
  suggest: {
    summary: 'roots that hold the parts of a node, by a vote of these',
    ids: 'root_id',
    maxIds: 50,
    options: ['timestamp', 'by'],
    async call(ids, { graph, flags: { by }, signal }) {
      return (await graph.suggestLatestRoots(ids, { by, signal })).map(({ changed, suggestions }) => ({
        changed,
        suggestions,
      }));
    },
  },
  'is-latest': {
    summary: 'whether an ID is a root at the moment',
    ids: 'root_id',
    maxIds: 50_000,
    options: ['timestamp'],
    call: async (ids, { graph, signal }) =>
      (await graph.isLatestRoots(ids, { signal })).map((isLatest) => ({ isLatest })),
  },
  timestamps: {
    summary: 'when a root was made; with --latest the last millisecond of its life',
    ids: 'root_id',
    maxIds: 50_000,
    options: ['latest', 'timestamp'],
    call: async (ids, { graph, flags: { latest }, signal }) =>
      (await graph.rootTimestamps(ids, { latest, signal })).map((timestamp) => ({ timestamp })),
  },
  'valid-nodes': {
    summary: 'whether an ID was a node at the moment --to; with --from, one that changed since',
    ids: 'root_id',
    maxIds: 50_000,
    options: WINDOW,
    call: async (ids, { graph, flags: { from, to }, signal }) =>
      (await graph.validNodes(ids, { from, to, signal })).map((valid) => ({ valid })),
  },
  operation: {
    summary: 'what an operation did',
    ids: 'operation_id',
    maxIds: MANY,
    async call(ids, { graph, signal }) {
      const found = await graph.operationDetails(ids.map(Number), { signal });
      return ids.map((id) => {
        const details = found.get(Number(id));
        return details
          ? operationLine(details)
          : { error: 'UNKNOWN_ID', message: 'the log has no such operation' };
      });
    },
  },

  'covering-nodes': {
    summary: 'the fewest nodes that hold exactly what the given ones hold: all in one line',
    ids: 'supervoxel_id',
    maxIds: Infinity,
    options: ['timestamp'],
    call: async (ids, { graph, signal }) => [{ nodes: await graph.minimalCoveringNodes(ids, { signal }) }],
  },
  operations: {
    summary: 'all edits of the table from one moment to another; needs the permission of an administrator',
    options: WINDOW,
    call: ({ graph, flags: { from, to }, signal }) => graph.operations({ from, to, signal }),
  },
  'user-operations': {
    summary: 'edits of one user; needs the permission of an administrator',
    argument: 'user',
    options: [...WINDOW, 'includeUndone'],
    call: ({ graph, flags: { from, to, includeUndone }, signal }, user) =>
      graph.userOperations(user, { from, to, includeUndone, signal }),
  },
  delta: {
    summary:
      'roots at --from that are none at --to, and the reverse; with --raw all that were replaced or made in between',
    options: [...WINDOW, 'raw'],
    required: ['from'],
    call: async ({ graph, flags: { from, to, raw }, signal }) => [
      await graph.deltaRoots({ from: from!, to, raw, signal }),
    ],
  },
  path: {
    summary: 'a shortest way of layer-2 nodes from a --source to a --sink',
    options: ['source', 'sink', 'precise'],
    required: ['source', 'sink'],
    async call({ graph, flags: { source, sink, precise }, signal }) {
      if (source!.length !== 1 || sink!.length !== 1)
        throw new UsageError('a path has one --source and one --sink');
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
      'what a split of the --source points from the --sink points would come to in a box around them, which is all that the server looks at; changes nothing',
    options: ['source', 'sink'],
    required: ['source', 'sink'],
    call: async ({ graph, flags: { source, sink }, signal }) => [
      await graph.splitPreview(source!, sink!, { signal }),
    ],
  },
  'oldest-timestamp': {
    summary: 'half a second before the first edit; null where there is none',
    call: async ({ graph, signal }) => [
      { oldestTimestamp: (await graph.oldestTimestamp({ signal })) ?? null },
    ],
  },
  info: {
    summary: 'the info of the table, as its server gives it',
    keepsNames: true,
    call: async ({ graph }) => [graph.info],
  },
  versions: {
    summary: 'which API and which PyChunkedGraph the server speaks',
    call: async ({ graph, signal }) => [await graph.versions({ signal })],
  },
  request: {
    summary:
      'anything else: a path below the table (root/123/change_log), or of the service, beginning with /',
    argument: 'path',
    options: ['query', 'body', 'as'],
    keepsNames: true,
    async call({ graph, flags: { query, body, as }, signal }, path) {
      return [
        await graph.request(path, {
          method: body === undefined ? 'GET' : 'POST',
          query,
          body: body === undefined ? undefined : await parsedBody(body),
          as,
          signal,
        }),
      ];
    },
  },
};

const operationLine = ({
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

async function parsedBody(text: string): Promise<unknown> {
  // every command comes by here, and few need it
  const { parseExactJson } = await import('../chunkedgraph/server/exact-json.ts');
  try {
    return parseExactJson(text);
  } catch {
    throw new UsageError('--body is no JSON');
  }
}
