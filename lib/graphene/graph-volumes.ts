/**
 * Tells volumes with a graph from those without, and knows their timestamps. It does not load what only graphs need.
 */
import type { TimestampOption } from '../chunkedgraph/ids/timestamp.ts';
import type { GrapheneParts, GrapheneVolume } from './graphene-volume.ts';
import { partsOf, PrecomputedVolume, Volume } from './precomputed-volume.ts';

/** Returns whether a value is an open volume with a graph. */
export const isGrapheneVolume = (volume: unknown): volume is GrapheneVolume =>
  volume instanceof Volume && !(volume instanceof PrecomputedVolume);

/** Returns the timestamp of the root look-ups of a volume. */
export const timestampOf = (volume: GrapheneVolume): TimestampOption =>
  (partsOf(volume) as GrapheneParts).timestamp;
