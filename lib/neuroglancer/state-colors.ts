/** Colours of points: one for each status, and one for each ID. */
import { PointStatus, type PointStatusCode } from '../points/status.ts';

/** The colour of a point without an ID. */
export const NO_ID_COLOR = '#808080';

const STATUS_COLORS: Readonly<Record<PointStatusCode, string>> = {
  [PointStatus.unset]: '#808080',
  [PointStatus.ok]: '#33aa55',
  [PointStatus.background]: '#808080',
  [PointStatus.outOfBounds]: '#e69f00',
  [PointStatus.missingChunk]: '#f0e442',
  [PointStatus.invalidPoint]: '#cc79a7',
  [PointStatus.suspect]: '#d55e00',
  [PointStatus.noRoot]: '#56b4e9',
  [PointStatus.failed]: '#e02020',
  [PointStatus.rootFailed]: '#b02060',
  [PointStatus.notLookedUp]: '#c0c0c0',
  [PointStatus.invalidId]: '#cc79a7',
  [PointStatus.invalidTimestamp]: '#cc79a7',
  [PointStatus.staleSupervoxel]: '#0072b2',
};

/** Returns the colour of a status code, `#rrggbb`. */
export const statusColor = (code: number): string => STATUS_COLORS[code as PointStatusCode] ?? NO_ID_COLOR;

/** Returns the colour of an ID, `#rrggbb`: always the same for the same ID, and bright. Grey for 0. */
export function idColor(low: number, high: number): string {
  if (low === 0 && high === 0) return NO_ID_COLOR;
  // The finalizer of MurmurHash3, over both words.
  let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = (hash ^ (hash >>> 16)) >>> 0;
  const hue = (hash & 0xffff) / 0x10000,
    value = 0.75 + (0.25 * ((hash >>> 16) & 0xff)) / 255,
    saturation = 0.55 + (0.45 * (hash >>> 24)) / 255;
  const channel = (offset: number): string => {
    const k = (offset + hue * 6) % 6,
      part = value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1));
    return Math.round(part * 255)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(5)}${channel(3)}${channel(1)}`;
}
