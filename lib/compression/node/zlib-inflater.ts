/** node:zlib behind the interface of all platforms. */
import type { Inflater } from '../inflater.ts';
import { inflateWindowsWithZlib } from './zlib-windows.ts';
import { inflateWithZlib } from './zlib.ts';

export const nodeInflater: Inflater = { inflate: inflateWithZlib, inflateWindows: inflateWindowsWithZlib };
