/** What a person does on the explorer, as steps of a browser. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import Papa from 'papaparse';

const PATIENCE_MS = 60_000;

/** Opens the page and waits until it knows its volumes. */
export async function openExplorer(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/`);
  await page.waitForSelector('#volume-summary:not(:empty)');
}

/** Puts a text into the page as a paste does. */
export async function pasteText(page: Page, text: string): Promise<void> {
  await page.evaluate(
    `(text) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      const box = document.getElementById('text');
      const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
      if (box.dispatchEvent(event)) { box.value = text; box.dispatchEvent(new Event('input')); }
    }`
      .replace(/^/, '(')
      .replace(/$/, `)(${JSON.stringify(text)})`),
  );
  await page.waitForSelector('#start:not([disabled])', { timeout: PATIENCE_MS });
}

/** Waits until an expression holds. The waiting of the browser's driver would break the policy of the page. */
export async function waitUntil(page: Page, expression: string): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end;) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`never true in the page: ${expression}`);
}

/** Waits until the look-up has ended. @returns What the page says of it. */
export async function waitForEnd(page: Page): Promise<string> {
  await waitUntil(
    page,
    `/^(Done|Cancelled)/.test(document.getElementById('live').textContent) || document.getElementById('problem').textContent !== ''`,
  );
  await waitUntil(page, `document.getElementById('cancel').hidden`);
  return ((await page.textContent('#live')) ?? '') + ((await page.textContent('#problem')) ?? '');
}

/** Looks up what was pasted. */
export async function lookUp(page: Page): Promise<string> {
  await page.click('#start');
  return waitForEnd(page);
}

/** Downloads the rows as CSV, and parses them. */
export async function downloadRows(page: Page): Promise<Record<string, string>[]> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-csv')]);
  const { data } = Papa.parse<Record<string, string>>(await readFile(await download.path(), 'utf8'), {
    header: true,
    skipEmptyLines: true,
  });
  return data;
}

/** Presses Tab until an element has the focus. @throws Error if it is never reached. */
export async function tabTo(page: Page, selector: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`the Tab key does not reach ${selector}`);
}
