/** All commands by name. They are loaded as one file, because many small files would slow down the start. */
import type { DefineCommand } from '../command.ts';
import { defineCacheCommand as cache } from './cache-command.ts';
import { defineDemoCommand as demo } from './demo-command.ts';
import { defineDoctorCommand as doctor } from './doctor-command.ts';
import { defineInfoCommand as info } from './info-command.ts';
import { defineLatestCommand as latest } from './latest-command.ts';
import { defineLoginCommand as login } from './login-command.ts';
import { defineLookupCommand as lookup } from './lookup-command.ts';
import { defineMockCommand as mock } from './mock-command.ts';
import { defineRootsCommand as roots } from './roots-command.ts';
import { defineServeCommand as serve } from './serve-command.ts';
import { defineUpdateCommand as update } from './update-command.ts';

/** The function that defines each command, by its name. */
export const DEFINITIONS: Readonly<Record<string, DefineCommand>> = {
  lookup,
  roots,
  update,
  latest,
  // Loaded separately, because it defines many subcommands.
  graph: async (command, surroundings) =>
    (await import('./graph-command.ts')).defineGraphCommand(command, surroundings),
  job: async (command, surroundings) =>
    (await import('./job-command.ts')).defineJobCommand(command, surroundings),
  info,
  login,
  doctor,
  cache,
  demo,
  mock,
  serve,
};
