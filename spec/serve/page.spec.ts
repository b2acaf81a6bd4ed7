/** The page at `/`, as it is built: what is served, and with which headers. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import { buildExplorer } from '../../build-explorer.mjs';
import { registerPage } from '../../lib/serve/page/register-page.ts';

let folder: string, server: FastifyInstance;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'));
  await buildExplorer(folder);
  server = fastify();
  await registerPage(server, pathToFileURL(`${folder}/`));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe('the page', () => {
  test.each([
    ['/', 'text/html; charset=utf-8', 'index.html'],
    ['/explorer.js', 'text/javascript; charset=utf-8', 'explorer.js'],
    ['/explorer.css', 'text/css; charset=utf-8', 'explorer.css'],
    ['/icon.svg', 'image/svg+xml', 'icon.svg'],
  ])('serves %s', async (path, type, file) => {
    const plain = await server.inject(path);
    expect([plain.statusCode, plain.headers['content-type']]).toEqual([200, type]);
    expect(plain.rawPayload.equals(await readFile(join(folder, file)))).toBe(true);
    expect(plain.headers['x-content-type-options']).toBe('nosniff');
    expect(plain.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(plain.headers['content-security-policy']).not.toContain('unsafe');
    const zipped = await server.inject({ path, headers: { 'accept-encoding': 'br, gzip' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.rawPayload).equals(plain.rawPayload)).toBe(true);
    const again = await server.inject({ path, headers: { 'if-none-match': `"x", W/${plain.headers.etag}` } });
    expect([again.statusCode, again.rawPayload.length]).toEqual([304, 0]);
  });

  test.each([
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '/explorer.js/..%2f..%2fpackage.json',
    '/.',
    '/main.ts',
  ])('serves no other path: %s', async (path) => {
    const { statusCode, body } = await server.inject(path);
    expect(body).not.toContain('graphene-points"');
    // A client shortens `/.` and `/..` before it asks.
    expect(path === '/.' ? [200, 404] : [404]).toContain(statusCode);
  });

  test('has no script or style in the page, and names no other server', async () => {
    const html = await readFile(join(folder, 'index.html'), 'utf8');
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|https?:/i);
    const css = await readFile(join(folder, 'explorer.css'), 'utf8');
    expect(css).not.toMatch(/url\(|@import/);
  });
});
