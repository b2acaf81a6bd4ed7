/**
 * Draws docs/picture.svg: points on one slice of the demo volume, coloured by their root before and after the demo's merge.
 * Every colour is an answer of the SDK, for each voxel of the slice and for each point. To draw it again: `npx tsx docs/picture.ts`.
 */
import { writeFileSync } from 'node:fs';
import { openGraphene } from '../lib/index.ts';
import { DEMO_AFTER, DEMO_BEFORE, serveDemo } from '../mocks/demo.ts';

const [WIDTH, HEIGHT] = [120, 110]; // voxels of the slice
const [ORIGIN_X, ORIGIN_Y, Z] = [64, 32, 29];
const SCALE = 3.25; // pixels per voxel
const MARGIN = 20;
const TOP = 44;
const GAP = 30;
const NEURONS = ['#1f6feb', '#e8590c']; // the two neurons that are merged
const MERGED = '#7b2fbe';
const BYSTANDERS = [
  '#2b8a5f',
  '#b08900',
  '#0b8a9e',
  '#a4596b',
  '#5f6f80',
  '#7a5c3e',
  '#6b8e23',
  '#3d5a80',
  '#c05780',
];

const slice = Array.from({ length: WIDTH * HEIGHT }, (_, k) => [
  ORIGIN_X + (k % WIDTH),
  ORIGIN_Y + Math.floor(k / WIDTH),
  Z,
]);
const points = scatter(8);

const served = await serveDemo();
const volume = await openGraphene(served.cloudPath, { token: null });
const [before, after] = [volume.at(DEMO_BEFORE), volume.at(DEMO_AFTER)];
const voxels = await before.scatteredPoints(slice);
const shapes = outlines(voxels.supervoxelIds);
const supervoxels = BigUint64Array.from(shapes.keys());
const panels = [
  {
    title: 'Before the merge',
    time: DEMO_BEFORE,
    points: await before.scatteredPoints(points),
    cells: await before.roots(supervoxels),
  },
  {
    title: 'After the merge',
    time: DEMO_AFTER,
    points: await after.scatteredPoints(points),
    cells: await after.roots(supervoxels),
  },
];
await volume.close();
await served.close();

const [rootsBefore, rootsAfter] = panels.map(({ cells }) => [...new Set(cells.rootIds)]);
const merged = rootsAfter.filter((root) => !rootsBefore.includes(root));
const neurons = rootsBefore.filter((root) => !rootsAfter.includes(root));
const bystanders = rootsBefore.filter((root) => rootsAfter.includes(root));
const colours = new Map<bigint, string>([
  ...neurons.map((root, k) => [root, NEURONS[k]] as const),
  ...merged.map((root) => [root, MERGED] as const),
  ...bystanders.map((root, k) => [root, BYSTANDERS[k % BYSTANDERS.length]] as const),
]);
writeFileSync(new URL('picture.svg', import.meta.url), draw());

