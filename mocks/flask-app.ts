/**
 * The frame around the chunkedgraph's endpoints, as the real server has it: methods, error bodies, gzip, CORS, tokens.
 * Observed on PyChunkedGraph 2.21.1 (flask, werkzeug, middle_auth_client).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { DEFAULT_ORIGIN, reply, type MockHandler, type MockRequest, type MockResponse } from './message.ts';
import { Crash, Refusal, toJson } from './python-values.ts';

export const HTML = 'text/html; charset=utf-8';
export const JSON_TYPE = 'application/json';

export interface Endpoint {
  method: 'GET' | 'POST';
  /** The whole path; a group named `table` makes it an endpoint of a table, which wants the table to exist and a token. */
  path: RegExp;
  answer: (request: MockRequest, parts: Record<string, string>) => MockResponse;
}

export interface FlaskAppOptions {
  table: string;
  token?: string;
  now: () => number;
}

const AUTH_SERVER = 'https://auth.invalid/api/v1/authorize';
const FORM_TYPE = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

export function flaskApp(endpoints: readonly Endpoint[], options: FlaskAppOptions): MockHandler {
  return (request) => {
    const response = guarded(endpoints, request, options);
    Object.assign(response.headers, corsHeaders(request));
    const wantsGzip = request.headers['accept-encoding']?.toLowerCase().includes('gzip') ?? false; // even `gzip;q=0`
    if (!wantsGzip || response.status >= 300) return response;
    return { ...response, headers: { ...response.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, body: gzipSync(response.body, { level: 1 }) };
  };
}

function guarded(endpoints: readonly Endpoint[], request: MockRequest, options: FlaskAppOptions): MockResponse {
  try {
    return dispatch(endpoints, request, options);
  } catch (error) {
    const time = { duration: 0, timestamp: new Date(options.now()).toISOString().replace('T', ' ').replace('Z', '000') };
    if (error instanceof Refusal) return reply(400, JSON_TYPE, toJson({ code: 400, message: `[400]: ${error.message}`, ...time }));
    if (error instanceof Crash) return reply(500, JSON_TYPE, toJson({ code: 500, message: error.message, ...time, traceback: ['Traceback (most recent call last):\n', `${error.message}\n`] }));
    throw error;
  }
}

function dispatch(endpoints: readonly Endpoint[], request: MockRequest, { table, token }: FlaskAppOptions): MockResponse {
  const here = endpoints.flatMap(({ method, path, answer }) => {
    const match = path.exec(request.path);
    return match ? [{ method, answer, parts: match.groups ?? {} }] : [];
  });
  if (here.length === 0) return page(404, 'Not Found');
  const allow = `${here.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')}, OPTIONS`;
  if (request.method === 'OPTIONS') return { ...reply(200, HTML, '', { allow }) };
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const endpoint = here.find((candidate) => candidate.method === method);
  if (!endpoint) return page(405, 'Method Not Allowed', { allow });
  const asked = 'table' in endpoint.parts ? decodeURIComponent(endpoint.parts.table) : table;
  if (token !== undefined && 'table' in endpoint.parts) {
    const refused = authorize(request, token);
    if (refused) return refused;
    if (asked !== table)
      return reply(400, JSON_TYPE, toJson({ data: { auth_dataset: null, resource_namespace: 'pychunkedgraph', table_id: asked }, error: 'invalid_table_id', message: 'Invalid table_id for service' }));
  }
  const body = gunzipped(request);
  if (asked !== table) throw new Crash(`404 table "projects/mock/instances/mock/tables/${asked}" not found`);
  // flask parses a form away before the endpoint sees the body
  return endpoint.answer({ ...request, body: FORM_TYPE.test(request.headers['content-type'] ?? '') ? new Uint8Array(0) : body }, endpoint.parts);
}

function gunzipped({ headers, body }: MockRequest): Uint8Array {
  if (headers['content-encoding']?.toLowerCase() !== 'gzip') return body;
  if (body.length === 0) throw new Crash('File contains zero bytes: N/A');
  try {
    return gunzipSync(body);
  } catch {
    throw new Crash(`File is not in gzip format. Magic numbers 0x${(body[0] ?? 0).toString(16)}, 0x${(body[1] ?? 0).toString(16)} did not match 0x1f, 0x8b.`);
  }
}

/** What the auth layer answers itself; undefined when the token is right. */
function authorize(request: MockRequest, token: string): MockResponse | undefined {
  const { authorization, cookie = '', origin, 'x-requested-with': requestedWith } = request.headers;
  const isScript = origin !== undefined || requestedWith !== undefined;
  const refuse = (status: 400 | 401, error: string, message: string, challenge = ''): MockResponse =>
    reply(status, JSON_TYPE, toJson({ error, message }), { 'www-authenticate': `Bearer realm="${AUTH_SERVER}"${challenge}` });
  const url = `${request.origin ?? DEFAULT_ORIGIN}${request.path}`;
  const login = (): MockResponse => page(302, 'Redirecting...', { location: `${AUTH_SERVER}?redirect=${encodeURIComponent(url).replaceAll('%2F', '/')}` });
  const judge = (given: string | undefined): MockResponse | undefined => {
    if (given === token) return undefined;
    if (!isScript && authorization === undefined) return login();
    if (given === undefined) return refuse(401, 'no_token', 'Unauthorized - No Token Provided');
    return refuse(401, 'invalid_token', 'Unauthorized - Token is Invalid or Expired', ', error="invalid_token", error_description="Invalid/Expired Token"');
  };

  if (authorization !== undefined) {
    if (!authorization.startsWith('Bearer'))
      return refuse(400, 'bad_auth_header', "Authorization header must begin with 'Bearer'", ', error="invalid_request", error_description="Header must begin with \'Bearer\'"');
    return judge(authorization.slice('Bearer '.length));
  }
  const inQuery = request.query.get('middle_auth_token');
  if (inQuery !== null && !isScript) // a browser page: the token moves from the address into a cookie
    return page(302, 'Redirecting...', { location: url, 'set-cookie': `middle_auth_token=${encodeURIComponent(inQuery)}; Secure; HttpOnly; Path=/` });
  return judge(inQuery ?? /(?:^|;\s*)middle_auth_token=([^;]*)/.exec(cookie)?.[1]);
}

const page = (status: number, title: string, headers: Record<string, string> = {}): MockResponse =>
  reply(status, HTML, `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`, headers);

function corsHeaders({ method, headers }: MockRequest): Record<string, string> {
  const preflight: Record<string, string> = {};
  if (method === 'OPTIONS' && headers['access-control-request-method']) {
    preflight['access-control-allow-methods'] = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';
    const asked = headers['access-control-request-headers'];
    if (asked) preflight['access-control-allow-headers'] = asked.split(',').map((name) => name.trim()).join(', ');
  }
  return {
    'access-control-allow-origin': headers.origin ?? '*',
    'access-control-expose-headers': 'WWW-Authenticate',
    ...(headers.origin ? { vary: 'Origin' } : {}),
    ...preflight,
  };
}
