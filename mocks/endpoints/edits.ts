/** Endpoints that change the graph or look at what a change would do. Source: PyChunkedGraph, pychunkedgraph/app/segmentation/common.py. */
import { setTimeout as wait } from 'node:timers/promises';
import { forEachDirected } from '../graph/local-edges.ts';
import { locate, scaleOf, type LabelAt } from '../graph/locate.ts';
import { EditError, type EditContext, type Edited } from '../graph/operations.ts';
import { nodesAt, supervoxelsOf } from '../graph/subtree.ts';
import type { MockResponse } from '../message.ts';
import { at, idsOut, intOut, json, type Asked, type Endpoint, type TableContext } from './answers.ts';
import { layer2Edges } from './nodes.ts';
import { Crash, member, NumberText, parseJson, Refusal, uint64Array } from './python-values.ts';

export interface EditOptions {
  labelAt?: LabelAt;
  /** Between an edit's moment and its being there to read. */
  visibleAfterMs: number;
  /** In place of a timer, for `visibleAfterMs`. */
  wait?: (ms: number) => Promise<unknown>;
}

interface Placed {
  supervoxels: bigint[];
  /** Voxels. */
  coords: number[][];
}

export function editEndpoints(
  context: TableContext,
  { labelAt, visibleAfterMs, wait: pause = wait }: EditOptions,
): Endpoint[] {
  const { graph, editor, info } = context;
  let last: Promise<unknown> = Promise.resolve();

  /** One edit after the other; what it did is there to read only after a while, with the moment at which it began. */
  const carryOut = async (
    { user, query }: Asked,
    edit: (edit: EditContext) => Edited,
  ): Promise<MockResponse> => {
    const begun = last.then(async () => {
      const timeMs = context.nextMs();
      if (visibleAfterMs > 0) await pause(visibleAfterMs);
      const edited = edit({ user: String(user.id ?? 1), timeMs });
      if (edited.operation) edited.operation.writtenMs = Math.max(timeMs, Math.floor(context.now()));
      return edited;
    });
    last = begun.catch(() => undefined);
    const { operation, newRoots } = await begun;
    return json({
      operation_id: operation && intOut(query)(operation.id),
      new_root_ids: idsOut(query, graph.nodes.idsOf(newRoots)),
    });
  };

  const placed = (list: unknown): Placed => {
    if (!Array.isArray(list)) throw new Crash("'NoneType' object is not iterable");
    const rows = list.map((row: unknown): unknown[] => {
      if (!Array.isArray(row) || row.length !== 4)
        throw new Crash('operands could not be broadcast together');
      return row;
    });
    const { resolution } = scaleOf(info);
    const coords = rows.map((row) =>
      row
        .slice(1)
        .map((value, axis) => (value instanceof NumberText ? Number(value.text) : NaN) / resolution[axis]),
    );
    if (coords.flat().some(Number.isNaN)) throw new Crash('unsupported operand type(s)');
    return { supervoxels: [...uint64Array(rows.map(([id]) => id))], coords };
  };
  const located = (...lists: Placed[]): Placed[] => {
    const ids = lists.flatMap(({ supervoxels }) => supervoxels),
      points = lists.flatMap(({ coords }) => coords);
    const found = locate(graph, info, ids, points, { labelAt, staysInside: context.strict });
    return lists.map(({ coords }) => ({
      supervoxels: found.splice(0, coords.length),
      coords: coords.map((point) => point.map(Math.trunc)),
    }));
  };
  const known = (ids: readonly bigint[]): number[] =>
    ids.map((id) => {
      const node = graph.nodes.findId(id);
      if (node < 0 || node >= graph.supervoxels) throw new Crash('');
      return node;
    });
  const twoSides = (body: Uint8Array): { sources: Placed; sinks: Placed } => {
    const parsed = parseJson(body);
    const [sources, sinks] = located(placed(member(parsed, 'sources')), placed(member(parsed, 'sinks')));
    return { sources, sinks };
  };

  const merge = (asked: Asked): Promise<MockResponse> => {
    const nodes = parseJson(asked.body);
    if (!Array.isArray(nodes) || nodes.length !== 2) throw new Crash('');
    const [{ supervoxels, coords }] = located(placed(nodes));
    const farthest = integer(asked.query, 'chebyshev_distance', 3);
    const chunks = supervoxels.map((id) =>
      [0, 1, 2].map((axis) =>
        graph.layout.chunkCoordinate(Number(id & 0xffffffffn), Number(id >> 32n), axis),
      ),
    );
    if (chunks[0].some((value, axis) => Math.abs(value - chunks[1][axis]) > farthest))
      throw new Refusal('Chebyshev distance between merge points exceeded allowed maximum (3 chunks).');
    return carryOut(asked, (edit) => {
      const [source, sink] = known(supervoxels);
      return editor.merge([source, sink], {
        ...edit,
        sourceCoords: coords.slice(0, 1),
        sinkCoords: coords.slice(1),
      });
    });
  };

  const split = (asked: Asked): Promise<MockResponse> => {
    const { sources, sinks } = twoSides(asked.body);
    const mincut = asked.query.get('mincut');
    return carryOut(asked, (edit) => {
      const where = { ...edit, sourceCoords: sources.coords, sinkCoords: sinks.coords };
      const [from, to] = [known(sources.supervoxels), known(sinks.supervoxels)];
      return mincut === null || ['yes', 'true', 't', '1'].includes(mincut.toLowerCase())
        ? editor.cut(from, to, where)
        : editor.split(from, to, where);
    });
  };

  const preview = ({ query, body }: Asked): MockResponse => {
    const { sources, sinks } = twoSides(body);
    const [from, to] = [known(sources.supervoxels), known(sinks.supervoxels)];
    const roots = new Set([...from, ...to].map((supervoxel) => graph.rootNow(supervoxel)));
    if (roots.size !== 1) throw new EditError('REFUSED', 'Supervoxels must belong to the same object.');
    const cut = editor.multicut(from, to);
    if (!cut)
      throw new Crash(
        'the mock has no multicut between these: say which edges it removes in the option multicuts',
      );
    const gone = new Set(cut.flatMap(([a, b]) => [`${a},${b}`, `${b},${a}`]));
    const here = new Set(
      supervoxelsOf(
        graph,
        [...roots][0],
        editor.boxAround({ sourceCoords: sources.coords, sinkCoords: sinks.coords }),
      ),
    );
    const neighbours = new Map<number, number[]>();
    forEachDirected(graph, here, (a, b) => {
      if (!here.has(b)) return;
      neighbours.set(a, neighbours.get(a) ?? []);
      neighbours.set(b, neighbours.get(b) ?? []);
      if (gone.has(`${a},${b}`)) return;
      neighbours.get(a)!.push(b);
      neighbours.get(b)!.push(a);
    });
    const parts: number[][] = [];
    const seen = new Set<number>();
    for (const start of neighbours.keys()) {
      if (seen.has(start)) continue;
      const part = new Set([start]);
      for (const one of part) for (const other of neighbours.get(one)!) part.add(other);
      for (const one of part) seen.add(one);
      parts.push([...part]);
    }
    const holding = (wanted: readonly number[]): number[] =>
      parts.reduce((best, part) => (count(part, wanted) > count(best, wanted) ? part : best), []);
    const first = holding(from),
      second = holding(to);
    const isIllegal =
      first === second ||
      [from, to].some((side, s) => side.some((one) => !(s === 0 ? first : second).includes(one)));
    const ordered = [first, second, ...parts.filter((part) => part !== first && part !== second)];
    return json({
      supervoxel_connected_components: ordered.map((part) => idsOut(query, graph.nodes.idsOf(part))),
      illegal_split: isIllegal,
    });
  };

  /** Layer-2 nodes from one point to the other, with the middles of their graph chunks in nm: meshes, which would be finer, there are none. */
  const findPath = ({ query, body }: Asked): MockResponse => {
    const nodes = parseJson(body);
    if (!Array.isArray(nodes) || nodes.length !== 2) throw new Crash('');
    const asked = placed(nodes);
    const start = graph.nodes.findId(asked.supervoxels[0]);
    const [from, to] = known(located(asked)[0].supervoxels).map((supervoxel) =>
      graph.nodes.parentNow(supervoxel),
    );
    if (start < graph.supervoxels) throw new Crash('list index out of range');
    const shared = sharedAncestor(from, to, graph.nodes.createdMs(start));
    if (shared < 0) throw new Crash("'NoneType' object is not iterable");
    const neighbours = new Map<number, number[]>();
    for (const [a, b] of layer2Edges(graph, nodesAt(graph, shared, 2)))
      for (const [one, other] of [
        [a, b],
        [b, a],
      ])
        neighbours.set(one, [...(neighbours.get(one) ?? []), other]);
    if (!neighbours.has(from) || !neighbours.has(to))
      throw new Crash('index 0 is out of bounds for axis 0 with size 0');
    const before = new Map([[from, -1]]);
    for (const one of before.keys())
      for (const other of neighbours.get(one) ?? []) if (!before.has(other)) before.set(other, one);
    const path: number[] = [];
    for (let node = before.has(to) ? to : -1; node >= 0; node = before.get(node)!) path.unshift(node);
    const { resolution, voxel_offset: offset = [0, 0, 0] } = scaleOf(info);
    const middle = (node: number): number[] =>
      [0, 1, 2].map((axis) =>
        Math.fround(
          ((graph.layout.chunkCoordinate(graph.nodes.lowWord(node), graph.nodes.highWord(node), axis) + 0.5) *
            info.graph.chunk_size[axis] +
            offset[axis]) *
            resolution[axis],
        ),
      );
    return json({
      centroids_list: path.map(middle),
      failed_l2_ids: [],
      l2_path: idsOut(query, graph.nodes.idsOf(path)),
    });
  };

  const sharedAncestor = (a: number, b: number, timeMs: number): number => {
    const above = new Set<number>();
    for (let node = a; node >= 0; node = graph.nodes.parentAt(node, timeMs)) above.add(node);
    let node = b;
    while (node >= 0 && !above.has(node)) node = graph.nodes.parentAt(node, timeMs);
    return node;
  };

  const operationOf = (body: Uint8Array): number => {
    const id = member(parseJson(body), 'operation_id');
    return Number(uint64Array([id])[0]);
  };

  return [
    { method: 'POST', path: at('merge'), need: 'edit', answer: merge },
    { method: 'POST', path: at('split'), need: 'edit', answer: split },
    {
      method: 'POST',
      path: at('undo'),
      need: 'edit',
      answer: (asked) => carryOut(asked, (edit) => editor.undo(operationOf(asked.body), edit)),
    },
    {
      method: 'POST',
      path: at('redo'),
      need: 'edit',
      answer: (asked) => carryOut(asked, (edit) => editor.redo(operationOf(asked.body), edit)),
    },
    { method: 'POST', path: at('graph/split_preview'), need: 'view', answer: preview },
    { method: 'POST', path: at('graph/find_path'), need: 'view', answer: findPath },
  ];
}

const count = (part: readonly number[], wanted: readonly number[]): number =>
  wanted.filter((one) => part.includes(one)).length;

/** A parameter that counts only when it is a whole number. */
function integer(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)?.trim() ?? '';
  return /^[+-]?\d+$/.test(text) ? Number(text) : fallback;
}
