/** Pacers that do not depend on how fast the machine is. */
import { CooperativeRunner } from '../../lib/base/cooperative-work.ts';

const afterTurn = (act: () => void): void => void setImmediate(act);

/** Never pauses. */
export const neverDue = (): CooperativeRunner =>
  new CooperativeRunner({ now: () => 0, afterLoopTurn: afterTurn });

/** Pauses wherever it may, but for the first time in a turn. */
export function alwaysDue(): CooperativeRunner {
  let now = 0;
  return new CooperativeRunner({ now: () => (now += 1000), afterLoopTurn: afterTurn });
}
