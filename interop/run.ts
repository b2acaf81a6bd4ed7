/** `npm run interop [-- PART…]`: the real clients against our mocks, answers compared with ours. All parts without a name. */
import { Comparison } from './comparison.ts';
import { builder } from './builder.ts';
import { caveclient } from './caveclient.ts';
import { cloudvolume } from './cloudvolume.ts';
import { makePython } from './environment.ts';
import type { Part } from './part.ts';
import { tensorstore } from './tensorstore.ts';

const PARTS: Record<string, Part> = { cloudvolume, tensorstore, caveclient, builder };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`there is no part ${unknown.join(', ')}; parts are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}

const python = makePython();
let differing = 0;
for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) {
  const began = performance.now();
  const comparison = new Comparison(name);
  try {
    await PARTS[name]({ python, comparison });
    if (comparison.compared === 0) comparison.failed('nothing was compared');
  } catch (error) {
    comparison.failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  comparison.report();
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  differing += comparison.differing;
}
process.exitCode = differing > 0 ? 1 : 0;
