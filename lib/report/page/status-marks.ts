/** The mark of each status: a colour of the page, and a shape for those who do not tell the colours apart. */
import { PointStatus } from '../../points/status.ts';

/** How points of a status are drawn. */
export interface StatusMark {
  /** The variable of the page with its colour. */
  variable: string;
  symbol: 'circle' | 'rect' | 'triangle' | 'diamond';
  /** In pixels. */
  size: number;
}

const OTHER: StatusMark = { variable: '--other', symbol: 'diamond', size: 4.5 };

const MARKS: Readonly<Record<number, StatusMark>> = {
  [PointStatus.ok]: { variable: '--ok', symbol: 'circle', size: 2.6 },
  [PointStatus.background]: { variable: '--background', symbol: 'rect', size: 2.8 },
  [PointStatus.outOfBounds]: { variable: '--outside', symbol: 'triangle', size: 4.6 },
  [PointStatus.missingChunk]: { variable: '--outside', symbol: 'diamond', size: 4.6 },
  [PointStatus.suspect]: { variable: '--doubt', symbol: 'triangle', size: 5 },
  [PointStatus.noRoot]: { variable: '--doubt', symbol: 'diamond', size: 5 },
  [PointStatus.staleSupervoxel]: { variable: '--doubt', symbol: 'rect', size: 4.4 },
  [PointStatus.failed]: { variable: '--failed', symbol: 'diamond', size: 5.6 },
  [PointStatus.rootFailed]: { variable: '--failed', symbol: 'triangle', size: 5.6 },
};

/** Returns the mark of a status code. */
export const markOf = (code: number): StatusMark => MARKS[code] ?? OTHER;

/** The mark as a path in a square of 12. */
export const SHAPES: Readonly<Record<StatusMark['symbol'], string>> = {
  circle: 'M2 6a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z',
  rect: 'M2.5 2.5h7v7h-7Z',
  triangle: 'M6 1.5L10.5 10h-9Z',
  diamond: 'M6 1L11 6L6 11L1 6Z',
};
