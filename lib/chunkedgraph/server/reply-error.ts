/** What a chunkedgraph server's reply means when it is no answer. Sources: PyChunkedGraph, app/common.py; middle_auth_client, decorators.py. */
import { GraphError, type GraphErrorCode } from '../../base/errors.ts';
import { registerSecret, redactSecrets } from '../../base/secret-redaction.ts';
import { excerpt } from '../../http/excerpt.ts';
import type { HttpReply } from '../../http/http-request.ts';
import type { FoundToken } from './token.ts';

export interface RequestContext {
  /** The endpoint, without its query. */
  url: string;
  /** The token that was sent. A server may repeat it: it is taken out of what is quoted. */
  token: FoundToken | undefined;
  /** Where tokens are made unless the reply names another place. */
  origin: string;
}

/** The server's JSON error body, whichever of its two shapes it has. */
interface ErrorBody {
  message?: unknown;
  error?: unknown;
  data?: { tos_form_url?: unknown; tos_name?: unknown } | null;
}

/** The error a reply stands for, or undefined when it is a plain 200. */
export function errorFromReply(reply: HttpReply, asked: RequestContext): GraphError | undefined {
  const { status } = reply;
  if (status === 200) return undefined;
  const { url, origin } = asked;
  const token = asked.token ? `the token from ${asked.token.from}` : 'no token';
  const secrets = asked.token ? [asked.token.token] : [];
  registerSecret(asked.token?.token);
  if (status >= 300 && status < 400)
    return new GraphError(
      'LOGIN_REDIRECT',
      `${url} redirects instead of answering (${token} was sent): it wants a log-in, or the address is wrong`,
      url,
      status,
    );
  const body = errorBody(reply);
  const message = typeof body.message === 'string' ? body.message : 'traceback' in body ? '' : undefined;
  const said =
    message === undefined
      ? excerpt(reply.body, reply.headers, secrets)
      : excerpt(new TextEncoder().encode(message), {}, secrets);
  const { 'retry-after': wait = '' } = reply.headers,
    retryAfter = wait === '' || repeats(wait, secrets) ? undefined : wait;
  const error = (code: GraphErrorCode, message: string): GraphError =>
    new GraphError(code, message, url, status, { serverMessage: said, retryAfter });
  // The graph's own 401s are about the ID or the table, not the token.
  if (status === 401 && /not valid at timestamp|on virtual tables/.test(said))
    return error('HTTP_STATUS', `${url} answered 401: ${said}`);
  if (status === 401)
    return error(
      'UNAUTHORIZED',
      `${url} ${asked.token ? `refused ${token}` : 'wants a token, and none was sent'}: ${said}. Get one at ${tokenPage(reply, origin, secrets)}`,
    );
  if (status === 403 && body.error === 'missing_tos')
    return error(
      'MISSING_TOS',
      `${url}: accept the terms of service first${formOf(body, secrets)}, then ask again`,
    );
  if (status === 403)
    return error(
      'FORBIDDEN',
      `${url} (${token} was sent): ${said}${asked.token ? '' : `. Get a token at ${tokenPage(reply, origin, secrets)}`}`,
    );
  return error('HTTP_STATUS', `${url} answered ${status}: ${said}`);
}

const repeats = (text: string, secrets: readonly string[]): boolean =>
  redactSecrets(text) !== text || secrets.some((secret) => text.includes(secret));

/** The auth service is often another host: the reply names its `…/authorize`, beside which tokens are made. */
function tokenPage({ headers }: HttpReply, origin: string, secrets: readonly string[]): string {
  const [, realm = ''] = /\brealm="(https:[^"]*\/authorize)"/.exec(headers['www-authenticate'] ?? '') ?? [];
  const { origin: host, pathname } = new URL(URL.canParse(realm) ? realm : `${origin}/auth/api/v1/authorize`);
  const page = `${host}${pathname.replace(/authorize$/, 'create_token')}`;
  return repeats(page, secrets) ? `${origin}/auth/api/v1/create_token` : page;
}

function formOf({ data }: ErrorBody, secrets: readonly string[]): string {
  const form =
    typeof data?.tos_form_url === 'string' && URL.canParse(data.tos_form_url)
      ? new URL(data.tos_form_url)
      : undefined;
  const page = form && /^https?:$/.test(form.protocol) ? `${form.origin}${form.pathname}` : '';
  return page === '' || repeats(page, secrets) ? '' : ` at ${page}`;
}

function errorBody({ body }: HttpReply): ErrorBody {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
