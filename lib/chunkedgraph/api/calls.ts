/**
 * What the calls of `volume.graph` are handed, before they are carried out: arguments and options are taken as they are now, options checked by
 * name and type, and the deadline set. Afterwards nothing of a call belongs to the caller but its signal.
 */
import { checkTimeout, within } from '../../base/deadline.ts';
import { copied, takeOptions } from '../../base/options.ts';
import { momentOf, type Timestamp } from '../ids/timestamp.ts';
import { CHANGES } from './edits.ts';
import { checkBounds } from './input.ts';

type Check = (name: string, value: unknown) => void;

interface GraphCall {
  /** How many arguments stand before the options. */
  takes: number;
  options: Readonly<Record<string, Check>>;
  /** Whether it may change the graph: then only a deadline of its own ends it. */
  edits?: (first: unknown) => boolean;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** @throws TypeError. */
const typed =
  (is: (value: unknown) => boolean, what: string): Check =>
  (name, value) => {
    if (!is(value)) throw new TypeError(`${name} is ${what}, not ${shown(value)}`);
  };
const oneOf = (...words: string[]): Check =>
  typed((value) => words.includes(value as string), words.map((word) => `'${word}'`).join(' or '));
const flag = typed((value) => typeof value === 'boolean', 'true or false');
const number = typed((value) => typeof value === 'number', 'a number');
const signal = typed(
  (value) => typeof (value as AbortSignal | null)?.addEventListener === 'function',
  'an AbortSignal',
);
const bytes: Check = (name, value) => {
  number(name, value);
  if (!(Number.isSafeInteger(value) && (value as number) >= 1))
    throw new RangeError(`${name} must be a whole number from 1, not ${shown(value)}`);
};
const timeout: Check = (name, value) => {
  number(name, value);
  checkTimeout(value as number);
};
const moment: Check = (_name, value) => void momentOf(value as Timestamp);
const queries: Check = (name, value) => {
  typed(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'an object of texts, numbers and booleans',
  )(name, value);
  for (const [key, part] of Object.entries(value as object))
    if (part !== undefined)
      typed(
        (given) => ['string', 'number', 'boolean'].includes(typeof given),
        'a text, a number or a boolean',
      )(`${name}.${key}`, part);
};
const anything: Check = () => undefined;

const UNSIZED = { signal, timeoutMs: timeout, borrow: flag };
const CALL = { ...UNSIZED, maxBytes: bytes };
const TIMED = { ...CALL, timestamp: moment };
const WINDOW = { ...CALL, from: moment, to: moment };
const EDIT = { ...CALL, remesh: flag, priority: flag };
const always = (): boolean => true;

const CALLS = {
  roots: { takes: 1, options: { ...UNSIZED, timestamp: moment, stopLayer: number } },
  root: { takes: 1, options: { ...TIMED, stopLayer: number } },
  isLatestRoots: { takes: 1, options: TIMED },
  rootTimestamps: { takes: 1, options: { ...TIMED, latest: flag } },
  validNodes: { takes: 1, options: WINDOW },
  leaves: { takes: 1, options: { ...CALL, bounds: checkBounds, stopLayer: number, verify: flag } },
  leavesMany: { takes: 1, options: { ...CALL, bounds: checkBounds, stopLayer: number, verify: flag } },
  children: { takes: 1, options: CALL },
  l2ChunkChildren: { takes: 1, options: TIMED },
  subgraph: { takes: 1, options: { ...CALL, bounds: checkBounds } },
  level2Graph: { takes: 1, options: { ...CALL, bounds: checkBounds } },
  minimalCoveringNodes: { takes: 1, options: TIMED },
  findPath: { takes: 2, options: { ...CALL, precise: flag } },
  lineageGraph: { takes: 1, options: WINDOW },
  pastIdMapping: { takes: 1, options: { ...CALL, timestampPast: moment } },
  deltaRoots: { takes: 0, options: { ...WINDOW, raw: flag } },
  changeLog: { takes: 1, options: { ...CALL, filtered: flag } },
  tabularChangeLog: { takes: 1, options: { ...CALL, filtered: flag } },
  tabularChangeLogs: { takes: 1, options: { ...CALL, filtered: flag } },
  mergeLog: { takes: 1, options: CALL },
  operations: { takes: 0, options: WINDOW },
  userOperations: { takes: 1, options: { ...WINDOW, includeUndone: flag } },
  operationDetails: { takes: 1, options: CALL },
  oldestTimestamp: { takes: 0, options: CALL },
  lastEdit: { takes: 1, options: CALL },
  latestRoots: { takes: 1, options: TIMED },
  originalRoots: { takes: 1, options: TIMED },
  suggestLatestRoots: { takes: 1, options: { ...TIMED, by: oneOf('level2', 'supervoxels') } },
  merge: { takes: 2, options: EDIT, edits: always },
  split: { takes: 2, options: { ...EDIT, mincut: flag }, edits: always },
  splitPreview: { takes: 2, options: CALL },
  undo: { takes: 1, options: EDIT, edits: always },
  redo: { takes: 1, options: EDIT, edits: always },
  versions: { takes: 0, options: CALL },
  request: {
    takes: 1,
    options: {
      ...CALL,
      method: oneOf('GET', 'POST'),
      query: queries,
      body: anything,
      as: oneOf('json', 'ids', 'text', 'bytes'),
      retry: flag,
    },
    edits: (path) => CHANGES.test(String(path)),
  },
} satisfies Record<string, GraphCall>;

type Method = keyof typeof CALLS;
export const GRAPH_CALLS: Readonly<Record<Method, GraphCall>> = CALLS;

type Asks<Answer> = (...args: Answer[]) => Promise<unknown>;

/** A graph whose calls are those of the table: none is missing there, or here. */
type Complete<Graph> =
  Graph extends Record<Method, Asks<never>>
    ? Exclude<
        { [Name in keyof Graph]: Graph[Name] extends Asks<never> ? Name : never }[keyof Graph],
        Method
      > extends never
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
  for (const [name, { takes, options: checks, edits }] of Object.entries(GRAPH_CALLS) as [
    Method,
    GraphCall,
  ][]) {
    const method = methods[name];
    const guarded = async function (this: Graph, ...args: unknown[]): Promise<unknown> {
      const { borrow, ...options } = takeOptions(
        (args[takes] === undefined ? {} : args[takes]) as Options,
        Object.keys(checks),
      );
      for (const [option, value] of Object.entries({ borrow, ...options }))
        if (value !== undefined) checks[option](option, value);
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
