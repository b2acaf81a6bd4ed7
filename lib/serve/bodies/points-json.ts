/** Answers as JSON. IDs are decimal texts, because JavaScript rounds large numbers. */
import { statusText } from '../../points/status.ts';
import type { PointsAnswer } from './points-answer.ts';

/** Returns the columns of an answer. */
export const pointsAnswerJson = ({ timestamp, values, channels, roots, status }: PointsAnswer): object => ({
  timestamp: timestamp?.toISOString() ?? null,
  ...(channels === 1 && { supervoxel_id: texts(values) }),
  ...(roots && { root_id: texts(roots) }),
  status: Array.from(status, statusText),
});

const texts = (ids: PointsAnswer['values']): (string | null)[] =>
  Array.from(ids as ArrayLike<number | bigint>, (id) => (id ? String(id) : null));
