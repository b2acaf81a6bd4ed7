/** Checks the points of edits and paths before a request is sent. */
import { checkId, checkTriple } from './check-arguments.ts';
import { toNodeTuple, type GraphPoint } from './nodes.ts';

/** Checks a point. `what` names it in errors. @throws TypeError, RangeError. */
export function checkPoint(point: GraphPoint, what: string): GraphPoint {
  if (typeof point !== 'object' || point === null)
    throw new TypeError(`${what} must be { id, nm: [x, y, z] }`);
  return { id: checkId(point.id, `${what}'s id`), nm: checkTriple(point.nm, `${what}'s nm`) };
}

/** Returns both sides of a split as the server expects them. @throws RangeError if a side is empty. */
export function toSplitBody(
  sources: readonly GraphPoint[],
  sinks: readonly GraphPoint[],
): { sources: unknown[]; sinks: unknown[] } {
  if (sources.length === 0 || sinks.length === 0)
    throw new RangeError('a split needs at least one source and one sink');
  return {
    sources: sources.map((point) => toNodeTuple(checkPoint(point, 'a source'))),
    sinks: sinks.map((point) => toNodeTuple(checkPoint(point, 'a sink'))),
  };
}
