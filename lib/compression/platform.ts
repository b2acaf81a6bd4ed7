/** Chooses what this platform inflates with, and how it finds the files of packages. A build for another platform replaces this file. */
export { nodeInflater as inflater } from './node/zlib-inflater.ts';
export { inflateStepsWithZlib as inflateSteps } from './node/inflate-steps.ts';
export { crc32 } from './node/crc32.ts';
export { readPackageFile } from './node/read-package-file.ts';
