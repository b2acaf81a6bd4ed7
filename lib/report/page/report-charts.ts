/**
 * The charts of a report, as options of ECharts. No text from outside is in them. Their colours are variables of the
 * page, so that they fit its dark and its light form.
 */
import type { AnswerSummary } from '../model/answer-collector.ts';
import type { LatencySummary } from '../model/summarize-report.ts';
import type { JoinedTimeline } from '../model/run-timeline.ts';
import { short } from './figures.ts';
import { escapeHtml, type Html, trustedSvg } from './safe-html.ts';
import { markOf } from './status-marks.ts';

/** Draws an option of ECharts as SVG. */
export type DrawSvg = (option: object, width: number, height: number) => string;

/** A chart and what it shows, for those who do not see it. */
export interface Chart {
  svg: Html;
  label: string;
}

const FONT = { fontFamily: 'system-ui, sans-serif', fontSize: 11 };
const AXIS = {
  axisLine: { show: true, lineStyle: { color: 'var(--rule)' } },
  axisTick: { lineStyle: { color: 'var(--rule)' } },
  axisLabel: { color: 'var(--muted)', ...FONT },
  splitLine: { lineStyle: { color: 'var(--grid)' } },
};
const NAME = { nameTextStyle: { color: 'var(--muted)', ...FONT }, nameLocation: 'middle' };

const draw = (
  drawSvg: DrawSvg,
  label: string,
  option: object,
  [width, height]: readonly [number, number],
): Chart => ({
  svg: trustedSvg(
    drawSvg({ textStyle: FONT, ...option }, width, height).replace(
      '<svg width="',
      `<svg role="img" aria-label="${escapeHtml(label)}" width="`,
    ),
  ),
  label,
});

const SIZE = [470, 168] as const;

/** The axis of heights, from 0. */
const HEIGHTS = {
  type: 'value',
  min: 0,
  splitNumber: 3,
  ...AXIS,
  axisLine: { show: false },
  axisTick: { show: false },
} as const;
/** A line that keeps each value until the next one. */
const STEPS = { type: 'line', step: 'end', symbol: 'none', silent: true } as const;

/** Draws a rate, or a number, over time: one value for each interval. */
export function timelineChart(
  drawSvg: DrawSvg,
  { widthMs, gaps, activeMs }: JoinedTimeline,
  { values, isCount }: { values: readonly number[]; isCount: boolean },
  label: string,
): Chart {
  const unit = activeMs < 2000 ? 1 : activeMs < 180_000 ? 1000 : activeMs < 10_800_000 ? 60_000 : 3_600_000,
    names = { 1: 'ms', 1000: 's', 60000: 'min', 3600000: 'h' } as const;
  const data = values.map((value, k) => [(k * widthMs) / unit, value]);
  data.push([Math.max(activeMs, values.length * widthMs) / unit, values.at(-1) ?? 0]);
  return draw(
    drawSvg,
    label,
    {
      grid: { left: 58, right: 14, top: 12, bottom: 26 },
      xAxis: {
        type: 'value',
        min: 0,
        max: data.at(-1)![0],
        ...AXIS,
        splitLine: { show: false },
        axisLabel: {
          ...AXIS.axisLabel,
          showMaxLabel: false,
          formatter: (value: number) => `${short(value)}\u202f${names[unit]}`,
        },
      },
      yAxis: { ...HEIGHTS, minInterval: isCount ? 1 : undefined },
      series: [
        {
          ...STEPS,
          lineStyle: { color: 'var(--accent)', width: 1.25 },
          areaStyle: { color: 'var(--accent)', opacity: 0.16 },
          data,
          markLine: {
            silent: true,
            symbol: 'none',
            label: { show: false },
            lineStyle: { color: 'var(--muted)', type: 'dashed', width: 1 },
            data: gaps.map((gap) => ({ xAxis: (gap * widthMs) / unit })),
          },
        },
      ],
    },
    SIZE,
  );
}

const LABEL_WIDTH = 30;
const decade = (power: number): string => {
  const ms = 10 ** power;
  return ms < 1000 ? `${short(ms)}\u202fms` : `${short(ms / 1000)}\u202fs`;
};

