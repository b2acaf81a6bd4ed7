/** How options are called in messages: by their names in the SDK, or by their flags on the command line. */

/** Returns what a message calls an option of the SDK, by its name. */
export type NameOption = (name: string) => string;

/** Calls options by their names in the SDK. */
export const byName: NameOption = (name) => name;
