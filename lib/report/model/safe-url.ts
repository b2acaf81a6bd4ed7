/** URLs and messages as a report shows them: without credentials, queries and control characters. */
import { toPrintable } from '../../base/printable.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';

const MOST_URL_CHARS = 400,
  MOST_MESSAGE_CHARS = 600;

/** Removes the user name, query and fragment of a URL, and hides registered secrets. Other paths stay. */
export const safeUrl = (url: string): string =>
  toPrintable(
    redactSecrets(
      withoutCredentials(/^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url.replace(/[?#].*$/s, '') : url),
    ),
    MOST_URL_CHARS,
  );

/** Makes a message fit for a report. */
export const safeMessage = (message: string): string =>
  toPrintable(redactSecrets(withoutCredentials(message)), MOST_MESSAGE_CHARS);

/** Returns the host of a URL with its port; for other paths, what stands for it: `file`, `mem`. */
export function hostOf(url: string): string {
  // In graphene://https://…, the URL follows the first scheme.
  const own = url.replace(/^[a-z][a-z\d+.-]*:\/\/(?=[a-z][a-z\d+.-]*:\/\/)/i, '');
  const [, scheme, host] = /^([a-z][a-z\d+.-]*):\/\/(?:[^/?#@\s]*@)?([^/?#\s|]*)/i.exec(own) ?? [];
  if (scheme === undefined) return 'this machine';
  if (host === '') return safeUrl(scheme);
  return safeUrl(/^https?$/i.test(scheme) ? host : `${scheme}://${host}`);
}

const withoutCredentials = (text: string): string =>
  text
    .replace(/([a-z][a-z\d+.-]*:\/\/)[^/?#\s"'<>]*@/gi, '$1')
    .replace(/([a-z][a-z\d+.-]*:\/\/[^?#\s"'<>]*)[?#][^\s"'<>|]*/gi, '$1');
