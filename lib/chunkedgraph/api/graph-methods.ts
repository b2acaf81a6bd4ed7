/**
 * Guards the methods of `volume.graph`. Before a method runs, its arguments are copied, its options are
 * checked by name and type, and its deadline starts. After that, the caller can influence the call only
 * through its signal.
 */
import { withDeadline } from '../../base/deadline.ts';
import { copyData, parseOptions, type AnyOptionTable } from '../../base/option-table.ts';
import {
  BOUNDS_OPTION,
  BY_OPTION,
  CALL_OPTIONS,
  EDIT_OPTIONS,
  FILTERED_OPTION,
  INCLUDE_UNDONE_OPTION,
  LATEST_OPTION,
  LEAVES_OPTIONS,
  MINCUT_OPTION,
  PRECISE_OPTION,
  RAW_OPTION,
  REQUEST_OPTIONS,
  STOP_LAYER_OPTION,
  TIMED_OPTIONS,
  TIMESTAMP_OPTION,
  TIMESTAMP_PAST_OPTION,
  COMMON_OPTIONS,
  WINDOW_OPTIONS,
} from './call-options.ts';
import { EDIT_PATHS } from './edits.ts';

/** One method of `volume.graph`. */
interface GraphMethod {
  /** How many arguments come before the options. */
  argumentCount: number;
  options: AnyOptionTable;
  /** Whether the call may change the graph. Then only its own `timeoutMs` limits it, not the volume's. */
  mayEdit?: (first: unknown) => boolean;
}

const always = (): boolean => true;

const CALLS = {
  roots: {
    argumentCount: 1,
    options: { ...COMMON_OPTIONS, timestamp: TIMESTAMP_OPTION, stopLayer: STOP_LAYER_OPTION },
  },
  root: { argumentCount: 1, options: { ...TIMED_OPTIONS, stopLayer: STOP_LAYER_OPTION } },
  isLatestRoots: { argumentCount: 1, options: TIMED_OPTIONS },
  rootTimestamps: { argumentCount: 1, options: { ...TIMED_OPTIONS, latest: LATEST_OPTION } },
  validNodes: { argumentCount: 1, options: WINDOW_OPTIONS },
  leaves: { argumentCount: 1, options: LEAVES_OPTIONS },
  leavesMany: { argumentCount: 1, options: LEAVES_OPTIONS },
  children: { argumentCount: 1, options: CALL_OPTIONS },
  l2ChunkChildren: { argumentCount: 1, options: TIMED_OPTIONS },
  subgraph: { argumentCount: 1, options: { ...CALL_OPTIONS, bounds: BOUNDS_OPTION } },
  level2Graph: { argumentCount: 1, options: { ...CALL_OPTIONS, bounds: BOUNDS_OPTION } },
  minimalCoveringNodes: { argumentCount: 1, options: TIMED_OPTIONS },
  findPath: { argumentCount: 2, options: { ...CALL_OPTIONS, precise: PRECISE_OPTION } },
  lineageGraph: { argumentCount: 1, options: WINDOW_OPTIONS },
  pastIdMapping: { argumentCount: 1, options: { ...CALL_OPTIONS, timestampPast: TIMESTAMP_PAST_OPTION } },
  deltaRoots: { argumentCount: 0, options: { ...WINDOW_OPTIONS, raw: RAW_OPTION } },
  changeLog: { argumentCount: 1, options: { ...CALL_OPTIONS, filtered: FILTERED_OPTION } },
  tabularChangeLog: { argumentCount: 1, options: { ...CALL_OPTIONS, filtered: FILTERED_OPTION } },
  tabularChangeLogs: { argumentCount: 1, options: { ...CALL_OPTIONS, filtered: FILTERED_OPTION } },
  mergeLog: { argumentCount: 1, options: CALL_OPTIONS },
  operations: { argumentCount: 0, options: WINDOW_OPTIONS },
  userOperations: { argumentCount: 1, options: { ...WINDOW_OPTIONS, includeUndone: INCLUDE_UNDONE_OPTION } },
  operationDetails: { argumentCount: 1, options: CALL_OPTIONS },
  oldestTimestamp: { argumentCount: 0, options: CALL_OPTIONS },
  lastEdit: { argumentCount: 1, options: CALL_OPTIONS },
  latestRoots: { argumentCount: 1, options: TIMED_OPTIONS },
  originalRoots: { argumentCount: 1, options: TIMED_OPTIONS },
  suggestLatestRoots: { argumentCount: 1, options: { ...TIMED_OPTIONS, by: BY_OPTION } },
  merge: { argumentCount: 2, options: EDIT_OPTIONS, mayEdit: always },
  split: { argumentCount: 2, options: { ...EDIT_OPTIONS, mincut: MINCUT_OPTION }, mayEdit: always },
  splitPreview: { argumentCount: 2, options: CALL_OPTIONS },
  undo: { argumentCount: 1, options: EDIT_OPTIONS, mayEdit: always },
  redo: { argumentCount: 1, options: EDIT_OPTIONS, mayEdit: always },
  versions: { argumentCount: 0, options: CALL_OPTIONS },
  request: { argumentCount: 1, options: REQUEST_OPTIONS, mayEdit: (path) => EDIT_PATHS.test(String(path)) },
} satisfies Record<string, GraphMethod>;

