/** What missing values look like: as they are read, and as they are written. */

/**
 * The text that is written if there is no answer. `0` is written only in columns of whole numbers, so that
 * their type stays the same.
 */
export type MissingText = 'empty' | '0' | 'NA';
/** All such texts. */
export const MISSING_TEXTS = ['empty', '0', 'NA'] as const satisfies readonly MissingText[];

/**
 * Recognizes cells that mark a missing value, as opposed to cells that cannot be read.
 * Source: pandas, `read_csv`, parameter `na_values`; R's `write.csv` writes NA.
 */
const MARKERS = new Set([
  '',
  '#n/a',
  '#n/a n/a',
  '#na',
  '-1.#ind',
  '-1.#qnan',
  '-nan',
  '1.#ind',
  '1.#qnan',
  '<na>',
  'n/a',
  'na',
  'nan',
  'none',
  'null',
]);

const LONGEST = Math.max(...[...MARKERS].map((marker) => marker.length));

/**
 * Returns whether a cell or a JSON value marks a missing value: it is absent, blank, or a marker in upper or
 * lower case.
 */
export function isMissing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'number') return Number.isNaN(value);
  if (typeof value !== 'string') return false;
  const text = value.trim();
  return text.length <= LONGEST && MARKERS.has(text.toLowerCase());
}