function draw(): string {
  const width = 2 * (MARGIN + WIDTH * SCALE) + GAP;
  const height = TOP + HEIGHT * SCALE + 80;
  const paths = [...shapes].map(([supervoxel, path]) => `<path id="s${supervoxel}" d="${path}"/>`);
  const drawn = panels.map((panel, side) => {
    const left = MARGIN + side * (WIDTH * SCALE + GAP);
    const cells = [...supervoxels].map(
      (supervoxel, k) => `<use href="#s${supervoxel}" fill="${colours.get(panel.cells.rootIds[k])}"/>`,
    );
    const dots = points.map(([x, y], k) => {
      const colour = colours.get(panel.points.rootIds[k]);
      const centre = `cx="${x - ORIGIN_X + 0.5}" cy="${y - ORIGIN_Y + 0.5}"`;
      return colour
        ? `<circle ${centre} r="1.5" fill="${colour}"/>`
        : `<circle ${centre} r="1.2" class="none"/>`;
    });
    const legend = (side ? merged : neurons).map((root, k) => {
      const [x, y] = [left + k * 185, TOP + HEIGHT * SCALE + 20];
      return `<circle cx="${x + 6}" cy="${y - 4}" r="5" fill="${colours.get(root)}"/><text x="${x + 17}" y="${y}">${root}</text>`;
    });
    return [
      `<text x="${left}" y="30"><tspan font-weight="600" font-size="15">${panel.title}</tspan>  <tspan fill="#666">${panel.time}</tspan></text>`,
      `<g transform="translate(${left} ${TOP}) scale(${SCALE})">`,
      `<rect width="${WIDTH}" height="${HEIGHT}" fill="#f4f4f2"/>`,
      `<g fill-opacity=".3" stroke="#fff" stroke-width=".4">${cells.join('')}</g>`,
      `<g stroke="#fff" stroke-width=".3">${dots.join('')}</g>`,
      `</g>`,
      ...legend,
    ].join('\n');
  });
  const caption = [
    `${points.length} points on a slice of the demo volume, coloured by root ID. Open circles are points on background.`,
    'White lines separate supervoxels. The merge gives both neurons one new root; their supervoxels stay.',
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#222">
<title>The same points before and after a merge, coloured by root ID</title>
<style>.none { fill: none; stroke: #999; stroke-width: .4 }</style>
<rect width="100%" height="100%" rx="8" fill="#fff"/>
<defs>
${paths.join('\n')}
</defs>
${drawn.join('\n')}
${caption.map((line, k) => `<text x="${MARGIN}" y="${height - 34 + 18 * k}" font-size="12.5" fill="#555">${line}</text>`).join('\n')}
</svg>
`;
}

/** Points on the slice: one per cell of a square grid, each moved a little, the same way on every run. */
function scatter(spacing: number): number[][] {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const found: number[][] = [];
  for (let y = spacing / 2; y < HEIGHT; y += spacing)
    for (let x = spacing / 2; x < WIDTH; x += spacing) {
      const [dx, dy] = [random(), random()].map((part) => (part - 0.5) * spacing * 0.7);
      const [column, row] = [Math.floor(x + dx), Math.floor(y + dy)];
      if (column < WIDTH && row < HEIGHT) found.push([ORIGIN_X + column, ORIGIN_Y + row, Z]);
    }
  return found;
}

/** Outline of each label of the slice as an SVG path in voxels: the borders of its voxels, joined into loops. */
function outlines(labels: BigUint64Array): Map<bigint, string> {
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= WIDTH || y >= HEIGHT ? 0n : labels[y * WIDTH + x];
  const edges = new Map<bigint, Map<string, string[]>>(); // per label: where each border ends, by its start
  const add = (label: bigint, from: string, to: string) => {
    const ofLabel = edges.get(label) ?? new Map<string, string[]>();
    edges.set(label, ofLabel);
    ofLabel.set(from, [...(ofLabel.get(from) ?? []), to]);
  };
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const label = at(x, y);
      if (label === 0n) continue;
      if (at(x, y - 1) !== label) add(label, `${x} ${y}`, `${x + 1} ${y}`);
      if (at(x + 1, y) !== label) add(label, `${x + 1} ${y}`, `${x + 1} ${y + 1}`);
      if (at(x, y + 1) !== label) add(label, `${x + 1} ${y + 1}`, `${x} ${y + 1}`);
      if (at(x - 1, y) !== label) add(label, `${x} ${y + 1}`, `${x} ${y}`);
    }
  return new Map([...edges].map(([label, ofLabel]) => [label, loops(ofLabel)]));
}

function loops(edges: Map<string, string[]>): string {
  let path = '';
  for (const start of [...edges.keys()])
    while (edges.get(start)?.length) {
      const corners = [start];
      for (let at = edges.get(start)!.pop()!; at !== start; at = edges.get(at)!.pop()!) corners.push(at);
      const turns = corners.map((corner) => corner.split(' ').map(Number));
      path += `M${turns.filter((turn, k) => !isStraight(turns.at(k - 1)!, turn, turns[(k + 1) % turns.length])).join('L')}Z`;
    }
  return path.replaceAll(',', ' ');
}

function isStraight([ax, ay]: number[], [bx, by]: number[], [cx, cy]: number[]): boolean {
  return (bx - ax) * (cy - by) === (by - ay) * (cx - bx);
}
