/** The one place that chooses what undoes the bitstreams of zlib: a build for another platform puts another file here. */
export { nodeInflater as inflater } from './node/zlib-inflater.ts';
