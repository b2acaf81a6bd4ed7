/** Import this file before codecs of the registry are used on their own: it loads them, as opening a volume does. */
import { codecFor, READABLE_ENCODINGS } from '../../lib/codecs/registry.ts';

// One after the other: Jest mixes up modules that are imported at the same time.
for (const encoding of READABLE_ENCODINGS) await codecFor(encoding)!.load?.();
