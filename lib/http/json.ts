/** JSON from servers and files. */

/**
 * Parses bytes as JSON, with or without a byte order mark. Returns undefined if they are not JSON. The error
 * of the parser is dropped, because it quotes the text, which may contain a secret.
 */
export const parseJson = (bytes: Uint8Array): unknown => parseJsonText(new TextDecoder().decode(bytes));

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}
