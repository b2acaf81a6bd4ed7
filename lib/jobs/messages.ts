/** Messages of an error and of what caused it, outermost first; what the outer one says already is not said again. */
export function messageWithCauses(error: unknown): string {
  let text = '';
  let depth = 0;
  for (let at = error; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (!text.includes(at.message)) text = text === '' ? at.message : `${text}: ${at.message}`;
  return text || String(error);
}
