/** node:zlib behind the interface of all platforms. */
import type { Inflater } from '../inflater.ts';
import { inflateWindows } from './windows.ts';
import { inflate } from './zlib.ts';

export const nodeInflater: Inflater = { inflate, inflateWindows };
