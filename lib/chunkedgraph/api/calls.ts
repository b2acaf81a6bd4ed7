/**
 * What the calls of `volume.graph` are handed, before they are carried out: arguments and options are taken as they are now, options checked by
 * name and type, and the deadline set. Afterwards nothing of a call belongs to the caller but its signal.
 */
import { within } from '../../base/deadline.ts';
import { copied, takeOptions, type AnyTable } from '../../base/options.ts';
import {
  BOUNDS,
  BY,
  CALL,
  EDIT,
  FILTERED,
  INCLUDE_UNDONE,
  LATEST,
  LEAVES,
  MINCUT,
  PRECISE,
  RAW,
  REQUEST,
  STOP_LAYER,
  TIMED,
  TIMESTAMP,
  TIMESTAMP_PAST,
  UNSIZED,
  WINDOW,
} from './call-options.ts';
import { CHANGES } from './edits.ts';

interface GraphCall {
  /** How many arguments stand before the options. */
  takes: number;
  options: AnyTable;
  /** Whether it may change the graph: then only a deadline of its own ends it. */
  edits?: (first: unknown) => boolean;
}

const always = (): boolean => true;

const CALLS = {
  roots: { takes: 1, options: { ...UNSIZED, timestamp: TIMESTAMP, stopLayer: STOP_LAYER } },
  root: { takes: 1, options: { ...TIMED, stopLayer: STOP_LAYER } },
  isLatestRoots: { takes: 1, options: TIMED },
  rootTimestamps: { takes: 1, options: { ...TIMED, latest: LATEST } },
  validNodes: { takes: 1, options: WINDOW },
  leaves: { takes: 1, options: LEAVES },
  leavesMany: { takes: 1, options: LEAVES },
  children: { takes: 1, options: CALL },
  l2ChunkChildren: { takes: 1, options: TIMED },
  subgraph: { takes: 1, options: { ...CALL, bounds: BOUNDS } },
  level2Graph: { takes: 1, options: { ...CALL, bounds: BOUNDS } },
  minimalCoveringNodes: { takes: 1, options: TIMED },
  findPath: { takes: 2, options: { ...CALL, precise: PRECISE } },
  lineageGraph: { takes: 1, options: WINDOW },
  pastIdMapping: { takes: 1, options: { ...CALL, timestampPast: TIMESTAMP_PAST } },
  deltaRoots: { takes: 0, options: { ...WINDOW, raw: RAW } },
  changeLog: { takes: 1, options: { ...CALL, filtered: FILTERED } },
  tabularChangeLog: { takes: 1, options: { ...CALL, filtered: FILTERED } },
  tabularChangeLogs: { takes: 1, options: { ...CALL, filtered: FILTERED } },
  mergeLog: { takes: 1, options: CALL },
  operations: { takes: 0, options: WINDOW },
  userOperations: { takes: 1, options: { ...WINDOW, includeUndone: INCLUDE_UNDONE } },
  operationDetails: { takes: 1, options: CALL },
  oldestTimestamp: { takes: 0, options: CALL },
  lastEdit: { takes: 1, options: CALL },
  latestRoots: { takes: 1, options: TIMED },
  originalRoots: { takes: 1, options: TIMED },
  suggestLatestRoots: { takes: 1, options: { ...TIMED, by: BY } },
  merge: { takes: 2, options: EDIT, edits: always },
  split: { takes: 2, options: { ...EDIT, mincut: MINCUT }, edits: always },
  splitPreview: { takes: 2, options: CALL },
  undo: { takes: 1, options: EDIT, edits: always },
  redo: { takes: 1, options: EDIT, edits: always },
  versions: { takes: 0, options: CALL },
  request: { takes: 1, options: REQUEST, edits: (path) => CHANGES.test(String(path)) },
} satisfies Record<string, GraphCall>;

type Method = keyof typeof CALLS;
export const GRAPH_CALLS: Readonly<Record<Method, GraphCall>> = CALLS;

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
export function takeInputs<Graph>(prototype: Complete<Graph>, partsOf: (graph: Graph) => CallParts): void {
  type Calls = Record<Method, (...args: unknown[]) => Promise<unknown>>;
  const methods = prototype as unknown as Calls;
  for (const [name, { takes, options: table, edits }] of Object.entries(GRAPH_CALLS) as [
    Method,
    GraphCall,
  ][]) {
    const method = methods[name];
    const guarded = async function (this: Graph, ...args: unknown[]): Promise<unknown> {
      const { borrow, ...options } = takeOptions(
        (args[takes] === undefined ? {} : args[takes]) as Options,
        table,
      );
      const own = args
        .slice(0, takes)
        .map((argument, k) =>
          borrow && ArrayBuffer.isView(argument) ? argument : copied(argument, `argument ${k + 1}`),
        );
      const { signal } = options;
      if (signal && underWay.has(signal)) return method.call(this, ...own, options);
      const { life, timeoutMs: ofVolume } = partsOf(this),
        { timeoutMs = edits?.(own[0]) ? undefined : ofVolume } = options;
      return within(timeoutMs, [signal, life], (inCall) => {
        underWay.add(inCall);
        return method.call(this, ...own, { ...options, timeoutMs, signal: inCall });
      });
    };
    Object.defineProperty(prototype, name, { value: guarded, configurable: true, writable: true });
  }
}

export interface CallParts {
  /** Aborts when the volume is closed. */
  life: AbortSignal;
  /** Most that calls may take that do not say so themselves, but for edits. @default no limit */
  timeoutMs?: number;
}

interface Options {
  signal?: AbortSignal;
  timeoutMs?: number;
  borrow?: boolean;
}
