/**
 * Turns a reply that is not an answer into an error with advice.
 *
 * Sources: PyChunkedGraph, app/common.py; middle_auth_client, decorators.py.
 */
import { GraphError, type GraphErrorCode } from '../../base/errors.ts';
import { registerGuestSecret, registerSecret, redactSecrets } from '../../base/secret-redaction.ts';
import { excerpt } from '../../http/excerpt.ts';
import type { HttpReply } from '../../http/http-request.ts';
import type { FoundToken } from './token.ts';

/** What is known about the request that a reply belongs to. */
export interface RequestContext {
  /** The URL of the endpoint, without its query. */
  url: string;
  /** The token that was sent. A server may repeat it in its reply, so it is removed from quoted text. */
  token: FoundToken | undefined;
  /** Where users get tokens, unless the reply names another server. */
  origin: string;
}

/** The server's JSON error body. It has one of two shapes. */
interface ErrorBody {
  message?: unknown;
  error?: unknown;
  data?: { tos_form_url?: unknown; tos_name?: unknown } | null;
}

/** Returns the error that a reply means, or undefined if its status is 200. */
export function errorFromReply(reply: HttpReply, context: RequestContext): GraphError | undefined {
  const { status } = reply;
  if (status === 200) return undefined;
  const { url, origin } = context;
  const token = context.token ? `the token from ${context.token.from}` : 'no token';
  const secrets = context.token ? [context.token.token] : [];
  if (context.token?.isGuest) registerGuestSecret(context.token.token);
  else registerSecret(context.token?.token);
  if (status >= 300 && status < 400)
    return new GraphError(
      'LOGIN_REDIRECT',
      `${url} redirects instead of answering (${token} was sent): the server needs a log-in, or the address is wrong`,
      url,
      status,
    );
  const body = parseErrorBody(reply);
  const message = typeof body.message === 'string' ? body.message : 'traceback' in body ? '' : undefined;
  const serverText =
    message === undefined
      ? excerpt(reply.body, reply.headers, secrets)
      : excerpt(new TextEncoder().encode(message), {}, secrets);
  const { 'retry-after': wait = '' } = reply.headers,
    retryAfter = wait === '' || containsSecret(wait, secrets) ? undefined : wait;
  const error = (code: GraphErrorCode, message: string): GraphError =>
    new GraphError(code, message, url, status, { serverMessage: serverText, retryAfter });
  // The graph also uses 401 for an invalid ID or table. Then the token is not the problem.
  if (status === 401 && /not valid at timestamp|on virtual tables/.test(serverText))
    return error('HTTP_STATUS', `${url} answered 401: ${serverText}`);
  if (status === 401)
    return error(
      'UNAUTHORIZED',
      `${url} ${context.token ? `refused ${token}` : 'needs a token, and none was sent'}: ${serverText}. Get a token at ${tokenPage(reply, origin, secrets)}`,
    );
  if (status === 403 && body.error === 'missing_tos')
    return error(
      'MISSING_TOS',
      `${url}: accept the terms of service first${termsPage(body, secrets)}, then retry`,
    );
  if (status === 403)
    return error(
      'FORBIDDEN',
      `${url} (${token} was sent): ${serverText}${context.token ? '' : `. Get a token at ${tokenPage(reply, origin, secrets)}`}`,
    );
  return error('HTTP_STATUS', `${url} answered ${status}: ${serverText}`);
}

const containsSecret = (text: string, secrets: readonly string[]): boolean =>
  redactSecrets(text) !== text || secrets.some((secret) => text.includes(secret));

/**
 * Returns the page where users get a token. The auth service is often another host: the reply names its
 * `…/authorize`, and the page is in the same folder.
 */
function tokenPage({ headers }: HttpReply, origin: string, secrets: readonly string[]): string {
  const [, realm = ''] = /\brealm="(https:[^"]*\/authorize)"/.exec(headers['www-authenticate'] ?? '') ?? [];
  const { origin: host, pathname } = new URL(URL.canParse(realm) ? realm : `${origin}/auth/api/v1/authorize`);
  const page = `${host}${pathname.replace(/authorize$/, 'create_token')}`;
  return containsSecret(page, secrets) ? `${origin}/auth/api/v1/create_token` : page;
}

function termsPage({ data }: ErrorBody, secrets: readonly string[]): string {
  const form =
    typeof data?.tos_form_url === 'string' && URL.canParse(data.tos_form_url)
      ? new URL(data.tos_form_url)
      : undefined;
  const page = form && /^https?:$/.test(form.protocol) ? `${form.origin}${form.pathname}` : '';
  return page === '' || containsSecret(page, secrets) ? '' : ` at ${page}`;
}

function parseErrorBody({ body }: HttpReply): ErrorBody {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
