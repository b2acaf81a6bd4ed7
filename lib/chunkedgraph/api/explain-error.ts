/**
 * Explains the server's error messages. For example, an unknown ID comes as status 500 with the text of a
 * Python exception.
 */
import { GraphError } from '../../base/errors.ts';

const HINT = 'if it is a root of another timestamp, suggestLatestRoots gives its successors';

/**
 * The meaning of each server message. Sources: PyChunkedGraph, segmenthistory.py; graph/chunkedgraph.py,
 * `get_root`; app/app_utils.py, `remap_public`.
 */
const MEANINGS: [message: RegExp, meaning: (match: RegExpExecArray) => string][] = [
  [/^(\d+) is no root$/, ([, id]) => `${id} is not a root; ${HINT}`],
  [/^(\d+)$/, ([, id]) => `the graph has no ID ${id}; ${HINT}`],
  [/^Cannot find root id (\d+), \d+, (.+)$/, ([, id, time]) => `${id} has no root at ${time}; ${HINT}`],
  [
    /(root_id|node_ids).* not valid at timestamp$/,
    ([, what]) => `${what} not valid at the timestamp that this table shows; ${HINT}`,
  ],
  [
    /Supervoxels must belong to the same segment/,
    () => `the points are not on one object, or not any more; ${HINT}`,
  ],
];

/**
 * Endpoints that fail in known versions, and what to use instead. Observed of PyChunkedGraph 2.21.1.
 */
const BROKEN: [path: RegExp, instead: string][] = [
  [/\/last_edit$/, 'use graph.lastEdit'],
  [/\/merge_log$/, 'it fails if the history has an undo: use graph.mergeLog'],
  [/\/roots_from_coords$/, "use the volume's scatteredPoints or rootAt"],
  [/\/l2_chunk_children\/\d+$/, 'it works with as_array=true only: use graph.l2ChunkChildren'],
  [/\/contact_sites$/, 'there is no replacement'],
  [/\/oldest_timestamp$/, 'it fails if the first hundred operations have no edit: use graph.oldestTimestamp'],
];

/**
 * Returns UNKNOWN_ID if the server does not have the ID, or does not have it at the timestamp;
 * BROKEN_ENDPOINT for an endpoint that is known to fail; otherwise the same error.
 */
export function explainError(error: unknown): unknown {
  if (!(error instanceof GraphError) || error.code !== 'HTTP_STATUS') return error;
  const { url, status, serverMessage = '' } = error;
  for (const [message, meaning] of MEANINGS) {
    const match = message.exec(serverMessage);
    if (match)
      return new GraphError('UNKNOWN_ID', `${url} answered ${status}: ${meaning(match)}`, url, status, {
        serverMessage,
      });
  }
  const broken = status === 500 ? BROKEN.find(([path]) => path.test(url)) : undefined;
  return broken
    ? new GraphError('BROKEN_ENDPOINT', `${url} answered 500: ${serverMessage}; ${broken[1]}`, url, status, {
        serverMessage,
      })
    : error;
}
