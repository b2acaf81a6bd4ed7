/** Reads files of installed packages, such as WebAssembly. Nothing is fetched from a network. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/**
 * Reads a file of a package.
 * @param specifier As for an import: `PACKAGE/PATH`.
 * @throws The error of Node if the package or the file is not there.
 */
export const readPackageFile = (specifier: string): Promise<Uint8Array> =>
  readFile(createRequire(import.meta.url).resolve(specifier));
