/**
 * Reads and cuts CHANGELOG.md, as text in and text out. Its form is that of Keep a Changelog: `## Unreleased` first, then one section
 * `## VERSION - YYYY-MM-DD` per release, each with the groups `### Added`, `### Changed`, `### Removed` and `### Fixed`.
 */

export type Step = 'minor' | 'patch';

const HEADING = /^## (.+)$/gm;

interface Section {
  title: string;
  start: number;
  end: number;
  /** The text below the heading. */
  body: string;
}

function sectionsOf(text: string): Section[] {
  const headings = [...text.matchAll(HEADING)];
  return headings.map((heading, k) => {
    const start = heading.index;
    const end = headings[k + 1]?.index ?? text.length;
    return { title: heading[1], start, end, body: text.slice(start + heading[0].length, end).trim() };
  });
}

/** Finds the section of a version, such as `0.1.0`; undefined if the version was not cut yet. */
export const sectionOf = (text: string, version: string): string | undefined =>
  sectionsOf(text).find(({ title }) => title === version || title.startsWith(`${version} - `))?.body;

/** The lines that wait for a release; empty if there are none. */
export const unreleased = (text: string): string => sectionOf(text, 'Unreleased') ?? '';

/** What the waiting lines ask for: `patch` if they are fixes only, else `minor`. Before 1.0.0, a breaking change is a minor step. */
export const stepOf = (text: string): Step =>
  [...unreleased(text).matchAll(/^### (.+)$/gm)].every(([, group]) => group === 'Fixed') ? 'patch' : 'minor';

/** @throws RangeError if `version` is not of the form `1.2.3`. */
export function nextVersion(version: string, step: Step): string {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? [];
  if (patch === undefined) throw new RangeError(`${version} is not a version like 1.2.3`);
  return step === 'minor' ? `${major}.${Number(minor) + 1}.0` : `${major}.${minor}.${Number(patch) + 1}`;
}

/**
 * Moves the waiting lines into a section of their own and leaves `## Unreleased` empty.
 *
 * @param date `YYYY-MM-DD`.
 * @throws RangeError if nothing waits, or if the version has a section already.
 */
export function cut(text: string, version: string, date: string): string {
  const waiting = sectionsOf(text).find(({ title }) => title === 'Unreleased');
  if (!waiting?.body) throw new RangeError('CHANGELOG.md has nothing under "Unreleased"');
  if (sectionOf(text, version) !== undefined)
    throw new RangeError(`CHANGELOG.md has a section for ${version} already`);
  const section = `## Unreleased\n\n## ${version} - ${date}\n\n${waiting.body}\n`;
  const rest = text.slice(waiting.end);
  return `${text.slice(0, waiting.start)}${section}${rest && `\n${rest}`}`;
}