type Method = keyof typeof CALLS;
/** All methods, by name. */
export const GRAPH_METHODS: Readonly<Record<Method, GraphMethod>> = CALLS;

type AsyncMethod<Answer> = (...args: Answer[]) => Promise<unknown>;

type OptionsOf<Call> = Call extends (...args: infer Args) => unknown
  ? Required<Args> extends readonly [...unknown[], infer Options]
    ? Options
    : never
  : never;

/** Option names that are in the type of a method or in the table, but not in both. */
type Misplaced<Graph extends Record<Method, AsyncMethod<never>>> = {
  [Name in Method]:
    | Exclude<keyof OptionsOf<Graph[Name]>, keyof (typeof CALLS)[Name]['options']>
    | Exclude<keyof (typeof CALLS)[Name]['options'], keyof OptionsOf<Graph[Name]>>;
}[Method];

/** A graph whose methods and options match the table. A missing entry on either side is a type error. */
type Complete<Graph> =
  Graph extends Record<Method, AsyncMethod<never>>
    ?
        | Exclude<
            { [Name in keyof Graph]: Graph[Name] extends AsyncMethod<never> ? Name : never }[keyof Graph],
            Method
          >
        | Misplaced<Graph> extends never
      ? Graph
      : never
    : never;

/** Signals of running calls. A call inside another call shares its deadline. */
const runningCalls = new WeakSet<AbortSignal>();

/**
 * Wraps each method of `prototype` with these checks.
 *
 * @throws The wrapped methods reject with TypeError for an unknown option or a wrong type; RangeError;
 *   TimestampError; DeadlineError.
 */
export function guardMethods<Graph>(
  prototype: Complete<Graph>,
  settingsOf: (graph: Graph) => CallSettings,
): void {
  type Calls = Record<Method, (...args: unknown[]) => Promise<unknown>>;
  const methods = prototype as unknown as Calls;
  for (const [name, { argumentCount, options: table, mayEdit }] of Object.entries(GRAPH_METHODS) as [
    Method,
    GraphMethod,
  ][]) {
    const method = methods[name];
    const guarded = async function (this: Graph, ...args: unknown[]): Promise<unknown> {
      const { borrow, ...options } = parseOptions(
        (args[argumentCount] === undefined ? {} : args[argumentCount]) as Options,
        table,
      );
      const copies = args
        .slice(0, argumentCount)
        .map((argument, k) =>
          borrow && ArrayBuffer.isView(argument) ? argument : copyData(argument, `argument ${k + 1}`),
        );
      const { signal } = options;
      if (signal && runningCalls.has(signal)) return method.call(this, ...copies, options);
      const { closeSignal, timeoutMs: volumeTimeoutMs } = settingsOf(this),
        { timeoutMs = mayEdit?.(copies[0]) ? undefined : volumeTimeoutMs } = options;
      return withDeadline(timeoutMs, [signal, closeSignal], (callSignal) => {
        runningCalls.add(callSignal);
        return method.call(this, ...copies, { ...options, timeoutMs, signal: callSignal });
      });
    };
    Object.defineProperty(prototype, name, { value: guarded, configurable: true, writable: true });
  }
}

/** Settings of the volume that apply to every call. */
export interface CallSettings {
  /** Aborts when the volume is closed. */
  closeSignal: AbortSignal;
  /** Time limit of calls without a `timeoutMs`, in ms. Edits have no limit. @default no limit */
  timeoutMs?: number;
}

interface Options {
  signal?: AbortSignal;
  timeoutMs?: number;
  borrow?: boolean;
}
