/**
 * The web application around the chunkedgraph's endpoints: methods, error bodies, gzip, CORS, tokens.
 * It behaves as PyChunkedGraph 2.21.1 was observed to behave (flask, werkzeug, middle_auth_client).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { EditError } from '../graph/edit-error.ts';
import { reply, type MockHandler, type MockRequest, type MockResponse } from '../message.ts';
import { HTML_TYPE, JSON_TYPE, htmlPage } from './endpoint-replies.ts';
import { authorize } from './authorize.ts';
import type { Endpoint, TableContext } from './endpoint.ts';
import { ANONYMOUS_USER, type MockUser } from './users.ts';
import { ServerCrash, RefusedRequest, toJson } from './python-values.ts';

export interface FlaskAppOptions {
  /** Users by token. Without it, no token is needed. */
  tokens?: Readonly<Record<string, MockUser>>;
  dataset: string;
  /** The clock for the time in error bodies, in milliseconds since 1970. */
  now: () => number;
}

const FORM_TYPE = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/** The application as one handler. */
export function flaskApp(
  endpoints: readonly Endpoint[],
  context: TableContext,
  options: FlaskAppOptions,
): MockHandler {
  return async (request) => {
    const response = await withErrorReplies(() => dispatch(endpoints, context, request, options), options);
    Object.assign(response.headers, corsHeaders(request));
    // flask also compresses for `gzip;q=0`
    const wantsGzip = request.headers['accept-encoding']?.toLowerCase().includes('gzip') ?? false;
    if (!wantsGzip || response.status >= 300) return response;
    return {
      ...response,
      headers: { ...response.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
      body: gzipSync(response.body, { level: 1 }),
    };
  };
}

/** Turns the exceptions of endpoints into error replies. */
async function withErrorReplies(
  answer: () => MockResponse | Promise<MockResponse>,
  { now }: FlaskAppOptions,
): Promise<MockResponse> {
  try {
    return await answer();
  } catch (error) {
    const time = {
      duration: 0,
      timestamp: new Date(now()).toISOString().replace('T', ' ').replace('Z', '000'),
    };
    const isEdit = error instanceof EditError;
    if (error instanceof RefusedRequest || (isEdit && error.code === 'REFUSED'))
      return reply(400, JSON_TYPE, toJson({ code: 400, message: `[400]: ${error.message}`, ...time }));
    if (error instanceof ServerCrash || isEdit)
      return reply(
        500,
        JSON_TYPE,
        toJson({
          code: 500,
          message: error.message,
          ...time,
          traceback: ['Traceback (most recent call last):\n', `${error.message}\n`],
        }),
      );
    throw error;
  }
}

function dispatch(
  endpoints: readonly Endpoint[],
  context: TableContext,
  request: MockRequest,
  { tokens, dataset }: FlaskAppOptions,
): MockResponse | Promise<MockResponse> {
  const { table, strict } = context;
  const here = endpoints.flatMap((endpoint) => {
    const match = endpoint.path.exec(request.path);
    if (!match) return [];
    const parts = Object.entries(match.groups ?? {}).map(([name, text]) => [name, decoded(text)]);
    return [{ ...endpoint, parts: Object.fromEntries(parts) as Record<string, string> }];
  });
  if (here.length === 0) return htmlPage(404, 'Not Found');
  const methods = here.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') return { ...reply(200, HTML_TYPE, '', { allow }) };
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const endpoint = here.find((candidate) => candidate.method === method);
  if (!endpoint) return htmlPage(405, 'Method Not Allowed', { allow });

  // flask consumes a form body before the endpoint can read it
  const isForm = !strict && FORM_TYPE.test(request.headers['content-type'] ?? '');
  const body = gunzipped({ ...request, body: isForm ? new Uint8Array(0) : request.body });
  const requestedTable = endpoint.parts.table as string | undefined;
  const user = tokens
    ? authorize(request, endpoint.permission, requestedTable, { tokens, table, dataset })
    : ANONYMOUS_USER;
  if ('status' in user) return user;
  if (requestedTable !== undefined && requestedTable !== table)
    throw new ServerCrash(`404 table "projects/mock/instances/mock/tables/${requestedTable}" not found`);
  return endpoint.answer(context, { ...request, body, parts: endpoint.parts, user });
}

function gunzipped({ headers, body }: MockRequest): Uint8Array {
  if (!headers['content-encoding']?.toLowerCase().includes('gzip')) return body;
  if (body.length === 0) throw new ServerCrash('File contains zero bytes: N/A');
  try {
    return gunzipSync(body);
  } catch {
    const [first, second] = [0, 1].map((k) => `0x${(body.at(k) ?? 0).toString(16)}`);
    throw new ServerCrash(
      `File is not in gzip format. Magic numbers ${first}, ${second} did not match 0x1f, 0x8b.`,
    );
  }
}

function corsHeaders({ method, headers }: MockRequest): Record<string, string> {
  const preflight: Record<string, string> = {};
  if (method === 'OPTIONS' && headers['access-control-request-method']) {
    preflight['access-control-allow-methods'] = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';
    const requested = headers['access-control-request-headers'];
    if (requested)
      preflight['access-control-allow-headers'] = requested
        .split(',')
        .map((name) => name.trim())
        .join(', ');
  }
  return {
    'access-control-allow-origin': headers.origin ?? '*',
    'access-control-expose-headers': 'WWW-Authenticate',
    ...(headers.origin ? { vary: 'Origin' } : {}),
    ...preflight,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
