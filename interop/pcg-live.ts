/**
 * Makes random edits in a real PyChunkedGraph through the SDK, then checks the SDK's answers about them
 * against a ledger.
 *
 *     tsx interop/pcg-live.ts READY.json [EDITS] [SEED]
 *
 * READY.json is the JSON that the server prints when it is ready: see `Ready` in pcg-server.ts. The script
 * changes the graph.
 */
import { inspect } from 'node:util';
import { GraphError, openGraphene } from '../lib/index.ts';
import { seeded } from '../testing/random.ts';
import { Ledger, type LiveContext } from './pcg-ledger.ts';
import { checkLogs } from './pcg-live-logs.ts';
import { checkNodes } from './pcg-live-nodes.ts';
import { checkTime } from './pcg-live-time.ts';
import { Checks, PcgServer, sorted } from './pcg-server.ts';

/** Makes one random edit. The server may refuse it. */
async function edit(live: LiveContext, undone: number[]): Promise<void> {
  const { graph, server, ledger, check, random, pick } = live,
    kind = random(10);
  if (kind < 5) {
    const a = pick(server.supervoxels),
      b = pick(server.supervoxels);
    await merge(live, a, b);
  } else if (kind < 8) {
    const root = pick(sorted(ledger.last.roots).filter((root) => ledger.supervoxelsOf(root).length > 2));
    const list = ledger.supervoxelsOf(root),
      [source, sink] = [list[0], list[list.length - 1]];
    const { parts } = await graph.splitPreview([server.pointIn(source)], [server.pointIn(sink)]);
    const { operationId, newRoots } = await graph.split([server.pointIn(source)], [server.pointIn(sink)]);
    await ledger.record(operationId, newRoots, false);
    check('split: both are apart', ledger.rootOf(source) === ledger.rootOf(sink), false);
    // The preview looks only at a box around the points.
    const rootsOfParts = parts.map((part) => sorted(part.map((id) => ledger.rootOf(id))));
    check('split as previewed', rootsOfParts, [[ledger.rootOf(source)], [ledger.rootOf(sink)]]);
  } else if (kind < 9 && ledger.edits.length > 2) {
    const { operationId, isMerge } = pick(ledger.edits);
    if (await undo(live, operationId, isMerge)) undone.push(operationId);
  } else if (undone.length > 0) {
    const undoneId = pick(undone),
      result = await graph.redo(undoneId);
    const { isMerge } = ledger.edits.find(({ operationId }) => operationId === undoneId)!;
    if (result.done) await ledger.record(result.operationId, result.newRoots, isMerge);
  }
}

async function merge({ graph, server, ledger }: LiveContext, a: bigint, b: bigint): Promise<number> {
  const joined = [a, b].flatMap((id) => ledger.supervoxelsOf(ledger.rootOf(id)));
  const { operationId, newRoots } = await graph.merge(server.pointIn(a), server.pointIn(b));
  await ledger.record(operationId, newRoots, true, joined);
  return operationId;
}

async function undo(
  { graph, ledger, check }: LiveContext,
  operationId: number,
  isMerge: boolean,
): Promise<boolean> {
  const result = await graph.undo(operationId);
  if (!result.done) return false;
  await ledger.record(result.operationId, result.newRoots, !isMerge);
  check('undo again does nothing', await graph.undo(operationId), { done: false });
  return true;
}

/**
 * Merges small objects of one graph chunk with large objects, and undoes each merge. The server then still
 * lists the small object's leaves under the large object.
 */
async function undoSmallMerges(live: LiveContext, count: number): Promise<void> {
  const { graph, ledger, pick } = live,
    chunkOf = (id: bigint): string => graph.ids.chunkPositionOf(id).join();
  for (let tries = 0, made = 0; made < count && tries < 30 * count; tries++) {
    const objects = sorted(ledger.last.roots).map((root) => ledger.supervoxelsOf(root));
    const small = pick(objects.filter((held) => held.length === 2 && chunkOf(held[0]) === chunkOf(held[1]))),
      large = pick(objects.filter((held) => held.length > 4));
    await allowRefusal(live, async () => {
      const operationId = await merge(live, small[0], pick(large));
      if (await undo(live, operationId, true)) made++;
    });
  }
}

/**
 * Runs an edit. The server may refuse it (same object, too far apart, nothing to undo); other errors are
 * thrown.
 */
async function allowRefusal({ check }: LiveContext, edit: () => Promise<void>): Promise<void> {
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
const live: LiveContext = {
  graph: volume.graph,
  server,
  ledger,
  check: checks.check.bind(checks),
  random: (below) => generator.below(below),
  pick: (list) => generator.pick(list),
};
const undone: number[] = [],
  count = Number(editCount);
for (let tries = 0; ledger.edits.length < count && tries < 10 * count; tries++)
  await allowRefusal(live, () => edit(live, undone));
await undoSmallMerges(live, 3);
const merges = ledger.edits.filter(({ isMerge }) => isMerge).length;
console.log(
  `${ledger.edits.length} edits: ${merges} joined objects, ${ledger.edits.length - merges} split objects`,
);
for (const part of [checkTime, checkLogs, checkNodes]) {
  await part(live);
  console.log(`${part.name}: ${checks.count} checks so far, ${checks.wrong} wrong (seed ${seed})`);
}
await volume.close();
process.exitCode = checks.wrong > 0 ? 1 : 0;
