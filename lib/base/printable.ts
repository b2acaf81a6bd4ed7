/** Text from outside, made safe to print. */

/**
 * Replaces control and format characters (terminal escapes, direction marks) by spaces, and cuts the text to
 * `maxLength` characters. Use it for text from a server or a file that goes into a message.
 */
export function toPrintable(text: string, maxLength = 200): string {
  const clean = text.slice(0, 2 * maxLength).replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}
