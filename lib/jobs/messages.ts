/**
 * Joins the messages of an error and its causes, outermost first. A message that an outer one contains is
 * left out.
 */
export function messageWithCauses(error: unknown): string {
  let text = '';
  let depth = 0;
  for (let at = error; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (!text.includes(at.message)) text = text === '' ? at.message : `${text}: ${at.message}`;
  return text || String(error);
}
