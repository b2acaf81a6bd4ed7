/** The option tables of `lookupStream`. */
import type { OptionTable } from '../../base/option-table.ts';
import { integerFrom } from '../../base/value-kinds.ts';
import { BORROW_ROW, READ_OPTIONS, SCATTERED_OPTIONS, WAIT_OPTIONS } from '../reading-options.ts';
import type { ScatteredStreamOptions, StreamOptions } from './stream-types.ts';

export const DEFAULT_STREAM_CALLS = 4;
export const DEFAULT_POINTS_PER_CALL = 2 ** 16;

const GROUPING = {
  concurrency: {
    kind: integerFrom(1, 1024),
    default: String(DEFAULT_STREAM_CALLS),
    says: 'greatest number of calls whose answers have not all been taken; one more is read ahead',
  },
  pointsPerCall: {
    kind: integerFrom(1, 2 ** 24),
    default: String(DEFAULT_POINTS_PER_CALL),
    says: 'a call takes the batches that are ready until it has this many points',
  },
} as const;

/** What means something else for a stream than for one call. */
const OF_STREAMS = {
  timeoutMs: { ...WAIT_OPTIONS.timeoutMs, says: 'deadline of each call, in ms; missing answers have failed' },
  signal: { ...WAIT_OPTIONS.signal, says: 'ends the stream' },
  borrow: {
    ...BORROW_ROW,
    says: 'do not copy typed arrays: the source promises not to write to them before their answers were taken',
  },
} as const;

const { resolution, mip, snap, interpolate, onError } = READ_OPTIONS,
  { stopLayer, validate, agglomerate } = SCATTERED_OPTIONS;

/** Options of a stream on a Precomputed volume. */
export const STREAM_OPTIONS = {
  resolution,
  mip,
  snap,
  interpolate,
  onError,
  ...OF_STREAMS,
  ...GROUPING,
} as const satisfies OptionTable<StreamOptions>;

/** Options of a stream on a graphene volume. */
export const SCATTERED_STREAM_OPTIONS = {
  ...STREAM_OPTIONS,
  resolution: SCATTERED_OPTIONS.resolution,
  agglomerate,
  timestamp: { ...SCATTERED_OPTIONS.timestamp, default: "the volume's, else now when the stream begins" },
  stopLayer,
  validate,
} as const satisfies OptionTable<ScatteredStreamOptions>;
