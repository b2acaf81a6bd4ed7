/** Pacers that do not depend on how fast the machine is. */
import { Pacer } from '../../lib/base/pacer.ts';

const afterTurn = (act: () => void): void => void setImmediate(act);

/** Never pauses. */
export const neverDue = (): Pacer => new Pacer({ now: () => 0, afterTurn });

/** Pauses wherever it may, but for the first time in a turn. */
export function alwaysDue(): Pacer {
  let now = 0;
  return new Pacer({ now: () => (now += 1000), afterTurn });
}
