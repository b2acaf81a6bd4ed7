/**
 * Option tables. A table has one row per option; the row checks the option and describes it for the command
 * line and the docs. Options are copied when a call is made, so later changes by the caller have no effect.
 */
import { defineKind, type ValueKind } from './value-kinds.ts';
import { copyTypedArray, isTypedArray } from './typed-array.ts';

/** One option. */
export interface OptionRow {
  /** What the value may be. */
  kind: ValueKind;
  /** What the option is for, in one line. The docstring in the interface may say more. */
  says: string;
  /** What happens without the option, in words. */
  default?: string;
  /** The flag on the command line, such as `--mip <mip>`. */
  flag?: string;
  /** What the flag does, if `says` does not fit it. */
  flagSays?: string;
  /** The value of a flag that is given without one. @default true */
  flagMeans?: unknown;
  /** Set for an option that its group requires. */
  required?: true;
}

/** A table with exactly one row per option of an interface: `{ … } satisfies OptionTable<OpenOptions>`. */
export type OptionTable<Options> = { readonly [Name in keyof Required<Options>]: OptionRow };
/** A table of any interface. */
export type AnyOptionTable = Readonly<Record<string, OptionRow>>;

/**
 * Copies and checks the options that a caller passed. Each option is read once. Arrays, dates and plain data
 * are copied at every depth; objects with functions (a signal, a logger, a store) stay the caller's own.
 * @throws TypeError if `options` is not an object or has an unknown option; TypeError or RangeError for an
 *   invalid value.
 */
export function parseOptions<T extends object>(options: T, table: AnyOptionTable): T {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options are an object, not ${options === null ? 'null' : `a ${typeof options}`}`);
  const given = options as Record<string, unknown>,
    own: Record<string, unknown> = {};
  for (const name of Object.keys(table)) {
    const value = given[name];
    if (value !== undefined) own[name] = copyData(value, name);
  }
  const rest = Object.keys(given).filter((name) => !Object.hasOwn(table, name));
  checkNames(Object.fromEntries(rest.map((name) => [name, given[name]])), table);
  checkValues(own, table);
  return own as T;
}

/**
 * Refuses unknown options. If a misspelt option were ignored, the answer would be wrong without a warning.
 * @throws TypeError that names the option, and the known option that was probably meant.
 */
function checkNames(options: object, table: AnyOptionTable): void {
  const bare = (name: string): string => name.toLowerCase().replaceAll('_', '');
  const known = Object.keys(table);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const meant = known.find((other) => bare(other) === bare(name));
    throw new TypeError(
      `there is no option ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : `: options are ${known.join(', ')}`}`,
    );
  }
}

function checkValues(options: Readonly<Record<string, unknown>>, table: AnyOptionTable, group = ''): void {
  for (const [name, { kind, required }] of Object.entries(table))
    if (options[name] !== undefined || required) kind.check(`${group}${name}`, options[name]);
}

/** The kind of an option that holds options itself. Errors call an inner option `group.name`. */
export function optionGroup(expected: string, table: AnyOptionTable): ValueKind {
  const object = defineKind(expected, (value) => typeof value === 'object' && value !== null);
  return {
    expected,
    check: (name, value) => {
      object.check(name, value);
      checkNames(value as object, table);
      checkValues(value as Record<string, unknown>, table, `${name}.`);
    },
  };
}

/**
 * Copies plain data at every depth. An object with functions is returned as it is.
 * @param name The option's name, for errors.
 */
export function copyData(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, (part) => copyData(part, name));
  if (value instanceof Date) return new Date(value.getTime());
  if (isTypedArray(value)) return copyTypedArray(value, name);
  if (!isPlain(value)) return value;
  const parts = Object.entries(value);
  if (parts.some(([, part]) => typeof part === 'function')) return value;
  return Object.fromEntries(parts.map(([key, part]) => [key, copyData(part, name)]));
}

/** Copies options that are checked later. What is no object stays as it is. */
export const copyOptions = <T>(options: T): T =>
  typeof options === 'object' && options !== null
    ? (Object.fromEntries(Object.entries(options).map(([name, value]) => [name, copyData(value, name)])) as T)
    : options;

/** Tells whether an object is a plain one, of this realm or another. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
