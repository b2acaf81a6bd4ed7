/** Schemas of JSON: parsing with them, and words for what is wrong. They are those of `zod/mini`, a quarter of the code of `zod`. */
import * as z from 'zod/mini';
import { en } from 'zod/locales';
import { toPrintable } from './printable.ts';

/** The words are English, whatever language the program has set for its own schemas. */
const IN_ENGLISH = { error: en().localeError };

/** A whole number within bounds, both included. */
export const integerBetween = (least: number, most: number): z.ZodMiniNumberFormat =>
  z.int().check(z.minimum(least), z.maximum(most));

/** Parses a value with a schema. */
export const safeParse = <T>(schema: z.core.$ZodType<T>, value: unknown): z.core.util.SafeParseResult<T> =>
  z.safeParse(schema, value, IN_ENGLISH);

/**
 * Describes the first problem of a failed parse: `scales[0].size: expected …`.
 * @param within The path of the parsed part, if it was only a part: `scales[0]`.
 */
export function firstIssue(error: z.core.$ZodError, within = ''): string {
  const issue = error.issues[0];
  const path = issue.path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    within,
  );
  return toPrintable(path === '' ? issue.message : `${path}: ${issue.message}`);
}
