/** Draws line plots on two logarithmic axes, as SVG. */

/** One line of a plot. Values must be above 0. */
export interface Series {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 640,
  HEIGHT = 400,
  LEFT = 64,
  RIGHT = 190,
  TOP = 36,
  BOTTOM = 46;
const COLOURS = [
  '#0b62a4',
  '#d1495b',
  '#8a8a8a',
  '#2a9d5c',
  '#b8860b',
  '#7b4fa3',
  '#e07a1f',
  '#17888f',
  '#5a4632',
];
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** Returns consecutive powers of ten that enclose the values: at least two. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values))),
    last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, k) => 10 ** (first + k));
}

/** Returns the SVG text of a plot with a title, axis labels and a legend. */
export function plot({
  title,
  x,
  y,
  series,
}: {
  title: string;
  x: string;
  y: string;
  series: readonly Series[];
}): string {
  const all = series.flatMap(({ points }) => points),
    xs = decades(all.map(([at]) => at)),
    ys = decades(all.map(([, value]) => value));
  const scaled = (value: number, ticks: readonly number[], from: number, to: number): number =>
    from +
    ((Math.log10(value) - Math.log10(ticks[0])) / (Math.log10(ticks.at(-1)!) - Math.log10(ticks[0]))) *
      (to - from);
  const px = (value: number): string => scaled(value, xs, LEFT, WIDTH - RIGHT).toFixed(1),
    py = (value: number): string => scaled(value, ys, HEIGHT - BOTTOM, TOP).toFixed(1);
  const text = (
    at: readonly [number | string, number | string],
    content: string,
    anchor = 'middle',
  ): string => `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}">${escaped(content)}</text>`;
  const label = (value: number): string =>
    value >= 1000 && value < 1e6
      ? `${value / 1000}k`
      : value >= 1e6
        ? `${value / 1e6}M`
        : String(Number(value.toPrecision(1)));
  const grid = [
    ...xs.map(
      (tick) =>
        `<path class="grid" d="M${px(tick)} ${TOP}V${HEIGHT - BOTTOM}"/>${text([px(tick), HEIGHT - BOTTOM + 16], label(tick))}`,
    ),
    ...ys.map(
      (tick) =>
        `<path class="grid" d="M${LEFT} ${py(tick)}H${WIDTH - RIGHT}"/>${text([LEFT - 6, Number(py(tick)) + 4], label(tick), 'end')}`,
    ),
  ];
  const lines = series.map(({ name, points }, k) => {
    const colour = COLOURS[k % COLOURS.length],
      last = points.at(-1)!;
    const dots = points
      .map(([at, value]) => `<circle cx="${px(at)}" cy="${py(value)}" r="3" fill="${colour}"/>`)
      .join('');
    const legend = `<path d="M${WIDTH - RIGHT + 14} ${TOP + 18 * k + 6}h16" stroke="${colour}" stroke-width="2"/>${text([WIDTH - RIGHT + 36, TOP + 18 * k + 10], name, 'start')}`;
    return `<path fill="none" stroke="${colour}" stroke-width="2" d="M${points.map(([at, value]) => `${px(at)} ${py(value)}`).join('L')}"/>${dots}${last ? legend : ''}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<style>.grid{stroke:#ddd;fill:none}</style><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${[text([(LEFT + WIDTH - RIGHT) / 2, 20], title), text([(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10], x), `<g transform="rotate(-90 16 ${HEIGHT / 2})">${text([16, HEIGHT / 2], y)}</g>`, ...grid, ...lines].join('\n')}
</svg>
`;
}
