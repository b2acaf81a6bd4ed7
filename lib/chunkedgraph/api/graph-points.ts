/** Points that edits and paths are about, checked before anything is asked. */
import { checkId, checkTriple } from './check-arguments.ts';
import { toNodeTuple, type GraphPoint } from './nodes.ts';

export function checkPoint(point: GraphPoint, what: string): GraphPoint {
  if (typeof point !== 'object' || point === null) throw new TypeError(`${what} is { id, nm: [x, y, z] }`);
  return { id: checkId(point.id, `${what}'s id`), nm: checkTriple(point.nm, `${what}'s nm`) };
}

/** Both sides of a split, as the server reads them. */
export function toSplitBody(
  sources: readonly GraphPoint[],
  sinks: readonly GraphPoint[],
): { sources: unknown[]; sinks: unknown[] } {
  if (sources.length === 0 || sinks.length === 0)
    throw new RangeError('a split has at least one source and one sink');
  return {
    sources: sources.map((point) => toNodeTuple(checkPoint(point, 'a source'))),
    sinks: sinks.map((point) => toNodeTuple(checkPoint(point, 'a sink'))),
  };
}
