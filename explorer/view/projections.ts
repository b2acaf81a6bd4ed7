/** The three projections: what they draw, what they show of space, and what the pointer selects in them. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { Colouring } from './colours.ts';
import { breathe, byId, plural } from './dom.ts';
import { type AxisPair, Projection } from './projection.ts';
import { boxAround, moveBox, rangesOf, type ViewBox, zoomBox } from './view-box.ts';

const PAIRS: readonly AxisPair[] = [
  [0, 1],
  [0, 2],
  [1, 2],
];
/** A click selects the nearest point within this many pixels. */
const REACH_PX = 12;

export interface ProjectionsEvents {
  /** Rows were chosen with the pointer. */
  readonly onRows: (rows: readonly number[], extend: boolean) => void;
}

export class Projections {
  readonly #views: Projection[];
  #coordinates: Float64Array = new Float64Array();
  #unit: Vec3 = [1, 1, 1];
  #box: ViewBox = boxAround(new Float64Array());
  #drawing = 0;

  constructor(container: HTMLElement, events: ProjectionsEvents) {
    const mode = (): 'select' | 'move' =>
      document.querySelector<HTMLInputElement>('input[name="drag"]:checked')?.value === 'move'
        ? 'move'
        : 'select';
    this.#views = PAIRS.map(
      (axes) =>
        new Projection(axes, {
          mode,
          onPick: (view, x, y, extend) => {
            const row = this.#nearest(view, x, y);
            events.onRows(row === undefined ? [] : [row], extend);
          },
          onSelect: (view, from, to, extend) => events.onRows(this.#inside(view, from, to), extend),
          onMove: (view, dx, dy) => {
            const by = [0, 0, 0];
            by[view.axes[0]] = dx;
            by[view.axes[1]] = dy;
            this.#setBox(moveBox(this.#box, by as unknown as Vec3));
          },
          onZoom: (view, factor, x, y) => {
            const about: (number | undefined)[] = [undefined, undefined, undefined];
            about[view.axes[0]] = x;
            about[view.axes[1]] = y;
            this.#setBox(zoomBox(this.#box, factor, about));
          },
        }),
    );
    container.append(...this.#views.map(({ element }) => element));
    byId('zoom-in').addEventListener('click', () => this.#setBox(zoomBox(this.#box, 1 / 1.5)));
    byId('zoom-out').addEventListener('click', () => this.#setBox(zoomBox(this.#box, 1.5)));
    byId('zoom-fit').addEventListener('click', () => this.#setBox(boxAround(this.#coordinates)));
    new ResizeObserver(() => {
      for (const view of this.#views) view.resize();
      this.#setBox(this.#box);
    }).observe(container);
  }

  /** Takes other points, and shows all of them. */
  setPoints(coordinates: Float64Array, unit: Vec3): void {
    this.#coordinates = coordinates;
    this.#unit = unit;
    for (const view of this.#views) view.resize();
    this.#setBox(boxAround(coordinates));
  }

  /** Draws the rows in their colours. Each projection is a task of its own; a later call replaces an earlier one. */
  async draw(colouring: Colouring, selected: readonly number[]): Promise<void> {
    const drawing = ++this.#drawing,
      count = this.#coordinates.length / 3,
      pointSize = count > 30_000 ? 2 : count > 3000 ? 3 : count > 300 ? 5 : 7;
    const style = getComputedStyle(document.documentElement);
    const sizes = new Uint32Array(colouring.groups.length),
      groupOf = new Uint8Array(count);
    for (let row = 0; row < count; row++) sizes[(groupOf[row] = colouring.groupOf(row))]++;
    for (const view of this.#views) {
      await breathe();
      if (drawing !== this.#drawing) return;
      const groups = colouring.groups.map(({ colour }, group) => ({
        color: colour,
        places: new Float64Array(2 * sizes[group]),
      }));
      const filled = new Uint32Array(groups.length);
      const [a, b] = view.axes;
      for (let row = 0; row < count; row++) {
        const group = groupOf[row],
          at = filled[group]++;
        groups[group].places[2 * at] = this.#coordinates[3 * row + a];
        groups[group].places[2 * at + 1] = this.#coordinates[3 * row + b];
      }
      const marked = Float64Array.from(
        selected.flatMap((row) => [this.#coordinates[3 * row + a], this.#coordinates[3 * row + b]]),
      );
      view.draw({ groups, pointSize }, marked, style);
      view.describe(
        `${plural(count, 'point')}${selected.length > 0 ? `, ${formatSelected(selected.length)}` : ''}. The table has the same points.`,
      );
    }
  }

  /** Paints the axes again, in other colours. */
  repaint(): void {
    this.#setBox(this.#box);
  }

  #setBox(box: ViewBox): void {
    this.#box = box;
    const style = getComputedStyle(document.documentElement);
    for (const view of this.#views) view.show(rangesOf(box, view.axes, this.#unit, view.plotSize), style);
  }

  #nearest(view: Projection, x: number, y: number): number | undefined {
    const [a, b] = view.axes,
      [scaleX, scaleY] = view.pixelsPerUnit();
    let best: number | undefined,
      least = REACH_PX ** 2;
    for (let row = 0; row < this.#coordinates.length / 3; row++) {
      const dx = (this.#coordinates[3 * row + a] - x) * scaleX,
        dy = (this.#coordinates[3 * row + b] - y) * scaleY,
        distance = dx * dx + dy * dy;
      if (distance <= least) {
        least = distance;
        best = row;
      }
    }
    return best;
  }

  #inside({ axes: [a, b] }: Projection, from: AxisPair, to: AxisPair): number[] {
    const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])],
      [low, high] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
    const rows: number[] = [];
    for (let row = 0; row < this.#coordinates.length / 3; row++) {
      const x = this.#coordinates[3 * row + a],
        y = this.#coordinates[3 * row + b];
      if (x >= left && x <= right && y >= low && y <= high) rows.push(row);
    }
    return rows;
  }
}

const formatSelected = (count: number): string => `${plural(count, 'point')} selected`;
