/** The options of a call, taken as they are when it is made: what the caller changes afterwards changes nothing. */
import { copyOf, isTypedArray } from './typed-array.ts';

/**
 * The options by the names in `known`, each read once. Arrays, dates and plain data are copied, however deep; what has functions (a
 * signal, a logger, a store) stays the caller's own.
 * @throws TypeError for anything but an object, and as {@link checkNames}.
 */
export function takeOptions<T extends object>(options: T, known: readonly string[]): T {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options are an object, not ${options === null ? 'null' : `a ${typeof options}`}`);
  const given = options as Record<string, unknown>,
    own: Record<string, unknown> = {};
  for (const name of known) {
    const value = given[name];
    if (value !== undefined) own[name] = copied(value, name);
  }
  const rest = Object.keys(given).filter((name) => !known.includes(name));
  checkNames(Object.fromEntries(rest.map((name) => [name, given[name]])), known);
  return own as T;
}

/**
 * A misspelt option would be ignored without a word, and the answer be another than was asked for.
 * @throws TypeError naming the option, and the one that may be meant.
 */
export function checkNames(options: object, known: readonly string[]): void {
  const bare = (name: string): string => name.toLowerCase().replaceAll('_', '');
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const meant = known.find((other) => bare(other) === bare(name));
    throw new TypeError(
      `there is no option ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : `: options are ${known.join(', ')}`}`,
    );
  }
}

/** A copy of what is data; what has functions in it is given back. @param name For errors. */
export function copied(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, (part) => copied(part, name));
  if (value instanceof Date) return new Date(value.getTime());
  if (isTypedArray(value)) return copyOf(value, name);
  if (!isPlain(value)) return value;
  const parts = Object.entries(value);
  if (parts.some(([, part]) => typeof part === 'function')) return value;
  return Object.fromEntries(parts.map(([key, part]) => [key, copied(part, name)]));
}

/** Of this realm or another. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
