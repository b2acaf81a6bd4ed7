/** JSON as servers and files have it. */

/**
 * What the bytes hold, a byte order mark left out (`TextDecoder` does that); undefined when it is not JSON. The parser's own words
 * are not kept: they quote the text.
 */
export const parseJson = (bytes: Uint8Array): unknown => parseJsonText(new TextDecoder().decode(bytes));

/** The same of text, whose first character may be a byte order mark. */
function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}
