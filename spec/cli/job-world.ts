/** A small world for specs of jobs, its truth at any timestamp, and a table of points in it. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { buildWorld, type World } from '../../mocks/world.ts';

export const SIZE: Vec3 = [64, 48, 16];
const CHUNK: Vec3 = [16, 16, 16];
/** Before the edits of the specs. */
export const CREATED = '2024-01-01T00:00:00.000Z';

/** Sixteen objects in bars along x, cut into supervoxels by the graph chunks; y 0 is background. */
const labelOf = (_x: number, y: number, z: number): bigint =>
  y === 0 ? 0n : BigInt(1 + Math.floor(y / 6) + 8 * Math.floor(z / 8));

export const buildJobWorld = (): World =>
  buildWorld({ labels: labelOf, size: SIZE, chunkSize: CHUNK, base_timestamp: CREATED });

/** A point of the table; undefined if the row has none, or a text that is no point. */
export type Cell = Vec3 | undefined | string;

/** What the world says about a point at a timestamp: the cells of the answer. */
export function truthOf(
  { graph, supervoxelAt }: World,
  cell: Cell,
  timestamp: string,
  layer?: number,
): string {
  if (cell === undefined) return ',,not_looked_up';
  if (typeof cell === 'string') return ',,invalid_point';
  if (cell.some((at, axis) => at < 0 || at >= SIZE[axis])) return ',,out_of_bounds';
  const supervoxel = supervoxelAt(cell);
  return supervoxel === 0n
    ? '0,0,background'
    : `${supervoxel},${nodeAt(graph, supervoxel, timestamp, layer)},ok`;
}

/** The root of a supervoxel, or its node of a lower layer. */
function nodeAt(
  { graph }: World['graph'],
  supervoxel: bigint,
  timestamp: string,
  layer = graph.layout.layers,
): bigint {
  return graph.nodes.idOf(graph.ancestorAt(graph.supervoxel(supervoxel), layer, Date.parse(timestamp)));
}

/** Points of all kinds, two in each row. */
export const ROWS: readonly (readonly [Cell, Cell])[] = Array.from({ length: 160 }, (_, k) => {
  const point = (seed: number): Cell => {
    const at = (seed * 7919) % 1009;
    if (at % 23 === 1) return undefined;
    if (seed % 31 === 7) return 'soma';
    return [(at * 5) % (SIZE[0] + 2), (at + seed) % SIZE[1], (at * 7) % SIZE[2]];
  };
  return [point(2 * k + 1), point(2 * k + 2)];
});

const textOf = (cell: Cell): string => (typeof cell === 'object' ? `"[${cell.join(', ')}]"` : (cell ?? ''));

/** The table with the points of each row. */
export const TABLE = `id,pre_position,post_position\n${ROWS.map(([pre, post], k) => `${k},${textOf(pre)},${textOf(post)}\n`).join('')}`;

/** What a look-up of the table must write. @param answer The cells of the answer of a point. */
export const outputOf = (answer: (cell: Cell, row: number, side: number) => string): string =>
  `id,pre_position,post_position,${['pre', 'post'].map((side) => `${side}_supervoxel_id,${side}_root_id,${side}_status`).join(',')}\n${ROWS.map(
    ([pre, post], k) =>
      `${k},${textOf(pre)},${textOf(post)},${answer(pre, k + 1, 0)},${answer(post, k + 1, 1)}\n`,
  ).join('')}`;
