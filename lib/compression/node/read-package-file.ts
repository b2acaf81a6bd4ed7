/** Finds and reads files of installed packages, such as WebAssembly. Nothing is fetched from a network. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const resolve = (specifier: string): string => createRequire(import.meta.url).resolve(specifier);

/**
 * Reads a file of a package.
 * @param specifier As for an import: `PACKAGE/PATH`.
 * @throws The error of Node if the package or the file is not there.
 */
export const readPackageFile = async (specifier: string): Promise<Uint8Array> => readFile(resolve(specifier));

/**
 * Returns the URL of a file of a package.
 * @param specifier As for an import: `PACKAGE/PATH`.
 * @throws The error of Node if the package or the file is not there.
 */
export const packageFileUrl = (specifier: string): URL => pathToFileURL(resolve(specifier));
