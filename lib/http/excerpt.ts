/**
 * Parts of URLs and replies that are safe to show in errors and logs: no credentials, no terminal escapes.
 */
import { constants, gunzipSync } from 'node:zlib';

/** How much of a failed reply is examined. */
const EXAMINED_BYTES = 16_384;
const EXCERPT_CHARACTERS = 200;

/** Removes user info, query and fragment from a URL, so that it may appear in errors and logs. */
export function redactUrl(url: string | URL): string {
  // In graphene://https://…, the URL follows the first scheme.
  const [, scheme, rest] =
    typeof url === 'string' ? (/^([a-z][a-z\d+.-]*:\/\/)([a-z][a-z\d+.-]*:\/\/.*)$/is.exec(url) ?? []) : [];
  if (scheme !== undefined) return scheme + redactUrl(rest);
  const parsed = typeof url === 'string' ? (URL.canParse(url) ? new URL(url) : undefined) : url;
  if (parsed) return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  return String(url)
    .replace(/[?#].*$/s, '')
    .replace(/^([a-z][a-z\d+.-]*:\/\/)[^/]*@/i, '$1');
}

/**
 * Returns the first 200 characters of a failed reply in a form that is safe for a terminal and a log. Undoes
 * gzip, reduces HTML to its title or text, replaces control characters and direction marks, and removes
 * credentials.
 *
 * @param secrets Values sent with the request. A server may repeat them in its reply.
 */
export function excerpt(
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  secrets: readonly string[] = [],
): string {
  let text = Buffer.from(ungzip(body).subarray(0, EXAMINED_BYTES)).toString('utf8');
  for (const secret of secrets) if (secret) text = text.replaceAll(secret, '***');
  if (String(headers['content-type'] ?? '').includes('html') || /^\s*<(!doctype html|html)/i.test(text))
    text = htmlText(text);
  text = text
    .replace(/\b(bearer|basic)\s+[^\s"'<>,]+/gi, '$1 ***')
    .replace(/[\u0000-\u0020\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g, ' ')
    .trim();
  const characters = Array.from(text); // by code point, so that no surrogate pair is cut
  return characters.length > EXCERPT_CHARACTERS
    ? `${characters.slice(0, EXCERPT_CHARACTERS - 1).join('')}…`
    : text;
}

/** Whether a reply is a web page (a log-in, an error page of a proxy) instead of the requested object. */
export const isHtmlPage = (
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): boolean =>
  String(headers['content-type'] ?? '').includes('html') &&
  /^[\s\ufeff]*</.test(Buffer.from(ungzip(body).subarray(0, 256)).toString('utf8'));

function ungzip(body: Uint8Array): Uint8Array {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    // The client cuts long bodies. Z_SYNC_FLUSH reads such a body up to the cut.
    return gunzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1 << 20 });
  } catch {
    return new Uint8Array(0);
  }
}

/** Returns the title of a page, or else its text. `[^<>]` keeps the patterns linear on hostile input. */
function htmlText(html: string): string {
  const title = /<title[^<>]*>([^<>]*)/i.exec(html)?.[1].trim();
  if (title) return title;
  return html.replace(/<(script|style)\b[^<>]*>[^<]*/gi, ' ').replace(/<[^<>]*>/g, ' ');
}
