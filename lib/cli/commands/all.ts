/** All commands, by name: one file that is loaded when one of them is named. Many small ones would each cost the start a millisecond. */
import type { Define } from '../command.ts';
import { define as cache } from './cache-command.ts';
import { define as demo } from './demo-command.ts';
import { define as doctor } from './doctor-command.ts';
import { define as info } from './info-command.ts';
import { define as latest } from './latest-command.ts';
import { define as login } from './login-command.ts';
import { define as lookup } from './lookup-command.ts';
import { define as mock } from './mock-command.ts';
import { define as roots } from './roots-command.ts';
import { define as update } from './update-command.ts';

export const DEFINITIONS: Readonly<Record<string, Define>> = {
  lookup,
  roots,
  update,
  latest,
  // It has many commands of its own.
  graph: async (command, surroundings) => (await import('./graph-command.ts')).define(command, surroundings),
  info,
  login,
  doctor,
  cache,
  demo,
  mock,
};
