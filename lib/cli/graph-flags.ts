/** Flags of commands that open a chunkedgraph. */
import { type Command, Option } from 'commander';
import { OCDBT_CHOICES, type OcdbtChoice } from '../graphene/ocdbt.ts';
import { text } from './option-values.ts';

export interface GraphOpenFlags {
  server?: string;
  ocdbt?: OcdbtChoice;
}

export const graphFlags = (command: Command): Command =>
  command
    .option(
      '--server <url>',
      'of a cave:// path: the server that knows the datastack (default: the one CAVEclient remembers for it, else https://global.daf-apis.com)',
      text,
    )
    .addOption(
      new Option(
        '--ocdbt <choice>',
        'of a graph whose supervoxels can split: open it as if none had, with a warning (default: an error)',
      ).choices(OCDBT_CHOICES),
    );
