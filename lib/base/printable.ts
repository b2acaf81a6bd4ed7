/** Text from elsewhere, fit for a message: control and format characters (terminal escapes, direction marks) replaced, and not endless. */
export function toPrintable(text: string, most = 200): string {
  const clean = text.slice(0, 2 * most).replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean;
}
