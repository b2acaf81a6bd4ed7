/**
 * Former names of types, kept so that existing code still compiles. New code uses the name that each comment
 * gives.
 */
import type { MockEditOptions, MockEditResult } from './edits-from-code.ts';
import type { MockTimestamp } from './graph-description.ts';
import type { MockGraphInfo } from './graph/node-id-layout.ts';
import type { MockOperation } from './graph/operation-log.ts';

/** @deprecated Use {@link MockEditOptions}. */
export type EditOptions = MockEditOptions;

/** @deprecated Use {@link MockEditResult}. */
export type EditResult = MockEditResult;

/** @deprecated Use {@link MockGraphInfo}. */
export type GraphInfo = MockGraphInfo;

/** @deprecated Use {@link MockTimestamp}. */
export type Moment = MockTimestamp;

/** @deprecated Use {@link MockOperation}. */
export type Operation = MockOperation;
