/** Plans a call, and fails its points if the deadline comes before the plan is complete. */
import { deadlineReason } from '../base/deadline.ts';
import { ChunkError, DeadlineError } from '../base/errors.ts';
import {
  runWithoutPause,
  fillInStretches,
  type CooperativeRunner,
  type PausableWork,
} from '../base/cooperative-work.ts';
import type { PointPlan } from './plan.ts';
import { PointStatus } from './status.ts';

/** A plan; an empty one, with an error, if the deadline came first. */
export interface PlanResult<Plan> {
  plan: Plan;
  deadlineError: ChunkError | undefined;
}

/** What is planned, and for which call. */
export interface Planning<Plan> {
  work: PausableWork<Plan>;
  /** The plan of no points. */
  none: Plan;
  /** Set to `failed` before the work runs, so that each point has a status if there is no plan. */
  status: Uint8Array;
  /** Names what was to be read, in the error. */
  url: string;
  runner: CooperativeRunner;
  signal: AbortSignal | undefined;
  /** Up to this many points are planned without a pause. */
  atOnce: number;
}

/**
 * Plans the read. Small calls are planned at once, and so register their chunks at once: calls made in the same
 * turn of the event loop share their reads.
 * @throws signal.reason, unless it is a deadline.
 */
export function planInTime<Plan>(planning: Planning<Plan>): PlanResult<Plan> | Promise<PlanResult<Plan>> {
  const { work, none, status, url, runner, signal, atOnce } = planning;
  let isFilled = false;
  const fillAndPlan = (function* (): PausableWork<Plan> {
    yield* fillInStretches(status, PointStatus.failed); // until each point gets its own status
    isFilled = true;
    return yield* work;
  })();
  const failAtDeadline = (error: unknown): PlanResult<Plan> => {
    const deadline = deadlineReason(signal);
    if (!deadline) throw error;
    if (!isFilled) status.fill(PointStatus.failed);
    return planAtDeadline(none, url, status.length, deadline);
  };
  if (status.length <= atOnce) return { plan: runWithoutPause(fillAndPlan), deadlineError: undefined };
  try {
    const plan = runner.run(fillAndPlan, signal);
    return plan instanceof Promise
      ? plan.then((plan) => ({ plan, deadlineError: undefined }), failAtDeadline)
      : { plan, deadlineError: undefined };
  } catch (error) {
    return failAtDeadline(error);
  }
}

/** Returns the plan of a call whose deadline came first: all of its points have failed. */
export const planAtDeadline = <Plan>(
  none: Plan,
  url: string,
  count: number,
  { timeoutMs }: DeadlineError,
): PlanResult<Plan> => ({
  plan: none,
  deadlineError: ChunkError.of(url, new DeadlineError(timeoutMs, { what: 'points', count, of: count })),
});

/** Returns the plan of no points. */
export function noPlan(): PointPlan {
  const none = new Uint32Array(0);
  return { cells: new Float64Array(0), starts: Uint32Array.of(0), offsets: none, order: none };
}
