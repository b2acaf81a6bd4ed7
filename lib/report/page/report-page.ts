/** The page of a report: one HTML file that needs nothing else, and no script. */
import { type ReportInput } from '../model/report-facts.ts';
import { type ReportSummary, summarizeReport } from '../model/summarize-report.ts';
import { byteText, duration, moment, rate, whole } from './figures.ts';
import type { DrawSvg } from './report-charts.ts';
import {
  askedSection,
  latencySection,
  requestSection,
  rootSection,
  runSection,
  slowestSection,
  spaceSection,
  statusSection,
  throughputSection,
  troubleSection,
} from './report-sections.ts';
import { STYLES } from './report-styles.ts';
import { Html, html } from './safe-html.ts';

const OUTCOMES = {
  done: { text: 'complete', tone: 'good' },
  failed: { text: 'failed', tone: 'bad' },
  interrupted: { text: 'interrupted', tone: 'bad' },
  running: { text: 'not complete', tone: 'open' },
} as const;

/** Makes the page of a report. */
export function renderReport(input: ReportInput, drawSvg: DrawSvg): string {
  const summary = summarizeReport(input),
    { facts, outcome, isComplete, error, runs } = summary;
  const names = facts.inputs.map((name) => name.replace(/^.*[/\\]/, '')),
    title = `${facts.command === 'job' ? 'Job' : 'Look-up'} of ${names[0] ?? 'a table'}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;
  const state = OUTCOMES[outcome === 'done' && !isComplete ? 'running' : outcome],
    first = runs[0];
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="generator" content="${first.program}" />
        <title>${title}</title>
        <style>
          ${new Html(STYLES)}
        </style>
      </head>
      <body>
        <header>
          <div class="top">
            <h1>${title}</h1>
            <span class="state ${state.tone}">${state.text}</span>
          </div>
          <p class="under">
            ${moment(first.startMs)},
            ${duration(summary.timeline.activeMs)}${runs.length > 1 && ` in ${runs.length} runs`};
            <span class="mono">${facts.volumes[0].path}</span>
          </p>
          ${
            outcome !== 'done' &&
            outcome !== 'running' &&
            html`<p class="alert">
              <strong>The run ${outcome === 'failed' ? 'failed' : 'was interrupted'}.</strong> ${error}
              ${!isComplete && 'The output is not written; what follows is what was done until then.'}
            </p>`
          }
          ${summary.notes.map((note) => html`<p class="alert">${note}</p>`)} ${figures(summary)}
        </header>
        <main>
          ${askedSection(summary)} ${statusSection(summary)} ${throughputSection(summary, drawSvg)}
          ${latencySection(summary, drawSvg)} ${requestSection(summary)} ${slowestSection(summary)}
          ${spaceSection(summary, drawSvg)} ${rootSection(summary)} ${troubleSection(summary)}
          ${runSection(summary)}
        </main>
        <footer>
          Written by ${first.program}. This file needs no network and no script. Times are UTC; kB, MB and GB
          are powers of 1000.
        </footer>
      </body>
    </html> `;
  return page.toString().replace(/>\s*\n\s+</g, '>\n<');
}

/** The figures at the top. */
function figures({ counts, statuses, chunks, roots, timeline, peakMemoryBytes }: ReportSummary): Html {
  const points = Object.values(statuses[0]).reduce((sum, count) => sum + count, 0),
    { failed = 0, root_failed: rootFailed = 0 } = statuses[0],
    seconds = timeline.activeMs / 1000;
  const rows = [
    ['Rows', counts ? whole(counts.rows) : undefined],
    ['Points', whole(points)],
    ['Points per second', seconds > 0 ? rate(points / seconds) : undefined],
    ['Chunks read', whole(chunks.store + chunks.missing + chunks.disk)],
    ['From the store', byteText(chunks.bytes)],
    ['Root requests', whole(roots.requests)],
    ['Failed points', whole(failed + rootFailed)],
    ['Memory, at most', byteText(peakMemoryBytes)],
  ] as const;
  return html`<dl class="figures">
    ${rows
      .filter(([, value]) => value !== undefined)
      .map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
  </dl>`;
}
