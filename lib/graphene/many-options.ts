/** The option tables of `readMany`: of the call, and of each of its volumes. */
import type { OptionTable } from '../base/option-table.ts';
import { FUNCTION } from '../base/value-kinds.ts';
import type { NamedGraphene, NamedPrecomputed, ReadManyOptions } from './many-types.ts';
import {
  BORROW_ROW,
  INTERPOLATE_ROW,
  ON_ERROR_ROW,
  ROOT_OPTIONS,
  SCATTERED_OPTIONS,
  WAIT_OPTIONS,
} from './reading-options.ts';

/** Options of `readMany`. */
export const MANY_OPTIONS = {
  resolution: { ...SCATTERED_OPTIONS.resolution, default: 'the unit of the volumes, if all have the same' },
  interpolate: INTERPOLATE_ROW,
  onError: ON_ERROR_ROW,
  ...WAIT_OPTIONS,
  timeoutMs: { ...WAIT_OPTIONS.timeoutMs, default: "each volume's own" },
  onProgress: { kind: FUNCTION, says: 'receives the name of a volume and the number of its chunks done' },
  borrow: BORROW_ROW,
} as const satisfies OptionTable<ReadManyOptions>;

const { mip, snap, interpolate, agglomerate } = SCATTERED_OPTIONS;

/** Options of a volume of `readMany` without a graph. */
export const NAMED_PRECOMPUTED_OPTIONS = { mip, snap, interpolate } as const satisfies OptionTable<
  Omit<NamedPrecomputed, 'name' | 'volume'>
>;

/** Options of a volume of `readMany` with a graph. */
export const NAMED_GRAPHENE_OPTIONS = {
  ...NAMED_PRECOMPUTED_OPTIONS,
  agglomerate,
  timestamp: ROOT_OPTIONS.timestamp,
  stopLayer: ROOT_OPTIONS.stopLayer,
} as const satisfies OptionTable<Omit<NamedGraphene, 'name' | 'volume'>>;
