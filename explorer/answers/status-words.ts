/** What each status means, in a few words. */
import { type PointStatusName, PointStatus, statusText } from '../../lib/points/status.ts';

const WORDS: Readonly<Record<PointStatusName, string>> = {
  unset: 'not answered yet',
  ok: 'found',
  background: 'nothing is segmented there',
  outOfBounds: 'outside the volume',
  missingChunk: 'the chunk is not stored',
  invalidPoint: 'no three numbers',
  suspect: 'the supervoxel does not fit its place; kept',
  noRoot: 'no root at that time',
  failed: 'the chunk could not be read',
  rootFailed: 'the root could not be looked up',
  notLookedUp: 'not looked up',
  invalidId: 'not an ID',
  invalidTimestamp: 'not a timestamp',
  staleSupervoxel: 'the supervoxel was split or replaced',
};

const BY_CODE = new Map(
  (Object.keys(WORDS) as PointStatusName[]).map((name) => [PointStatus[name] as number, WORDS[name]]),
);

/** The text of a status in the table; `waiting` for a row without an answer. */
export const statusName = (code: number): string => (code === 0 ? 'waiting' : statusText(code));
/** What a status means. */
export const statusWords = (code: number): string => BY_CODE.get(code) ?? 'unknown to this page';
