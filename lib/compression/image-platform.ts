/**
 * Chooses what this platform decodes images with, and how it finds the files of packages. It is apart from platform.ts,
 * because few volumes need it. A build for another platform replaces this file, too.
 */
export { inflateStepsWithZlib as inflateSteps } from './node/inflate-steps.ts';
export { crc32 } from './node/crc32.ts';
export { packageFileUrl, readPackageFile } from './node/read-package-file.ts';
