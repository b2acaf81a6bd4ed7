/** Endpoints about what became of roots. Source: PyChunkedGraph, pychunkedgraph/graph/{segmenthistory,lineage,misc}.py. */
import { idMappings, lineageOf, type LineageGraph } from '../graph/history.ts';
import {
  at,
  idOfPath,
  idOut,
  idsOfBody,
  idsOut,
  intOut,
  json,
  momentOf,
  optionalMoment,
  wantedMoment,
  type Endpoint,
  type TableContext,
} from './answers.ts';
import { Crash, pythonTime } from './python-values.ts';

const OPERATION_LEAD_MS = 500; // `oldest_timestamp` is that much before the first operation
const OPERATIONS_SEARCHED = 100;

/** @throws Crash for what has no children, as a supervoxel or an unknown ID. */
function rootNode({ graph }: TableContext, id: bigint, mustBeRoot: boolean): number {
  const layer = graph.layout.layerOf(Number(id >> 32n));
  if (mustBeRoot && layer !== graph.layout.layers) throw new Crash(`${id} is no root`);
  const node = graph.nodes.findId(id);
  if (node < graph.supervoxels) throw new Crash(String(id));
  return node;
}

/** The history that endpoints of one root or a list of them look at: from a moment in the past to now. */
export function segmentHistory(
  context: TableContext,
  ids: Iterable<bigint>,
  pastMs: number | undefined,
): { roots: number[]; lineage: LineageGraph } {
  const all = [...ids];
  for (const id of all)
    if (context.graph.layout.layerOf(Number(id >> 32n)) !== context.graph.layout.layers)
      throw new Crash(`${id} is no root`);
  const roots = all.map((id) => rootNode(context, id, true));
  return { roots, lineage: lineageOf(context.graph, roots, pastMs ?? oldestMs(context) ?? 0, context.now()) };
}

/** Half a second before the first operation; undefined without one. */
export function oldestMs({ editor }: TableContext): number | undefined {
  const first = editor.operations.slice(0, OPERATIONS_SEARCHED)[0] as { timeMs: number } | undefined;
  return first && first.timeMs - OPERATION_LEAD_MS;
}

export function historyEndpoints(context: TableContext): Endpoint[] {
  const { graph, editor } = context;
  const { nodes } = graph;

  const nodeLink = (query: URLSearchParams, lineage: LineageGraph): unknown => {
    const out = (node: number): bigint | string => idOut(query)(nodes.idOf(node));
    return {
      directed: true,
      graph: {},
      links: lineage.roots.flatMap((source) =>
        lineage.next(source).map((target) => ({ source: out(source), target: out(target) })),
      ),
      multigraph: false,
      nodes: lineage.roots.map((root) => {
        const operation = lineage.operations.get(root);
        return {
          id: out(root),
          ...(operation ? { operation_id: intOut(query)(operation) } : {}),
          timestamp: nodes.createdMs(root) / 1000,
        };
      }),
    };
  };

  return [
    {
      method: 'GET',
      path: at('root/(?<id>[^/]+)/lineage_graph'),
      need: 'view',
      answer: ({ query, parts }) => {
        const pastMs = optionalMoment(query, 'timestamp_past') ?? 0;
        optionalMoment(query, 'timestamp_future'); // read and then ignored
        return json(nodeLink(query, segmentHistory(context, [idOfPath(parts.id)], pastMs).lineage));
      },
    },
    {
      method: 'POST',
      path: at('lineage_graph_multiple'),
      need: 'view',
      answer: ({ query, body }) => {
        const pastMs = optionalMoment(query, 'timestamp_past') ?? 0,
          futureMs = momentOf(context, query, 'timestamp_future');
        const roots = Array.from(idsOfBody(body, { key: 'root_ids' }), (id) => rootNode(context, id, false));
        return json(nodeLink(query, lineageOf(graph, roots, pastMs, futureMs)));
      },
    },
    {
      method: 'GET',
      path: at('past_id_mapping'),
      need: 'view',
      answer: ({ query, body }) => {
        const ids = idsOfBody(body, { key: 'root_ids' });
        const pastMs = optionalMoment(query, 'timestamp_past') ?? 0;
        optionalMoment(query, 'timestamp_future');
        const { roots, lineage } = segmentHistory(context, ids, pastMs);
        if (roots.length === 0) throw new Crash('need at least one array to concatenate');
        const { past, future } = idMappings(lineage, roots);
        return json({
          past_id_map: Object.fromEntries(
            [...past].map(([root, old]) => [String(nodes.idOf(root)), idsOut(query, nodes.idsOf(old))]),
          ),
          future_id_map: Object.fromEntries(
            [...future].map(([old, root]) => [String(nodes.idOf(old)), idOut(query)(nodes.idOf(root))]),
          ),
        });
      },
    },
    {
      method: 'GET',
      path: at('delta_roots'),
      need: 'view',
      answer: ({ query }) => {
        const pastMs = wantedMoment(query, 'timestamp_past'),
          futureMs = momentOf(context, query, 'timestamp_future');
        const isWithin = (ms: number): boolean => ms >= pastMs && ms <= futureMs;
        const fresh = editor.operations.flatMap(({ roots, writtenMs }) => (isWithin(writtenMs) ? roots : []));
        const old = fresh.flatMap((root) => graph.lineage.madeBy(root)!.from);
        return json({
          old_roots: idsOut(query, nodes.idsOf(old)),
          new_roots: idsOut(query, nodes.idsOf(fresh)),
        });
      },
    },
    {
      method: 'GET',
      path: at('oldest_timestamp'),
      need: 'view',
      answer: ({ query }) => {
        const ms = oldestMs(context);
        if (ms === undefined) throw new Crash("'NoneType' object has no attribute 'isoformat'");
        const delimiter = query.get('delimiter') ?? ' ';
        if ([...delimiter].length !== 1)
          throw new Crash('isoformat() argument 1 must be a unicode character, not str');
        return json({ iso: pythonTime(ms, delimiter) });
      },
    },
    {
      method: 'GET',
      path: at('root/(?<id>[^/]+)/last_edit'),
      need: 'view',
      answer: ({ query, parts }) => {
        const root = rootNode(context, idOfPath(parts.id), true);
        if (!context.strict) throw new Crash("'float' object has no attribute 'isoformat'");
        return json({ iso: pythonTime(nodes.createdMs(root), query.get('delimiter') ?? ' ') });
      },
    },
  ];
}
