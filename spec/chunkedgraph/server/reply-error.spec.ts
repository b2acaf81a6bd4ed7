import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { GraphErrorCode } from '../../../lib/base/errors.ts';
import { errorFromReply } from '../../../lib/chunkedgraph/server/reply-error.ts';
import type { FoundToken } from '../../../lib/chunkedgraph/server/token.ts';
import type { HttpReply } from '../../../lib/http/http-request.ts';
import { recorded } from '../../../testing/pcg-graph.ts';

const URL_ = 'https://graph.example.org/segmentation/api/v1/table/t/roots_binary';
const TOKEN: FoundToken = { token: 's3cr3t-token', from: 'CAVE_TOKEN' };

function errorOf(
  status: number,
  body: Uint8Array | string = '',
  headers: HttpReply['headers'] = {},
  token: FoundToken | null = TOKEN,
) {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return errorFromReply(
    { status, headers, body: bytes, url: `${URL_}?timestamp=1`, serverAddress: undefined },
    { url: URL_, token: token ?? undefined, origin: 'https://graph.example.org' },
  );
}

const code = (status: number, body: string): GraphErrorCode => {
  if (status === 302) return 'LOGIN_REDIRECT';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return body.includes('missing_tos') ? 'MISSING_TOS' : 'FORBIDDEN';
  return 'HTTP_STATUS';
};

describe('errorFromReply', () => {
  const refusals = recorded.filter(
    ({ path, answer }) => answer.status !== 200 && /roots_binary|\/info$/.test(path),
  );
  test('has recorded errors of every status', () =>
    expect([...new Set(refusals.map(({ answer }) => answer.status))].sort()).toEqual([
      302, 400, 401, 403, 404, 405, 500,
    ]));

  test.each(refusals)('explains the recorded error $name', ({ answer }) => {
    // Bodies of status 500 were recorded without their tracebacks.
    const text = answer.body
      ? Buffer.from(answer.body, 'base64').toString()
      : answer.message
        ? JSON.stringify({
            code: answer.status,
            message: answer.message,
            traceback: ['File "secret.py"', 'in handler'],
          })
        : '<!doctype html><title>Not Found</title><h1>Not Found</h1>';
    const error = errorOf(answer.status, text, answer.headers)!;
    expect(error).toMatchObject({
      name: 'GraphError',
      code: code(answer.status, text),
      status: answer.status,
      url: URL_,
    });
    expect(error.message.startsWith(URL_)).toBe(true);
    if (answer.message && answer.message.length < 150) expect(error.message).toContain(answer.message);
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const hidden of [
      'secret.py',
      'traceback',
      TOKEN.token,
      'timestamp=1',
      'auth.invalid/api/v1/authorize',
    ])
      expect(shown).not.toContain(hidden);
  });

  test('returns undefined for status 200', () => expect(errorOf(200, 'anything')).toBeUndefined());

  test.each([201, 204, 206])('returns an error for status %d', (status) =>
    expect(errorOf(status)).toMatchObject({ code: 'HTTP_STATUS', status }),
  );

  test.each<[name: string, status: number, body: string, token: FoundToken | null, message: string]>([
    [
      'which token was refused',
      401,
      '{"error":"invalid_token","message":"Unauthorized - Token is Invalid or Expired"}',
      TOKEN,
      `${URL_} refused the token from CAVE_TOKEN: Unauthorized - Token is Invalid or Expired. Get a token at https://graph.example.org/auth/api/v1/create_token`,
    ],
    [
      'that none was sent',
      401,
      '{"error":"no_token","message":"Unauthorized - No Token Provided"}',
      null,
      `${URL_} needs a token, and none was sent: Unauthorized - No Token Provided. Get a token at https://graph.example.org/auth/api/v1/create_token`,
    ],
    [
      'what permission is missing',
      403,
      '{"error":"missing_permission","message":"Missing permission: view for dataset test_ds"}',
      TOKEN,
      `${URL_} (the token from CAVE_TOKEN was sent): Missing permission: view for dataset test_ds`,
    ],
    [
      'where terms are accepted, without the query',
      403,
      '{"error":"missing_tos","message":"m","data":{"tos_form_url":"https://auth.example.org/tos/1/accept?token=s3cr3t"}}',
      TOKEN,
      `${URL_}: accept the terms of service first at https://auth.example.org/tos/1/accept, then retry`,
    ],
    [
      'no page for the terms if it is not a web address',
      403,
      '{"error":"missing_tos","data":{"tos_form_url":"javascript:alert(1)"}}',
      TOKEN,
      `${URL_}: accept the terms of service first, then retry`,
    ],
    [
      'no page for the terms if the reply has none',
      403,
      '{"error":"missing_tos","data":null}',
      TOKEN,
      `${URL_}: accept the terms of service first, then retry`,
    ],
    [
      'the title of a web page',
      502,
      '<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>',
      TOKEN,
      `${URL_} answered 502: 502 Bad Gateway`,
    ],
    [
      'plain text',
      503,
      'upstream is\r\n busy\u001b[31m',
      TOKEN,
      `${URL_} answered 503: upstream is busy [31m`,
    ],
    [
      'a message that is not a text',
      400,
      '{"message":{"a":1}}',
      TOKEN,
      `${URL_} answered 400: {"message":{"a":1}}`,
    ],
    ['JSON that is not an object', 400, 'null', TOKEN, `${URL_} answered 400: null`],
  ])('says %s', (_name, status, body, token, message) =>
    expect(errorOf(status, body, {}, token)?.message).toBe(message),
  );

  test.each([
    [
      'Bearer realm="https://auth.example.org/api/v1/authorize"',
      'https://auth.example.org/api/v1/create_token',
    ],
    [
      'Bearer realm="https://global.example.org/auth/api/v1/authorize", error="x"',
      'https://global.example.org/auth/api/v1/create_token',
    ],
    ['Bearer realm="javascript:alert(1)//authorize"', 'https://graph.example.org/auth/api/v1/create_token'],
    ['Bearer realm="https://[/authorize"', 'https://graph.example.org/auth/api/v1/create_token'],
    ['Basic realm="graph"', 'https://graph.example.org/auth/api/v1/create_token'],
  ])('says where to get a token: %s', (header, page) =>
    expect(errorOf(401, '{}', { 'www-authenticate': header })?.message).toMatch(
      new RegExp(`Get a token at ${page}$`),
    ),
  );

  test('never quotes a token that the server repeats, in any form', () => {
    const bodies = [
      `Token ${TOKEN.token} has expired`,
      JSON.stringify({ message: `bad token '${TOKEN.token}'` }),
      gzipSync(`<title>${TOKEN.token}</title>`),
    ];
    for (const status of [400, 401, 403, 500])
      for (const body of bodies)
        expect(
          inspect(errorOf(status, body, { 'content-type': 'text/html' }), { depth: 9, showHidden: true }),
        ).not.toContain(TOKEN.token);
  });

  test('quotes only the beginning of a long body', () =>
    expect(errorOf(500, JSON.stringify({ message: 'x'.repeat(1e6) }))!.message.length).toBeLessThan(400));
});
