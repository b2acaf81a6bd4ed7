/** Cooperative runners that do not depend on the speed of the machine. */
import { CooperativeRunner } from '../../lib/base/cooperative-work.ts';

const afterTurn = (act: () => void): void => void setImmediate(act);

/** A runner that never pauses. */
export const neverDue = (): CooperativeRunner =>
  new CooperativeRunner({ now: () => 0, afterLoopTurn: afterTurn });

/** A runner that pauses at every yield, except the first one of each turn. */
export function alwaysDue(): CooperativeRunner {
  let now = 0;
  return new CooperativeRunner({ now: () => (now += 1000), afterLoopTurn: afterTurn });
}
