/** Decompresses the values of a dictionary. */
import type { ArrowMessage } from './arrow-messages.ts';
import { readMessageMetadata } from './arrow-messages.ts';
import { dictionaryMessage } from './arrow-metadata.ts';
import { dictionaryFields } from './arrow-schema.ts';
import type { ArrowField } from './arrow-types.ts';
import { brokenArrow } from './flat-table.ts';
import { RecordBatch } from './record-batch.ts';

/** The number of version 4 of the metadata. */
const VERSION_4 = 3;
const ALIGNMENT = 64;

/** Returns a dictionary batch without compression. @param fields The columns of the table. */
export const plainDictionary = (
  dictionary: ArrowMessage,
  fields: readonly ArrowField[],
): Promise<ArrowMessage> =>
  dictionary.header.table(1)?.table(3) === undefined
    ? Promise.resolve(dictionary)
    : renumberDictionary(dictionary, fields, dictionary.header.long(0));

/**
 * Returns a dictionary batch with another ID, without compression.
 *
 * @param fields The columns of the table.
 */
export async function renumberDictionary(
  { header, body, version }: ArrowMessage,
  fields: readonly ArrowField[],
  newId: bigint,
): Promise<ArrowMessage> {
  const data = header.table(1),
    id = header.long(0);
  if (!data) throw brokenArrow('a dictionary has no values');
  const field = [...dictionaryFields(fields)].find((own) => own.dictionary!.id === id);
  if (!field) throw brokenArrow('a dictionary belongs to no column');
  const batch = new RecordBatch(data, body, [{ ...field, dictionary: undefined }], version === VERSION_4);
  const buffers: number[] = [],
    pieces: Uint8Array[] = [];
  let bodyBytes = 0;
  for (let k = 0; k < batch.spans.length; k++) {
    const bytes = await batch.buffer(k);
    buffers.push(bodyBytes, bytes.length);
    const padding = new Uint8Array(-bytes.length & (ALIGNMENT - 1));
    pieces.push(bytes, padding);
    bodyBytes += bytes.length + padding.length;
  }
  const { rows, nodes, variadicCounts } = batch;
  const metadata = dictionaryMessage(
    newId,
    { version, rows, nodes, buffers, variadicCounts, codec: undefined, bodyBytes },
    header.byte(2) !== 0,
  );
  return { ...readMessageMetadata(metadata), body: new Uint8Array(Buffer.concat(pieces)) };
}
