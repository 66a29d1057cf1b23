// What every page must be in every state: accessible, and no larger than its screen.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { expect } from 'vitest';
import type { Screen } from './hall';
import { pictures } from './places';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** WCAG 2, A and AA. */
export async function isAccessible({ page, name }: Screen, state: string): Promise<void> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((tags) => {
    const run = (window as unknown as { axe: typeof import('axe-core') }).axe.run;
    return run(document, { runOnly: tags, resultTypes: ['violations'] }) as Promise<AxeResults>;
  }, rules);
  const words = violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')} ${node.any[0]?.message ?? ''}`),
  );
  expect(words, `${name}, ${state}`).toEqual([]);
}

/** Nothing runs over the right edge, and on screens without scrolling none over the lower. */
export async function fits({ page, name }: Screen, state: string, tallToo: boolean): Promise<void> {
  const over = () =>
    page.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      return { wide: scrollWidth - innerWidth, tall: scrollHeight - innerHeight };
    });
  const wanted = tallToo ? { wide: 0, tall: 0 } : { wide: 0 };
  await expect.poll(over, { message: `px over the edge: ${name}, ${state}` }).toMatchObject(wanted);
}

/** On a screen that cannot be scrolled no words are cut, and what is pressed is large enough. */
export async function isWhole({ page, name }: Screen, state: string): Promise<void> {
  const cut = () =>
    page.evaluate(() => {
      const seen = [...document.querySelectorAll<HTMLElement>('button, h1, h2, p, li, strong')];
      return seen
        .filter((element) => !element.closest('[inert], .spoken') && element.checkVisibility())
        .filter((element) => {
          const { left, top, right, bottom } = element.getBoundingClientRect();
          return left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1;
        })
        .map((element) => `${element.tagName} ${element.textContent?.trim().slice(0, 60)}`);
    });
  await expect.poll(cut, { message: `cut: ${name}, ${state}` }).toEqual([]);
}

/** No word is cut by a box that hides what does not fit into it. */
export async function cutsNothing({ page, name }: Screen, state: string): Promise<void> {
  const cut = () =>
    page.evaluate(() => {
      const found: string[] = [];
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const text = texts.currentNode;
        const parent = text.parentElement;
        if (!text.textContent?.trim() || !parent?.checkVisibility()) continue;
        if (parent.closest('[inert], .spoken')) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        for (const rect of range.getClientRects()) {
          for (let box: HTMLElement | null = parent; box; box = box.parentElement) {
            const { overflowX, overflowY, display } = getComputedStyle(box);
            if (display === 'inline' || (overflowX === 'visible' && overflowY === 'visible'))
              continue;
            const edge = box.getBoundingClientRect();
            const wide = rect.left < edge.left - 1 || rect.right > edge.right + 1;
            // Letters hang a little out of lines that stand close.
            const hang = 0.3 * Number.parseFloat(getComputedStyle(parent).fontSize);
            const tall = rect.top < edge.top - hang || rect.bottom > edge.bottom + hang;
            if ((wide && overflowX !== 'auto') || (tall && overflowY !== 'auto')) {
              found.push(
                `${text.textContent.trim().slice(0, 60)} in ${box.tagName}.${box.className}`,
              );
            }
          }
        }
      }
      return [...new Set(found)];
    });
  await expect.poll(cut, { message: `words cut: ${name}, ${state}` }).toEqual([]);
}

/** A picture for the README, when everything is drawn; two pixels for one on phones. */
export async function picture({ page }: Screen, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  });
  const narrow = (page.viewportSize()?.width ?? 0) < 500;
  await page.screenshot({
    path: join(pictures, `${name}.png`),
    animations: 'disabled',
    scale: narrow ? 'device' : 'css',
  });
}
