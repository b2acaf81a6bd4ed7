/** One projection of the points, drawn by ECharts on a canvas. */
import { type EChartsType, init, use } from 'echarts/core';
import { ScatterChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { CanvasRenderer } from 'echarts/renderers';
import { make } from './dom.ts';

use([ScatterChart, GridComponent, CanvasRenderer]);

export type AxisPair = readonly [number, number];

/** What a projection draws. */
export interface Drawing {
  /** Points of each group, two coordinates in turn, and its colour. */
  readonly groups: readonly { readonly color: string; readonly places: Float64Array }[];
  readonly pointSize: number;
}

/** What a pointer does on a projection. All places are in the unit of the points. */
export interface ProjectionEvents {
  readonly onPick: (projection: Projection, x: number, y: number, extend: boolean) => void;
  readonly onSelect: (projection: Projection, from: AxisPair, to: AxisPair, extend: boolean) => void;
  readonly onMove: (projection: Projection, dx: number, dy: number) => void;
  readonly onZoom: (projection: Projection, factor: number, x: number, y: number) => void;
  readonly mode: () => 'select' | 'move';
}

const NAMES = 'xyz';
const MARGIN = { left: 52, right: 10, top: 8, bottom: 30 };
/** A pointer that moved less than this clicks. */
const CLICK_PX = 4;
/** Groups with more points than this are drawn without an element for each. */
const LARGE = 400;

export class Projection {
  readonly element: HTMLElement;
  readonly #canvas: HTMLElement;
  readonly #rectangle = make('div', { className: 'rectangle', hidden: true });
  readonly #chart: EChartsType;
  #series = 0;

  constructor(
    readonly axes: AxisPair,
    private readonly events: ProjectionEvents,
  ) {
    this.#canvas = make('div', { className: 'canvas' });
    this.#canvas.setAttribute('role', 'img');
    const caption = make('figcaption', { textContent: this.name });
    this.element = make('figure', { className: 'projection' }, caption, this.#canvas, this.#rectangle);
    this.#chart = init(this.#canvas, null, { renderer: 'canvas', width: 300, height: 240 });
    this.#listen();
  }

  get name(): string {
    return this.axes.map((axis) => NAMES[axis]).join('');
  }

  /** Size of the plot in pixels, without the axes. */
  get plotSize(): [number, number] {
    return [
      this.#canvas.clientWidth - MARGIN.left - MARGIN.right,
      this.#canvas.clientHeight - MARGIN.top - MARGIN.bottom,
    ];
  }

  describe(text: string): void {
    this.#canvas.setAttribute(
      'aria-label',
      `Points in ${this.axes.map((axis) => NAMES[axis]).join(' and ')}: ${text}`,
    );
  }

  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (width > 0 && height > 0) this.#chart.resize({ width, height });
  }

  /** Draws the points, and those that are selected above them. */
  draw({ groups, pointSize }: Drawing, selected: Float64Array, style: CSSStyleDeclaration): void {
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const point = {
      type: 'scatter',
      dimensions: ['a', 'b'],
      animation: false,
      silent: true,
      clip: true,
      cursor: 'default',
    };
    const series: object[] = groups.map(({ color: name, places }, k) => ({
      ...point,
      id: `group ${k}`,
      data: places,
      large: true, // and from 10,000 points on, 5000 in each frame
      largeThreshold: LARGE,
      symbolSize: pointSize,
      itemStyle: { color: color(name), opacity: 0.85 },
      z: 2,
    }));
    series.push({
      ...point,
      id: 'selected',
      data: selected,
      large: true,
      largeThreshold: LARGE,
      symbolSize: selected.length > 400 ? pointSize + 2 : 11,
      itemStyle:
        selected.length > 400
          ? { color: color('--accent') }
          : { color: 'transparent', borderColor: color('--accent'), borderWidth: 2.5 },
      z: 3,
    });
    // Groups that are no longer there would stay.
    for (let k = groups.length; k < this.#series; k++) series.push({ ...point, id: `group ${k}`, data: [] });
    this.#series = Math.max(this.#series, groups.length);
    this.#chart.setOption({ series }, { lazyUpdate: false });
  }

  /** Shows ranges of the two axes. */
  show(ranges: readonly (readonly [number, number])[], style: CSSStyleDeclaration): void {
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const axis = (k: number): object => ({
      type: 'value',
      name: NAMES[this.axes[k]],
      nameLocation: 'middle',
      nameGap: k === 0 ? 18 : 38,
      nameTextStyle: { color: color('--ink-2'), fontStyle: 'italic', fontSize: 12 },
      min: ranges[k][0],
      max: ranges[k][1],
      inverse: k === 1, // y and z grow downwards, as in viewers
      position: k === 0 ? 'bottom' : 'left',
      splitNumber: k === 0 ? 4 : 3,
      axisLine: { onZero: false, lineStyle: { color: color('--line-2') } },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: color('--line') } },
      axisLabel: {
        color: color('--ink-2'),
        fontSize: 11,
        showMinLabel: false,
        showMaxLabel: false,
        hideOverlap: true,
        formatter: (value: number) => value.toLocaleString('en', { maximumFractionDigits: 2 }),
      },
    });
    this.#chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { ...MARGIN, containLabel: false },
      xAxis: axis(0),
      yAxis: axis(1),
    });
  }

  /** Pixels of the page per unit, along both axes. */
  pixelsPerUnit(): [number, number] {
    const [x0, y0] = this.#chart.convertToPixel({ gridIndex: 0 }, [0, 0]),
      [x1, y1] = this.#chart.convertToPixel({ gridIndex: 0 }, [1, 1]);
    return [x1 - x0, y1 - y0];
  }

  #placeOf(event: PointerEvent | WheelEvent): AxisPair {
    const box = this.#canvas.getBoundingClientRect();
    const [x, y] = this.#chart.convertFromPixel({ gridIndex: 0 }, [
      event.clientX - box.left,
      event.clientY - box.top,
    ]);
    return [x, y];
  }

  #listen(): void {
    const canvas = this.#canvas;
    let start: { event: PointerEvent; place: AxisPair; last: AxisPair } | undefined;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      start = { event, place: this.#placeOf(event), last: [event.clientX, event.clientY] };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!start) return;
      if (this.events.mode() === 'move') {
        const [scaleX, scaleY] = this.pixelsPerUnit();
        this.events.onMove(
          this,
          (start.last[0] - event.clientX) / scaleX,
          (start.last[1] - event.clientY) / scaleY,
        );
        start.last = [event.clientX, event.clientY];
      } else this.#showRectangle(start.event, event);
    });
    const finish = (event: PointerEvent): void => {
      if (!start) return;
      const { event: first, place } = start;
      start = undefined;
      this.#rectangle.hidden = true;
      if (event.type === 'pointercancel') return;
      const moved = Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY);
      const extend = event.shiftKey || event.ctrlKey || event.metaKey;
      if (moved < CLICK_PX) this.events.onPick(this, ...place, extend);
      else if (this.events.mode() === 'select')
        this.events.onSelect(this, place, this.#placeOf(event), extend);
    };
    canvas.addEventListener('pointerup', finish);
    canvas.addEventListener('pointercancel', finish);
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
        event.preventDefault();
        this.events.onZoom(
          this,
          Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 250),
          ...this.#placeOf(event),
        );
      },
      { passive: false },
    );
  }

  #showRectangle(from: PointerEvent, to: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const { style } = this.#rectangle;
    style.left = `${Math.min(from.clientX, to.clientX) - box.left}px`;
    style.top = `${Math.min(from.clientY, to.clientY) - box.top}px`;
    style.width = `${Math.abs(to.clientX - from.clientX)}px`;
    style.height = `${Math.abs(to.clientY - from.clientY)}px`;
    this.#rectangle.hidden = false;
  }
}
