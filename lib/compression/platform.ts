/** Chooses what this platform inflates with. A build for another platform replaces this file. */
export { nodeInflater as inflater } from './node/zlib-inflater.ts';
