/** Schema errors in words. */
import type { z } from 'zod';
import { toPrintable } from '../base/printable.ts';

/** `scales[0].size: expected …` — the first problem of a failed parse, in words. @param within What was parsed, where that is a part. */
export function firstIssue(error: z.ZodError, within = ''): string {
  const issue = error.issues[0];
  const path = issue.path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    within,
  );
  return toPrintable(path === '' ? issue.message : `${path}: ${issue.message}`);
}
