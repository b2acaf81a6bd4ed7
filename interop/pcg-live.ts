/**
 * Random edits of a real PyChunkedGraph through the SDK, then everything it says about them against our own book of them.
 *
 *     tsx interop/pcg-live.ts READY.json [EDITS] [SEED]
 *
 * READY.json: the line the server prints when it is ready: `url`, `table`, `supervoxels`, `grid`, `epochs`. It changes the graph.
 */
import { inspect } from 'node:util';
import { GraphError, openGraphene } from '../lib/index.ts';
import { seeded } from '../testing/random.ts';
import { Ledger, type Live } from './pcg-ledger.ts';
import { checkLogs } from './pcg-live-logs.ts';
import { checkNodes } from './pcg-live-nodes.ts';
import { checkTime } from './pcg-live-time.ts';
import { Checks, PcgServer, sorted } from './pcg-server.ts';

/** One random edit; whatever the server refuses is part of the game. */
async function edit(live: Live, undone: number[]): Promise<void> {
  const { graph, server, ledger, check, random, one } = live,
    kind = random(10);
  if (kind < 5) {
    const a = one(server.supervoxels),
      b = one(server.supervoxels);
    await merge(live, a, b);
  } else if (kind < 8) {
    const root = one(sorted(ledger.last.roots).filter((root) => ledger.ofRoot(root).length > 2));
    const list = ledger.ofRoot(root),
      [source, sink] = [list[0], list[list.length - 1]];
    const { parts } = await graph.splitPreview([server.middle(source)], [server.middle(sink)]);
    const { operationId, newRoots } = await graph.split([server.middle(source)], [server.middle(sink)]);
    await ledger.note(operationId, newRoots, false);
    check('split: both are apart', ledger.rootOf(source) === ledger.rootOf(sink), false);
    // The preview looks at a box around the points only.
    const came = parts.map((part) => sorted(part.map((id) => ledger.rootOf(id))));
    check('split as previewed', came, [[ledger.rootOf(source)], [ledger.rootOf(sink)]]);
  } else if (kind < 9 && ledger.edits.length > 2) {
    const { operationId, isMerge } = one(ledger.edits);
    if (await undo(live, operationId, isMerge)) undone.push(operationId);
  } else if (undone.length > 0) {
    const wanted = one(undone),
      result = await graph.redo(wanted);
    const { isMerge } = ledger.edits.find(({ operationId }) => operationId === wanted)!;
    if (result.done) await ledger.note(result.operationId, result.newRoots, isMerge);
  }
}

async function merge({ graph, server, ledger }: Live, a: bigint, b: bigint): Promise<number> {
  const joined = [a, b].flatMap((id) => ledger.ofRoot(ledger.rootOf(id)));
  const { operationId, newRoots } = await graph.merge(server.middle(a), server.middle(b));
  await ledger.note(operationId, newRoots, true, joined);
  return operationId;
}

async function undo({ graph, ledger, check }: Live, operationId: number, isMerge: boolean): Promise<boolean> {
  const result = await graph.undo(operationId);
  if (!result.done) return false;
  await ledger.note(result.operationId, result.newRoots, !isMerge);
  check('undo again does nothing', await graph.undo(operationId), { done: false });
  return true;
}

/** Merges small objects of one graph chunk with large ones, and undoes it: the server goes on listing them below these. */
async function undoSmallMerges(live: Live, count: number): Promise<void> {
  const { graph, ledger, one } = live,
    place = (id: bigint): string => graph.ids.chunkPositionOf(id).join();
  for (let tries = 0, made = 0; made < count && tries < 30 * count; tries++) {
    const objects = sorted(ledger.last.roots).map((root) => ledger.ofRoot(root));
    const small = one(objects.filter((held) => held.length === 2 && place(held[0]) === place(held[1]))),
      large = one(objects.filter((held) => held.length > 4));
    await refused(live, async () => {
      const operationId = await merge(live, small[0], one(large));
      if (await undo(live, operationId, true)) made++;
    });
  }
}

/** Refusals (same object, too far apart, nothing to undo) are part of the game; anything unexplained is not. */
async function refused({ check }: Live, edit: () => Promise<void>): Promise<void> {
  try {
    await edit();
  } catch (error) {
    if (!(error instanceof GraphError && error.status !== undefined)) throw error;
    if (/traceback|File "/.test(inspect(error, { depth: 5 }))) check('no traceback', error.message, '');
  }
}

const [readyFile, editCount = '25', seed = '1'] = process.argv.slice(2);
const server = new PcgServer(readyFile),
  checks = new Checks(),
  ledger = await Ledger.open(server, checks),
  generator = seeded(Number(seed));
const volume = await openGraphene(server.path, { token: null, allowEdits: true, dataDir: 'mem://none/none' });
const live: Live = {
  graph: volume.graph,
  server,
  ledger,
  check: checks.check.bind(checks),
  random: (below) => generator.below(below),
  one: (list) => generator.pick(list),
};
const undone: number[] = [],
  count = Number(editCount);
for (let tries = 0; ledger.edits.length < count && tries < 10 * count; tries++)
  await refused(live, () => edit(live, undone));
await undoSmallMerges(live, 3);
const merges = ledger.edits.filter(({ isMerge }) => isMerge).length;
console.log(`${ledger.edits.length} edits: ${merges} joined, ${ledger.edits.length - merges} parted`);
for (const part of [checkTime, checkLogs, checkNodes]) {
  await part(live);
  console.log(`${part.name}: ${checks.count} checks by now, ${checks.wrong} wrong (seed ${seed})`);
}
await volume.close();
process.exitCode = checks.wrong > 0 ? 1 : 0;
