/** The files of the page, read once. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the page, as it is sent. */
export interface PageFile {
  /** Its path in URLs. */
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  /** The quoted hash of its bytes. */
  readonly etag: string;
}

/** All files of the page. Nothing else is served, whatever the URL says. */
const FILES = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/explorer.js', file: 'explorer.js', type: 'text/javascript; charset=utf-8' },
  { path: '/explorer.css', file: 'explorer.css', type: 'text/css; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
] as const;

/** Where the built page is, from this file in `lib/serve/page` and from the built files in `dist`. */
const FOLDERS = ['../explorer/', '../../explorer/', '../../../explorer/', '../../../dist/explorer/'];

/** Returns the folder of the built page; undefined in a checkout that was not built. */
export const pageFolder = (): URL | undefined =>
  FOLDERS.map((path) => new URL(path, import.meta.url)).find((url) =>
    existsSync(new URL('explorer.js', url)),
  );

/** Reads all files of the page. @param folder A URL that ends with a slash. */
export const readPageFiles = (folder: URL): Promise<PageFile[]> =>
  Promise.all(
    FILES.map(async ({ path, file, type }) => {
      const bytes = await readFile(new URL(file, folder));
      const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
      return { path, type, bytes, gzipped: await promisify(gzip)(bytes), etag: `"${hash}"` };
    }),
  );
