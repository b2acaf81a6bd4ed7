/** Which headers prove who asks. */
import { registerSecretsIn } from '../base/secret-redaction.ts';

export type Headers = Readonly<Record<string, string>>;

/** Headers that say nothing about who asks; any other one stays with the origin it was meant for. */
export const CROSS_ORIGIN_HEADERS = new Set([
  'accept',
  'accept-encoding',
  'if-none-match',
  'range',
  'user-agent',
]);

/** Beside these, what a server has to be told and anybody may know. */
const KNOWN = new Set([
  ...CROSS_ORIGIN_HEADERS,
  'accept-language',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'metadata-flavor',
  'origin',
  'referer',
  'x-amz-request-payer',
  'x-goog-user-project',
  'x-requested-with',
]);

export const isSecretHeader = (name: string): boolean => !KNOWN.has(name.toLowerCase());

/** The values of headers that a user gives are not shown again, whatever a server does with them. */
export function registerSecretHeaders(headers: Headers | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!isSecretHeader(name)) continue;
    registerSecretsIn(value);
    const [, basic] = /^basic\s+([\w+/=-]+)$/i.exec(value.trim()) ?? [];
    if (basic !== undefined)
      Buffer.from(basic, 'base64').toString('utf8').split(':').forEach(registerSecretsIn);
  }
}
