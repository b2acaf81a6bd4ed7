/** Endpoints about operations: who did what when. Source: PyChunkedGraph, pychunkedgraph/graph/segmenthistory.py and app/segmentation/. */
import { rootsAt } from '../graph/roots-at.ts';
import { BOX_OFFSET, STATUS, type Operation } from '../graph/operations.ts';
import type { Edge } from '../graph/edge-table.ts';
import type { LineageGraph } from '../graph/history.ts';
import { reply, type MockResponse } from '../message.ts';
import {
  at,
  flag,
  HTML,
  idOfPath,
  idsOfBody,
  idsOut,
  intOut,
  json,
  optionalMoment,
  type Endpoint,
  type TableContext,
} from './answers.ts';
import { oldestMs, segmentHistory } from './history.ts';
import { Crash, member, NumberText, parseJson, pythonTime, Refusal, toJson } from './python-values.ts';

/** Rows of a table by name of the column; `labels` are the row numbers, which have gaps once rows are left out. */
interface Frame {
  labels: number[];
  columns: Record<string, unknown[]>;
}

/** As pandas writes it: `{"column":{"row":value}}`. */
const frameJson = ({ labels, columns }: Frame): string =>
  toJson(
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [
        name,
        Object.fromEntries(values.map((value, k) => [labels[k], value])),
      ]),
    ),
  ).trimEnd();

