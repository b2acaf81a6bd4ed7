/**
 * Checks the token and the permission of a request, as middle_auth_client was observed to do: a browser is
 * redirected to the login, and a script gets an error.
 */
import { DEFAULT_ORIGIN, reply, type MockRequest, type MockResponse } from '../message.ts';
import { HTML_TYPE, JSON_TYPE, htmlPage } from './endpoint-replies.ts';
import { toJson } from './python-values.ts';
import { ALL_PERMISSIONS, type MockUser, type RequiredPermission } from './users.ts';

export interface AuthorizeOptions {
  tokens: Readonly<Record<string, MockUser>>;
  table: string;
  /** The dataset that permissions are for. */
  dataset: string;
}

const AUTH_SERVER = 'https://auth.invalid/api/v1/authorize';

/**
 * The user of a request, or the refusal.
 * @param table The table in the path; undefined for endpoints of the whole server.
 */
export function authorize(
  request: MockRequest,
  required: RequiredPermission,
  table: string | undefined,
  { tokens, table: known, dataset }: AuthorizeOptions,
): MockUser | MockResponse {
  const user = authenticate(request, tokens);
  if ('status' in user || required === 'token') return user;
  if (required === 'superadmin')
    return user.admin ? user : reply(403, HTML_TYPE, 'Requires superadmin privilege.');
  if (table !== known)
    return refusal(400, 'invalid_table_id', 'Invalid table_id for service', {
      auth_dataset: null,
      resource_namespace: 'pychunkedgraph',
      table_id: table,
    });
  if (!user.missingTos && (user.permissions ?? ALL_PERMISSIONS).includes(required)) return user;
  if (!user.missingTos)
    return refusal(403, 'missing_permission', `Missing permission: ${required} for dataset ${dataset}`, {
      auth_dataset: dataset,
      required_permission: required,
    });
  const form = `https://auth.invalid/api/v1/tos/${user.missingTos.id}/accept`;
  if (!isScript(request))
    return htmlPage(302, 'Redirecting...', { location: `${form}?redirect=${quoted(urlOf(request))}` });
  return refusal(403, 'missing_tos', 'Need to accept Terms of Service to access resource.', {
    tos_form_url: form,
    tos_id: user.missingTos.id,
    tos_name: user.missingTos.name,
  });
}

function authenticate(
  request: MockRequest,
  tokens: Readonly<Record<string, MockUser>>,
): MockUser | MockResponse {
  const { authorization, cookie = '' } = request.headers;
  const challenge = (more = ''): Record<string, string> => ({
    'www-authenticate': `Bearer realm="${AUTH_SERVER}"${more}`,
  });
  const inQuery = request.query.get('middle_auth_token');
  let token = inQuery || /(?:^|;\s*)middle_auth_token=([^;]*)/.exec(cookie)?.[1];
  if (authorization) {
    if (!authorization.startsWith('Bearer '))
      return refusal(
        400,
        'bad_auth_header',
        "Authorization header must begin with 'Bearer'",
        undefined,
        challenge(', error="invalid_request", error_description="Header must begin with \'Bearer\'"'),
      );
    token = authorization.split(' ')[1];
  }
  if (isScript(request)) {
    if (!token) return refusal(401, 'no_token', 'Unauthorized - No Token Provided', undefined, challenge());
  } else if (inQuery) {
    // A browser: the token moves from the address into a cookie.
    return htmlPage(302, 'Redirecting...', {
      location: urlOf(request, ['middle_auth_token', 'token']),
      'set-cookie': `middle_auth_token=${encodeURIComponent(inQuery)}; Secure; HttpOnly; Path=/`,
    });
  }
  if (token !== undefined && Object.hasOwn(tokens, token)) return tokens[token];
  if (!isScript(request))
    return htmlPage(302, 'Redirecting...', { location: `${AUTH_SERVER}?redirect=${quoted(urlOf(request))}` });
  return refusal(
    401,
    'invalid_token',
    'Unauthorized - Token is Invalid or Expired',
    undefined,
    challenge(', error="invalid_token", error_description="Invalid/Expired Token"'),
  );
}

const isScript = ({ headers }: MockRequest): boolean =>
  Boolean(headers.authorization || headers['x-requested-with'] || headers.origin);

const quoted = (url: string): string => encodeURIComponent(url).replaceAll('%2F', '/');

function urlOf(
  { origin = DEFAULT_ORIGIN, path, query }: MockRequest,
  without: readonly string[] = [],
): string {
  const kept = new URLSearchParams([...query].filter(([name]) => !without.includes(name)));
  return `${origin}${path}${kept.size > 0 ? `?${kept.toString()}` : ''}`;
}

function refusal(
  status: number,
  error: string,
  message: string,
  data?: unknown,
  headers: Record<string, string> = {},
): MockResponse {
  return reply(
    status,
    JSON_TYPE,
    toJson({ ...(data === undefined ? {} : { data }), error, message }),
    headers,
  );
}
