/** Joins the record batches of several tables with the same columns to one table. */
import { TableError } from '../../base/errors.ts';
import { type ArrowInput, type ArrowMessage, DICTIONARY_BATCH } from '../arrow/arrow-messages.ts';
import { dictionaryFields, readArrowSchema } from '../arrow/arrow-schema.ts';
import { type ArrowField, spellArrowType } from '../arrow/arrow-types.ts';
import { FlatTable } from '../arrow/flat-table.ts';
import { renumberDictionary } from '../arrow/plain-dictionary.ts';

/** One of several tables. */
export interface JoinedTable {
  /** The name in errors. */
  name: string;
  /** Opens the table. It is opened twice. */
  open(): Promise<ArrowInput>;
}

/**
 * Opens several tables as one, with the rows in the order of the tables and the notes of the first.
 *
 * @throws TableError BAD_FORMAT if a table has other columns than the first, before any row.
 */
export async function joinInputs(tables: readonly JoinedTable[]): Promise<ArrowInput> {
  const [first, ...others] = tables;
  const input = await opened(first);
  try {
    const fields = readArrowSchema(input.schema).fields,
      describe = descriptions(fields, input.schema.bytes);
    for (const table of others) {
      const other = await opened(table);
      try {
        requireSame(first.name, fields, describe, table.name, other);
      } finally {
        await other.close();
      }
    }
    let current = input;
    return {
      isFile: false,
      version: input.version,
      schema: input.schema,
      async *batches() {
        for (const table of tables) {
          if (table !== first) {
            await current.close();
            current = await opened(table);
            requireSame(first.name, fields, describe, table.name, current);
          }
          yield* renumbered(current, fields, table.name);
        }
      },
      close: () => current.close(),
    };
  } catch (error) {
    await input.close();
    throw error;
  }
}

async function opened(table: JoinedTable): Promise<ArrowInput> {
  const { name } = table;
  try {
    return await table.open();
  } catch (error) {
    throw named(name, error);
  }
}

const named = (name: string, error: unknown): unknown =>
  error instanceof TableError && !error.message.startsWith(name)
    ? new TableError(error.code, `${name}: ${error.message}`, { cause: error.cause })
    : error;

/** Yields the messages of a table. Its dictionaries get the IDs that they have in the first table. */
async function* renumbered(
  input: ArrowInput,
  fields: readonly ArrowField[],
  name: string,
): AsyncGenerator<ArrowMessage> {
  const own = readArrowSchema(input.schema).fields,
    theirs = [...dictionaryFields(fields)];
  const ids = new Map(
    Array.from(dictionaryFields(own), ({ dictionary }, k) => [dictionary!.id, theirs[k].dictionary!.id]),
  );
  try {
    for await (const message of input.batches()) {
      const id = message.kind === DICTIONARY_BATCH ? ids.get(message.header.long(0)) : undefined;
      yield id === undefined || id === message.header.long(0)
        ? message
        : await renumberDictionary(message, own, id);
    }
  } catch (error) {
    throw named(name, error);
  }
}

/** Describes each column with everything that its values depend on. */
const descriptions = (fields: readonly ArrowField[], schema: Uint8Array): string[] =>
  fields.map((field) => JSON.stringify(describe(field, schema)));

function describe({ name, type, dictionary, children, position }: ArrowField, schema: Uint8Array): unknown {
  const table = new FlatTable(schema, position).table(3);
  const more =
    type.name === 'timestamp'
      ? (table?.text(1) ?? '')
      : type.name === 'time' || type.name === 'duration' || type.name === 'interval'
        ? table?.short(0, 1)
        : type.name === 'decimal'
          ? table?.int(0)
          : undefined;
  return [name, type, more, dictionary?.index, children.map((child) => describe(child, schema))];
}

function requireSame(
  firstName: string,
  expected: readonly ArrowField[],
  descriptionsOfFirst: readonly string[],
  name: string,
  input: ArrowInput,
): void {
  const found = readArrowSchema(input.schema).fields,
    own = descriptions(found, input.schema.bytes);
  const column = descriptionsOfFirst.findIndex((text, k) => text !== own[k]);
  const why =
    column >= 0
      ? found[column] === undefined
        ? `column ${JSON.stringify(expected[column].name)} is missing`
        : `column ${column + 1} is ${shown(found[column])}, not ${shown(expected[column])}`
      : found.length > expected.length
        ? `column ${JSON.stringify(found[expected.length].name)} is not in that file`
        : undefined;
  if (why !== undefined)
    throw new TableError(
      'BAD_FORMAT',
      `${name} does not have the columns of ${firstName}: ${why}; files of one table need the same columns, in the same order, with the same types`,
    );
}

const shown = (field: ArrowField): string =>
  `${JSON.stringify(field.name.slice(0, 60))} (${spellArrowType(field)})`;
