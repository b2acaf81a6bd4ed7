/** Makes dictionaries plain: without compression, and their texts without views. */
import { TableError } from '../../base/errors.ts';
import type { ArrowMessage } from './arrow-messages.ts';
import { readMessageMetadata } from './arrow-messages.ts';
import { dictionaryMessage } from './arrow-metadata.ts';
import { type ArrowSchema, dictionaryFields } from './arrow-schema.ts';
import type { ArrowField } from './arrow-types.ts';
import { brokenArrow, FlatTable } from './flat-table.ts';
import { RecordBatch } from './record-batch.ts';

/** The number of version 4 of the metadata. */
const VERSION_4 = 3;
const ALIGNMENT = 64;

/** The numbers of the types in a schema. */
const PLAIN_TYPES: Readonly<Record<string, number>> = { string_view: 5, binary_view: 4 };
/** The type of a column is this field of it. */
const TYPE_FIELD = 2;
/** Offsets of texts have 32 bits. */
const MAX_TEXT_BYTES = 2 ** 31 - 1;
/** A view has 16 bytes: a length, and a text of up to 12 bytes, or its beginning, its buffer and its offset. */
const VIEW_WORDS = 4,
  SHORT_BYTES = 12;

/** Returns a schema whose dictionaries have texts without views. */
export function plainSchema(schema: ArrowSchema): ArrowSchema {
  const views = [...dictionaryFields(schema.fields)].filter(({ type }) => type.name in PLAIN_TYPES);
  if (views.length === 0) return schema;
  const bytes = schema.table.bytes.slice();
  for (const { position, type } of views)
    bytes[new FlatTable(bytes, position).placeOfByte(TYPE_FIELD)!] = PLAIN_TYPES[type.name];
  return { ...schema, table: new FlatTable(bytes, schema.table.position) };
}

/**
 * Returns a dictionary batch without compression, and without views.
 *
 * @param fields The columns of the table.
 */
export const plainDictionary = (
  dictionary: ArrowMessage,
  fields: readonly ArrowField[],
): Promise<ArrowMessage> => {
  const { type } = fieldOf(dictionary, fields),
    hasViews = type.name in PLAIN_TYPES;
  return dictionary.header.table(1)?.table(3) === undefined && !hasViews
    ? Promise.resolve(dictionary)
    : rebuild(dictionary, fields, dictionary.header.long(0), hasViews);
};

/**
 * Returns a dictionary batch with another ID, without compression.
 *
 * @param fields The columns of the table.
 */
export const renumberDictionary = (
  dictionary: ArrowMessage,
  fields: readonly ArrowField[],
  newId: bigint,
): Promise<ArrowMessage> => rebuild(dictionary, fields, newId, false);

function fieldOf({ header }: ArrowMessage, fields: readonly ArrowField[]): ArrowField {
  const id = header.long(0),
    field = [...dictionaryFields(fields)].find((own) => own.dictionary!.id === id);
  if (!field) throw brokenArrow('a dictionary belongs to no column');
  return field;
}

async function rebuild(
  dictionary: ArrowMessage,
  fields: readonly ArrowField[],
  newId: bigint,
  fromViews: boolean,
): Promise<ArrowMessage> {
  const { header, body, version } = dictionary,
    data = header.table(1);
  if (!data) throw brokenArrow('a dictionary has no values');
  const field = fieldOf(dictionary, fields);
  const batch = new RecordBatch(data, body, [{ ...field, dictionary: undefined }], version === VERSION_4);
  const stored: Uint8Array[] = [];
  for (let k = 0; k < batch.spans.length; k++) stored.push(await batch.buffer(k));
  const buffers: number[] = [],
    pieces: Uint8Array[] = [];
  let bodyBytes = 0;
  for (const bytes of fromViews ? withoutViews(stored, batch.rows) : stored) {
    buffers.push(bodyBytes, bytes.length);
    const padding = new Uint8Array(-bytes.length & (ALIGNMENT - 1));
    pieces.push(bytes, padding);
    bodyBytes += bytes.length + padding.length;
  }
  const { rows, nodes, variadicCounts } = batch;
  const metadata = dictionaryMessage(
    newId,
    {
      version,
      rows,
      nodes,
      buffers,
      variadicCounts: fromViews ? [] : variadicCounts,
      codec: undefined,
      bodyBytes,
    },
    header.byte(2) !== 0,
  );
  return { ...readMessageMetadata(metadata), body: new Uint8Array(Buffer.concat(pieces)) };
}

/** Returns the buffers of the same texts, one after the other: validity, offsets, and bytes. */
function withoutViews([validity, views, ...texts]: readonly Uint8Array[], rows: number): Uint8Array[] {
  if (views.length < 4 * VIEW_WORDS * rows) throw brokenArrow('a column has too few views');
  const at = new DataView(views.buffer, views.byteOffset, views.byteLength),
    isValid = (row: number): boolean =>
      validity.length === 0 || (validity[row >> 3] & (1 << (row & 7))) !== 0;
  const offsets = new Int32Array(rows + 1),
    parts: Uint8Array[] = [];
  let end = 0;
  for (let row = 0; row < rows; row++) {
    const start = 4 * VIEW_WORDS * row,
      length = isValid(row) ? at.getInt32(start, true) : 0;
    if (length < 0) throw brokenArrow('a text has a negative length');
    if (length > MAX_TEXT_BYTES - end)
      throw new TableError('BAD_FORMAT', 'the texts of a dictionary are longer than 2 GiB in all');
    if (length <= SHORT_BYTES) parts.push(views.subarray(start + 4, start + 4 + length));
    else {
      const buffer = texts[at.getInt32(start + 8, true)] as Uint8Array | undefined,
        from = at.getInt32(start + 12, true);
      if (!buffer || from < 0 || length > buffer.length - from)
        throw brokenArrow('a text is not in its buffer');
      parts.push(buffer.subarray(from, from + length));
    }
    offsets[row + 1] = end += length;
  }
  return [validity, new Uint8Array(offsets.buffer), Buffer.concat(parts)];
}
