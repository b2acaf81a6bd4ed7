/**
 * How Jest reads TypeScript: swc strips the types, and what JavaScript itself defines is bound once per module. Jest runs modules in a context of
 * their own, where each look at a global name such as `Math` costs some 400 ns instead of none: hot loops, and all of the specs, would be many times
 * slower than in Node. The names are bound on the first line, so that line numbers stay.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import swc from '@swc/jest';

/** Not `Date`, nor timers: specs put their own in place of these. */
const NAMES = [
  'Array',
  'ArrayBuffer',
  'Atomics',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'DataView',
  'Error',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'RangeError',
  'Reflect',
  'Set',
  'SharedArrayBuffer',
  'String',
  'Symbol',
  'TypeError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'WeakMap',
  'WeakRef',
];

const transformer = swc.createTransformer({
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'es6' },
});
const own = createHash('sha256')
  .update(readFileSync(import.meta.filename))
  .digest('hex');

function bindGlobals(code) {
  const used = new Set(code.match(/\b[A-Z]\w+/g));
  const names = NAMES.filter(
    (name) => used.has(name) && !new RegExp(`\\b(class|function|const|let) ${name}\\b`).test(code),
  );
  return names.length === 0 ? code : `const { ${names.join(', ')} } = globalThis; ${code}`;
}

export default {
  ...transformer,
  process: (...given) => {
    const result = transformer.process(...given);
    return { ...result, code: bindGlobals(result.code) };
  },
  processAsync: async (...given) => {
    const result = await transformer.processAsync(...given);
    return { ...result, code: bindGlobals(result.code) };
  },
  getCacheKey: (...given) =>
    createHash('sha256')
      .update(transformer.getCacheKey(...given))
      .update(own)
      .digest('hex'),
};
