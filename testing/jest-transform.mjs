/**
 * Compiles TypeScript for Jest. swc strips the types, and each module gets constants for the built-in globals
 * that it uses.
 *
 * Jest runs modules in a separate context, where each access to a global such as `Math` takes about 400 ns.
 * Without the constants, hot loops are many times slower than in Node. They are declared on the first line,
 * so line numbers stay.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import swc from '@swc/jest';

/** The globals to bind. `Date` and timers are left out, because specs replace them. */
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
  process: (...args) => {
    const result = transformer.process(...args);
    return { ...result, code: bindGlobals(result.code) };
  },
  processAsync: async (...args) => {
    const result = await transformer.processAsync(...args);
    return { ...result, code: bindGlobals(result.code) };
  },
  getCacheKey: (...args) =>
    createHash('sha256')
      .update(transformer.getCacheKey(...args))
      .update(own)
      .digest('hex'),
};