function frameHtml({ labels, columns }: Frame): string {
  const names = Object.keys(columns);
  const cell = (value: unknown): string =>
    `<td>${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}</td>`;
  const rows = labels.map(
    (label, k) => `<tr><th>${label}</th>${names.map((name) => cell(columns[name][k])).join('')}</tr>`,
  );
  return `<table border="1" class="dataframe"><thead><tr><th></th>${names.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const framed = (query: URLSearchParams, frame: Frame): MockResponse =>
  reply(200, HTML, flag(query, 'disp') ? frameHtml(frame) : frameJson(frame));

export interface KnownUser {
  name: string;
  affiliation?: string;
}

export function changeLogEndpoints(
  context: TableContext,
  users: Readonly<Record<string, KnownUser>>,
): Endpoint[] {
  const { graph, editor, table } = context;
  const { nodes } = graph;

  /** Operations behind a root, in the order of their IDs. */
  const pastOperations = (lineage: LineageGraph, root: number): Operation[] => {
    const ids = new Set(
      [...lineage.ancestors(root)].map((ancestor) => lineage.operations.get(ancestor) ?? 0),
    );
    return editor.operations.filter(({ id }) => ids.has(id));
  };

  /** @param filtered Leaves out what no longer shows in the root. */
  const changes = (lineage: LineageGraph, root: number, filtered: boolean): Frame => {
    const rootsOfEdit = (edited: readonly number[], timeMs: number): bigint[] => [
      ...rootsAt(graph, nodes.idsOf(edited), { timeMs, stopLayer: graph.layout.layers, strict: false }).ids,
    ];
    const rows = pastOperations(lineage, root).map((operation) => {
      const edited = operation.sources
        ? [...operation.sinks!, ...operation.sources]
        : [...(operation.added ?? operation.removed ?? [])].flat();
      const now = rootsOfEdit(edited, nodes.createdMs(root)),
        before = rootsOfEdit(edited, oldestMs(context) ?? 0);
      const replaced = lineage.roots.filter((one) => lineage.operations.get(one) === operation.id);
      const isMerge = operation.added !== undefined;
      const isHere = (id: bigint): boolean => id === nodes.idOf(root);
      return {
        operation_id: operation.id,
        timestamp: operation.timeMs,
        user_id: operation.user,
        before_root_ids: [...nodes.idsOf(replaced)],
        after_root_ids: [...nodes.idsOf(lineage.next(replaced[0]))],
        is_merge: isMerge,
        in_neuron: isMerge ? now.every(isHere) : now.some(isHere),
        is_relevant: new Set(isMerge ? before : now).size !== 1,
      };
    });
    const labels = [...rows.keys()].filter((k) => !filtered || (rows[k].in_neuron && rows[k].is_relevant));
    const names = [
      'operation_id',
      'timestamp',
      'user_id',
      'before_root_ids',
      'after_root_ids',
      'is_merge',
      ...(filtered ? [] : ['in_neuron', 'is_relevant']),
    ] as const;
    return {
      labels,
      columns: Object.fromEntries(
        names.map((name) => [name, labels.map((k) => rows[k][name as keyof (typeof rows)[number]])]),
      ),
    };
  };

  /** With names of users, as soon as there is one among them all. */
  const tabular = (ids: Iterable<bigint>, filtered: boolean): Map<string, Frame> => {
    const { roots, lineage } = segmentHistory(context, ids, undefined);
    const frames = new Map(roots.map((root) => [String(nodes.idOf(root)), changes(lineage, root, filtered)]));
    if ([...frames.values()].every(({ labels }) => labels.length === 0)) return frames;
    for (const { columns } of frames.values()) {
      const known = (columns.user_id as string[]).map((id) =>
        Object.hasOwn(users, id) ? users[id] : undefined,
      );
      columns.user_name = known.map((user) => user?.name ?? 'unknown');
      columns.user_affiliation = known.map((user) => user?.affiliation ?? (user ? null : 'unknown'));
    }
    return frames;
  };

  const summary = (query: URLSearchParams, id: bigint): unknown => {
    const {
      roots: [root],
      lineage,
    } = segmentHistory(context, [id], optionalMoment(query, 'timestamp') ?? 0);
    const { labels, columns } = changes(lineage, root, flag(query, 'filtered'));
    const isMerge = columns.is_merge as boolean[],
      user = columns.user_id as string[];
    const count = (merges: boolean, of?: string): number =>
      labels.filter((_, k) => isMerge[k] === merges && (of === undefined || user[k] === of)).length;
    return {
      n_mergers: count(true),
      n_splits: labels.length === 0 ? 0 : intOut(query)(count(false)),
      operations_ids: (columns.operation_id as number[]).map(intOut(query)),
      past_ids: idsOut(query, (columns.before_root_ids as bigint[][]).flat()),
      user_info: Object.fromEntries(
        [...new Set(user)]
          .sort()
          .map((of) => [of, { n_mergers: count(true, of), n_splits: intOut(query)(count(false, of)) }]),
      ),
    };
  };

  const mergeLog = (query: URLSearchParams, id: bigint): unknown => {
    const {
      roots: [root],
      lineage,
    } = segmentHistory(context, [id], undefined);
    const merges = pastOperations(lineage, root).filter(({ added }) => added !== undefined);
    if (merges.some(({ sourceCoords, sinkCoords }) => !sourceCoords || !sinkCoords))
      throw new Crash("_Attribute(key=b'source_coords', family_id='2')");
    const coords = (list: readonly (readonly number[])[]): unknown =>
      list.map((voxel) => voxel.map(intOut(query)));
    return {
      merge_edges: merges.map(({ added }) => added!.map((edge) => idsOut(query, nodes.idsOf(edge)))),
      merge_edge_coords: merges.map(({ sourceCoords, sinkCoords }) => [
        coords(sourceCoords!),
        coords(sinkCoords!),
      ]),
    };
  };

  /** Entries written within [fromMs, toMs); an entry is written when its edit begins and when it is done. */
  const written = (fromMs = -Infinity, toMs = Infinity): Operation[] =>
    editor.operations.filter(({ timeMs, writtenMs }) =>
      [timeMs, writtenMs].some((ms) => ms >= fromMs && ms < toMs),
    );

  const userOperations = (query: URLSearchParams): Frame => {
    const user = query.get('user_id');
    const fromMs = optionalMoment(query, 'start_time') ?? 0,
      toMs = optionalMoment(query, 'end_time');
    if (toMs === undefined) throw new Refusal('Timestamp parameter end_time is not a valid unix timestamp'); // its own default is none
    const entries = written(fromMs, toMs).filter((operation) => operation.user === user);
    const undone = new Set<number>();
    for (const { kind, of, status } of entries) {
      if (status !== STATUS.success) continue;
      if (kind === 'undo') undone.add(of!);
      if (kind === 'redo') undone.delete(of!);
    }
    const shown = flag(query, 'include_undone')
      ? entries
      : entries.filter(({ id, of }) => of === undefined && !undone.has(id));
    return {
      labels: [...shown.keys()],
      columns: { operation_id: shown.map(({ id }) => id), timestamp: shown.map(({ timeMs }) => timeMs) },
    };
  };

  const recent = (query: URLSearchParams): Frame => {
    const entries = written(optionalMoment(query, 'timestamp') ?? 0, optionalMoment(query, 'timestamp_end'));
    const columns = {
      operation_id: entries.map(({ id }) => id),
      timestamp: entries.map(({ timeMs }) => timeMs),
      user_id: entries.map(({ user }) => user),
      is_merge: entries.map(({ added }) => added !== undefined),
    };
    return { labels: [...entries.keys()], columns };
  };

  const details = (query: URLSearchParams, operation: Operation): unknown => {
    const pairs = (edges: readonly Edge[]): bigint[][] => edges.map((edge) => [...nodes.idsOf(edge)]);
    const { kind, of, added, removed, sources, sinks, sourceCoords, sinkCoords } = operation;
    const when = pythonTime(operation.timeMs);
    return {
      ...(added ? { added_edges: pairs(added) } : {}),
      ...(removed ? { removed_edges: pairs(removed) } : {}),
      ...(sources ? { source_ids: [...nodes.idsOf(sources)], bb_offset: [...BOX_OFFSET] } : {}),
      ...(sinks ? { sink_ids: [...nodes.idsOf(sinks)] } : {}),
      ...(sourceCoords ? { source_coords: sourceCoords } : {}),
      ...(sinkCoords ? { sink_coords: sinkCoords } : {}),
      ...(of === undefined ? {} : { [`${kind}_operation_id`]: intOut(query)(of) }),
      operation_exception: operation.exception,
      operation_status: operation.status,
      operation_ts: when,
      roots: [...nodes.idsOf(operation.roots)],
      timestamp: when,
      user: operation.user,
    };
  };

  /** All but the newest operation: the real server's loop ends one too early. */
  const csv = (): string => {
    const entries = context.strict ? editor.operations : editor.operations.slice(0, -1);
    const lines = entries.map(
      ({ user, added, roots, timeMs }) =>
        `${user},${added ? 'merge' : 'split'},${csvCell(`[${wrapped([...nodes.idsOf(roots)].map(String))}]`)},${pythonTime(timeMs)}`,
    );
    return ['user_id,action,root_ids,timestamp', ...lines, ''].join('\r\n');
  };

  return [
    {
      method: 'GET',
      path: at('change_log'),
      need: 'superadmin',
      answer: () =>
        reply(200, 'text/csv', csv(), { 'content-disposition': `attachment; filename=${table}.csv` }),
    },
    {
      method: 'GET',
      path: at('tabular_change_log_recent'),
      need: 'admin_view',
      answer: ({ query }) => framed(query, recent(query)),
    },
    {
      method: 'GET',
      path: at('user_operations'),
      need: 'admin_view',
      answer: ({ query }) => framed(query, userOperations(query)),
    },
    {
      method: 'GET',
      path: at('root/(?<id>[^/]+)/change_log'),
      need: 'view',
      answer: ({ query, parts }) => json(summary(query, idOfPath(parts.id))),
    },
    {
      method: 'GET',
      path: at('root/(?<id>[^/]+)/tabular_change_log'),
      need: 'view',
      answer: ({ query, parts }) =>
        framed(query, [...tabular([idOfPath(parts.id)], flag(query, 'filtered', true)).values()][0]),
    },
    {
      method: 'GET',
      path: at('tabular_change_log_many'),
      need: 'view',
      answer: ({ query, body }) =>
        json(
          Object.fromEntries(
            [...tabular(idsOfBody(body, { key: 'root_ids' }), flag(query, 'filtered', true))].map(
              ([id, frame]) => [id, frameJson(frame)],
            ),
          ),
        ),
    },
    {
      method: 'GET',
      path: at('root/(?<id>[^/]+)/merge_log'),
      need: 'view',
      answer: ({ query, parts }) => json(mergeLog(query, idOfPath(parts.id))),
    },
    {
      method: 'GET',
      path: at('operation_details'),
      need: 'view',
      answer: ({ query }) => {
        const asked = parseJson(new TextEncoder().encode(query.get('operation_ids') ?? '[]'));
        const ids = (Array.isArray(asked) ? asked : Object.values(member({ asked }, 'asked') as object)).map(
          (id) => (id instanceof NumberText ? Number(id.text) : Number(id)),
        );
        return json(
          Object.fromEntries(
            ids.flatMap((id) =>
              Number.isInteger(id) && id > 0 && id <= editor.operations.length
                ? [[String(id), details(query, editor.operations[id - 1])]]
                : [],
            ),
          ),
        );
      },
    },
  ];
}

const csvCell = (text: string): string => (/[\n",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Lines of at most 75 characters, as numpy prints an array. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last].length + word.length + 2 < 75) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines.join('\n ');
}
