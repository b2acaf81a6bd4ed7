/** Words for the errors of a zod schema. */
import type { z } from 'zod';
import { toPrintable } from '../base/printable.ts';

/**
 * Describes the first problem of a failed parse: `scales[0].size: expected …`.
 * @param within The path of the parsed part, if it was only a part: `scales[0]`.
 */
export function firstIssue(error: z.ZodError, within = ''): string {
  const issue = error.issues[0];
  const path = issue.path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    within,
  );
  return toPrintable(path === '' ? issue.message : `${path}: ${issue.message}`);
}
