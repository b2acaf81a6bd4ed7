/** URLs and messages as a report shows them: without credentials, queries and control characters. */
import { toPrintable } from '../../base/printable.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';

const MOST_URL_CHARS = 400,
  MOST_MESSAGE_CHARS = 600;

/** Removes user names, queries and fragments from all URLs of a text, and hides registered secrets. */
export const safeUrl = (url: string): string =>
  toPrintable(redactSecrets(withoutCredentials(url)), MOST_URL_CHARS);

/** Makes a message fit for a report. */
export const safeMessage = (message: string): string =>
  toPrintable(redactSecrets(withoutCredentials(message)), MOST_MESSAGE_CHARS);

/** Returns the host of a URL with its port; for other paths, what stands for it: `file`, `mem`. */
export function hostOf(url: string): string {
  const [, scheme, host] = /([a-z][a-z\d+.-]*):\/\/(?:[^/?#@\s]*@)?([^/?#\s|]*)/i.exec(url) ?? [];
  if (scheme === undefined) return 'this machine';
  return /^https?$/i.test(scheme) && host !== ''
    ? safeUrl(host)
    : safeUrl(host === '' ? scheme : `${scheme}://${host}`);
}

const withoutCredentials = (text: string): string =>
  text
    .replace(/([a-z][a-z\d+.-]*:\/\/)[^/?#\s"'<>]*@/gi, '$1')
    .replace(/([a-z][a-z\d+.-]*:\/\/[^?#\s"'<>]*)[?#][^\s"'<>|]*/gi, '$1');
