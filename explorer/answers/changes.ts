/** What changed between two timestamps: the roots of the same supervoxels at a second one. */
import { PointStatus } from '../../lib/points/status.ts';
import { type Answers, Change, NO_ID } from './answers.ts';

/** Returns the numbers of the supervoxels whose roots are compared, each once. */
export function comparedSupervoxels({ rows, status, supervoxel, root }: Answers): Uint32Array {
  const seen = new Set<number>();
  for (let row = 0; row < rows; row++)
    if (status[row] === PointStatus.ok && supervoxel[row] !== NO_ID && root[row] !== NO_ID)
      seen.add(supervoxel[row]);
  return Uint32Array.from(seen);
}

/** Forgets the second timestamp. */
export function clearChanges(answers: Answers): void {
  answers.change.fill(Change.unknown);
  answers.otherRoot.fill(NO_ID);
}

/**
 * Puts the roots at the second timestamp at their rows, and marks those that differ. A supervoxel without a root
 * then, or whose request failed, is not compared.
 *
 * @param otherRoots The root of each supervoxel, by the supervoxel's number; null where there is none.
 * @returns How many rows were compared, and how many differ.
 */
export function markChanges(
  answers: Answers,
  otherRoots: ReadonlyMap<number, string | null>,
): { compared: number; changed: number } {
  clearChanges(answers);
  const indices = new Map([...otherRoots].map(([supervoxel, root]) => [supervoxel, answers.roots.add(root)]));
  let compared = 0,
    changed = 0;
  for (let row = 0; row < answers.rows; row++) {
    const other = answers.root[row] === NO_ID ? undefined : indices.get(answers.supervoxel[row]);
    if (answers.status[row] !== PointStatus.ok || other === undefined || other === NO_ID) continue;
    const differs = other !== answers.root[row];
    answers.otherRoot[row] = other;
    answers.change[row] = differs ? Change.changed : Change.same;
    compared++;
    if (differs) changed++;
  }
  return { compared, changed };
}
