/** The inflater of Node: node:zlib behind the interface that all platforms share. */
import type { Inflater } from '../inflater.ts';
import { inflateWindowsWithZlib } from './zlib-windows.ts';
import { inflateWithZlib } from './zlib.ts';

/** Decompresses with node:zlib. */
export const nodeInflater: Inflater = { inflate: inflateWithZlib, inflateWindows: inflateWindowsWithZlib };
