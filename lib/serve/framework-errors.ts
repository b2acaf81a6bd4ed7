/** Errors that arise before a request reaches a route, in the same form as all others: `{"error": …}`. */
import type { FastifyReply, FastifyServerOptions } from 'fastify';
import { errorBody, HttpRefusal } from './http-errors.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
};
const MESSAGES: Readonly<Record<number, string>> = {
  400: 'the request is not HTTP as it should be',
  408: 'the head of the request came too slowly',
  414: 'the path, or a name in it, is too long',
  431: 'the head of the request is too large',
};
/** The status of each error of Node's parser. All others are 400. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const bodyOf = (status: number): object =>
  errorBody(new HttpRefusal(status, MESSAGES[status] ?? MESSAGES[400]));

/** What Fastify answers with when a path cannot be read, or bytes are not HTTP. Nothing of the request is repeated. */
export const FRAMEWORK_ERRORS = {
  frameworkErrors: ({ statusCode = 400 }, _request, reply) =>
    void (reply as FastifyReply).code(statusCode).type('application/json').send(bodyOf(statusCode)),
  clientErrorHandler: ({ code }, socket) => {
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const status = PARSER_STATUS[code] ?? 400,
      body = JSON.stringify(bodyOf(status));
    return void socket.end(
      `HTTP/1.1 ${status} ${REASONS[status]}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  },
} as const satisfies Pick<FastifyServerOptions, 'frameworkErrors' | 'clientErrorHandler'>;
