/** `GET /` and what the page needs: the explorer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpRefusal } from '../http-errors.ts';
import { type PageFile, pageFolder, readPageFiles } from './page-files.ts';

/**
 * The page may run its own script, use its own style sheet, and ask this service; nothing else, and no other page
 * may show it in a frame. Source: W3C, Content Security Policy Level 3.
 */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache', // a browser asks again, by the hash
  Vary: 'Accept-Encoding',
} as const;

/** Registers the page. In a checkout that was not built, `/` says so. */
export async function registerPage(server: FastifyInstance, folder = pageFolder()): Promise<void> {
  if (!folder) {
    server.get('/', () => {
      throw new HttpRefusal(404, 'the page is not built: run npm run build');
    });
    return;
  }
  for (const file of await readPageFiles(folder))
    server.get(file.path, (request, reply) => sendFile(file, request, reply));
}

function sendFile(
  { type, bytes, gzipped, etag }: PageFile,
  request: FastifyRequest,
  reply: FastifyReply,
): unknown {
  void reply.headers(HEADERS).header('ETag', etag);
  if (request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
    return reply.code(304).send();
  void reply.type(type);
  if (!/(?:^|,)\s*gzip\s*(?:,|$)/i.test(request.headers['accept-encoding'] ?? '')) return reply.send(bytes);
  return reply.header('Content-Encoding', 'gzip').send(gzipped);
}
