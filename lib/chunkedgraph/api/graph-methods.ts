/**
 * What the calls of `volume.graph` are handed, before they are carried out: arguments and options are taken as they are now, options checked by
 * name and type, and the deadline set. Afterwards nothing of a call belongs to the caller but its signal.
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

interface GraphMethod {
  /** How many arguments stand before the options. */
  argumentCount: number;
  options: AnyOptionTable;
  /** Whether it may change the graph: then only a deadline of its own ends it. */
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
export const GRAPH_METHODS: Readonly<Record<Method, GraphMethod>> = CALLS;

type Asks<Answer> = (...args: Answer[]) => Promise<unknown>;

type OptionsOf<Call> = Call extends (...args: infer Args) => unknown
  ? Required<Args> extends readonly [...unknown[], infer Options]
    ? Options
    : never
  : never;

/** Names that are options of a call by its type or by the table, and not by both. */
type Misplaced<Graph extends Record<Method, Asks<never>>> = {
  [Name in Method]:
    | Exclude<keyof OptionsOf<Graph[Name]>, keyof (typeof CALLS)[Name]['options']>
    | Exclude<keyof (typeof CALLS)[Name]['options'], keyof OptionsOf<Graph[Name]>>;
}[Method];

/** A graph whose calls and their options are those of the table: none is missing there, or here. */
type Complete<Graph> =
  Graph extends Record<Method, Asks<never>>
    ?
        | Exclude<
            { [Name in keyof Graph]: Graph[Name] extends Asks<never> ? Name : never }[keyof Graph],
            Method
          >
        | Misplaced<Graph> extends never
      ? Graph
      : never
    : never;

/** Signals of calls under way: what they ask in turn belongs to them, and has their deadline. */
const underWay = new WeakSet<AbortSignal>();

/**
 * Puts what this file says in front of the methods of `prototype`.
 * @throws By the methods: TypeError for an option nobody knows or of another type, RangeError, TimestampError, DeadlineError.
 */
export function guardMethods<Graph>(
  prototype: Complete<Graph>,
  partsOf: (graph: Graph) => CallSettings,
): void {
  type Calls = Record<Method, (...args: unknown[]) => Promise<unknown>>;
  const methods = prototype as unknown as Calls;
  for (const [name, { argumentCount: takes, options: table, mayEdit: edits }] of Object.entries(
    GRAPH_METHODS,
  ) as [Method, GraphMethod][]) {
    const method = methods[name];
    const guarded = async function (this: Graph, ...args: unknown[]): Promise<unknown> {
      const { borrow, ...options } = parseOptions(
        (args[takes] === undefined ? {} : args[takes]) as Options,
        table,
      );
      const own = args
        .slice(0, takes)
        .map((argument, k) =>
          borrow && ArrayBuffer.isView(argument) ? argument : copyData(argument, `argument ${k + 1}`),
        );
      const { signal } = options;
      if (signal && underWay.has(signal)) return method.call(this, ...own, options);
      const { closeSignal: life, timeoutMs: ofVolume } = partsOf(this),
        { timeoutMs = edits?.(own[0]) ? undefined : ofVolume } = options;
      return withDeadline(timeoutMs, [signal, life], (inCall) => {
        underWay.add(inCall);
        return method.call(this, ...own, { ...options, timeoutMs, signal: inCall });
      });
    };
    Object.defineProperty(prototype, name, { value: guarded, configurable: true, writable: true });
  }
}

export interface CallSettings {
  /** Aborts when the volume is closed. */
  closeSignal: AbortSignal;
  /** Most that calls may take that do not say so themselves, but for edits. @default no limit */
  timeoutMs?: number;
}

interface Options {
  signal?: AbortSignal;
  timeoutMs?: number;
  borrow?: boolean;
}
