/** Builds the page of `serve` into a folder, which is made if it does not exist. */
export function buildExplorer(folder: string): Promise<void>;