/** Draws a histogram of durations on a logarithmic axis, with its percentiles. */
export function latencyChart(drawSvg: DrawSvg, summary: LatencySummary, label: string): Chart {
  const { bars, p50, p90, p99 } = summary,
    first = Math.floor(Math.log10(bars[0].fromMs) + 1e-9),
    last = Math.max(first + 1, Math.ceil(Math.log10(bars[bars.length - 1].toMs) - 1e-9));
  const data = bars.map(({ fromMs, count }) => [Math.log10(fromMs), count]);
  data.push([Math.log10(bars[bars.length - 1].toMs), 0]);
  // Labels that would overlap are put above each other.
  const percentiles: { name: string; at: number; raised: number }[] = [];
  for (const [name, ms] of [
    ['p50', p50],
    ['p90', p90],
    ['p99', p99],
  ] as const) {
    const at = Math.log10(Math.max(ms, 1e-3)),
      before = percentiles.at(-1),
      isNear = before && ((at - before.at) / (last - first)) * SIZE[0] < LABEL_WIDTH;
    percentiles.push({ name, at, raised: isNear ? before.raised + 1 : 0 });
  }
  return draw(
    drawSvg,
    label,
    {
      grid: { left: 58, right: 18, top: 42, bottom: 26 },
      xAxis: {
        type: 'value',
        min: first,
        max: last,
        interval: 1,
        ...AXIS,
        axisLabel: { ...AXIS.axisLabel, formatter: decade },
      },
      yAxis: { ...HEIGHTS, minInterval: 1 },
      series: [
        {
          ...STEPS,
          lineStyle: { color: 'var(--accent)', width: 1 },
          areaStyle: { color: 'var(--accent)', opacity: 0.45 },
          data: [[data[0][0], 0], ...data],
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: 'var(--ink)', type: [3, 2], width: 1 },
            data: percentiles.map(({ name, at, raised }) => ({
              xAxis: at,
              label: {
                formatter: name,
                position: 'end',
                distance: 3,
                offset: [0, -11 * raised],
                color: 'var(--ink)',
                ...FONT,
                fontSize: 10,
              },
            })),
          },
        },
      ],
    },
    SIZE,
  );
}

/** The axes of the three projections: across, and down. */
export const PROJECTIONS = [
  ['x', 'y'],
  ['x', 'z'],
  ['y', 'z'],
] as const;
const AXES = ['x', 'y', 'z'];
const PANEL = 244,
  LEAST_PANEL = 56,
  MARGIN = { left: 62, right: 16, top: 10, bottom: 38 };

/** Draws the sampled points of all statuses from one side. @param unit Nanometres per unit of each axis. */
export function projectionChart(
  drawSvg: DrawSvg,
  { samples, bounds }: AnswerSummary,
  [across, down]: readonly [string, string],
  unit: readonly number[],
  label: string,
): Chart {
  const [a, b] = [across, down].map((name) => AXES.indexOf(name)),
    { min, max } = bounds!;
  const spanOf = (axis: number): number => Math.max(max[axis] - min[axis], 1e-9) * unit[axis],
    largest = Math.max(...[0, 1, 2].map(spanOf)),
    [width, height] = [a, b].map((axis) => Math.max(LEAST_PANEL, (PANEL * spanOf(axis)) / largest));
  const axisOf = (axis: number): object => {
    const pad = Math.max((max[axis] - min[axis]) * 0.03, max[axis] === min[axis] ? 1 : 0);
    return { type: 'value', min: Math.floor(min[axis] - pad), max: Math.ceil(max[axis] + pad), ...AXIS };
  };
  const labels = {
    ...AXIS.axisLabel,
    fontSize: 10,
    hideOverlap: true,
    showMinLabel: false,
    showMaxLabel: false,
    formatter: (value: number) => compact(value),
  };
  return draw(
    drawSvg,
    label,
    {
      grid: { left: MARGIN.left, top: MARGIN.top, width, height },
      xAxis: { ...axisOf(a), name: across, nameGap: 22, splitNumber: 3, ...NAME, axisLabel: labels },
      yAxis: {
        ...axisOf(b),
        name: down,
        nameGap: 46,
        nameRotate: 0,
        inverse: true,
        splitNumber: height < 100 ? 1 : 4,
        ...NAME,
        axisLabel: labels,
      },
      // Rare statuses are drawn last, on top.
      series: samples
        .toSorted((one, other) => other.seen - one.seen)
        .map(({ code, points }) => {
          const { symbol, size, variable } = markOf(code);
          return {
            type: 'scatter',
            silent: true,
            large: true,
            largeThreshold: 0,
            progressive: 0,
            symbol,
            symbolSize: size,
            itemStyle: { color: `var(${variable})`, opacity: 0.85 },
            data: Array.from({ length: points.length / 3 }, (_, k) => [points[3 * k + a], points[3 * k + b]]),
          };
        }),
    },
    [MARGIN.left + width + MARGIN.right, MARGIN.top + height + MARGIN.bottom],
  );
}

const compact = (value: number): string =>
  Math.abs(value) >= 10_000 ? `${short(value / 1000)}k` : short(value);
