/** Checks the server's log of edits against the ledger. */
import type { Edit, LiveContext } from './pcg-ledger.ts';
import { sorted } from './pcg-server.ts';

const NO_OPERATION = 999_999;

export async function checkLogs(live: LiveContext): Promise<void> {
  const {
      graph,
      check,
      ledger: { edits, last },
    } = live,
    own = new Map(edits.map((edit) => [edit.operationId, edit]));
  const logged = (await graph.operations({ from: new Date(edits[0].ms) })).filter(({ operationId }) =>
    own.has(operationId),
  );
  check(
    'operations',
    logged.map(({ operationId, timestamp, isMerge }) => [operationId, timestamp.getTime(), isMerge]),
    edits
      .map(({ operationId, ms, isMerge }) => [operationId, ms, isMerge] as const)
      .sort(([a], [b]) => a - b),
  );
  const details = await graph.operationDetails([...own.keys(), NO_OPERATION]);
  for (const { operationId, ms, after } of edits) {
    const { timestamp, newRoots, status } = details.get(operationId)!;
    check(`details of ${operationId}`, [timestamp.getTime(), sorted(newRoots), status], [ms, after, 0]);
  }
  check('details of an unknown operation', details.has(NO_OPERATION), false);
  for (const root of sorted(last.roots)) await checkHistory(live, root, own);
}

async function checkHistory(
  { graph, check, ledger: { edits } }: LiveContext,
  root: bigint,
  own: ReadonlyMap<number, Edit>,
): Promise<void> {
  const ops = operationsBefore(root, edits);
  if (ops.length === 0) return;
  const log = await graph.tabularChangeLog(root, { filtered: false });
  // The log also holds edits made before those of this run.
  const rows = log.filter(({ operationId }) => own.has(operationId));
  const ids = rows.map(({ operationId }) => operationId).filter((id) => ops.includes(id));
  check(`tabularChangeLog of ${root}`, ids.sort(byNumber), ops);
  const wrong = rows.filter(({ operationId, beforeRoots, timestamp, isMerge }) => {
    const edit = own.get(operationId)!;
    return (
      timestamp.getTime() !== edit.ms ||
      isMerge !== edit.isMerge ||
      beforeRoots.some((id) => !edit.before.includes(id))
    );
  });
  check(`rows of tabularChangeLog of ${root}`, wrong, []);
  const summary = await graph.changeLog(root, { filtered: false });
  check(
    `changeLog of ${root}`,
    [summary.merges + summary.splits, summary.operationIds],
    [log.length, log.map(({ operationId }) => operationId)],
  );
  check(
    `mergeLog of ${root}`,
    (await graph.mergeLog(root)).map(({ operationId }) => operationId),
    log.filter(({ isMerge }) => isMerge).map(({ operationId }) => operationId),
  );
  const madeBy = edits.find(({ after }) => after.includes(root))!;
  check(`lastEdit of ${root}`, Number(await graph.lastEdit(root)), madeBy.ms);
  const { links } = await graph.lineageGraph(root, { to: new Date(madeBy.ms) });
  const sources = links.filter(({ target }) => target === root).map(({ source }) => source);
  check(`lineage of ${root}`, sorted(sources), madeBy.before);
}

/** Returns the edits of this run in the history of a root, as ascending operation IDs. */
function operationsBefore(root: bigint, edits: readonly Edit[]): number[] {
  const ancestors = new Set([root]),
    ops = new Set<number>();
  for (const node of ancestors)
    for (const { before, operationId } of edits.filter(({ after }) => after.includes(node))) {
      ops.add(operationId);
      for (const id of before) ancestors.add(id); // the loop also visits added items
    }
  return [...ops].sort(byNumber);
}

const byNumber = (a: number, b: number): number => a - b;
