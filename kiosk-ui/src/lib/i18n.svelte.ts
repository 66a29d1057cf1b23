// The sentences of the screens. Indonesian is built in, so that a page can always speak;
// the kiosk's own files (which may hold more languages, or better words) are laid over it.

import builtIn from '../../lang/id.json';
import type { Text } from './protocol';

export interface Language {
  code: string;
  name: string;
}

type Sentences = Record<string, string>;

const home = 'id';
const indonesian: Sentences = builtIn;

let code = $state(home);
let sentences = $state.raw<Sentences>(indonesian);
let known = $state.raw<Language[]>([{ code: home, name: 'Bahasa Indonesia' }]);
let latest = 0; // the newest request wins, however late an older one comes back

/** The language now shown: a rune, so markup that uses it follows. */
export function language(): string {
  return code;
}

/** The languages that can be chosen, Indonesian first. */
export function languages(): Language[] {
  return known;
}

/**
 * The sentence for a key with its {name} places filled in. A key that the language
 * lacks is said in Indonesian; one that nobody knows is shown as itself.
 */
export function t(key: string, params: Record<string, string | number> = {}): string {
  const sentence = sentences[key] ?? indonesian[key];
  if (sentence === undefined) {
    if (import.meta.env.DEV) console.warn(`no sentence for "${key}"`);
    return key;
  }
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) =>
    name in params ? String(params[name]) : place,
  );
}

/** A pack's own text in the language now shown, else Indonesian, else any. */
export function text(words: Text | undefined): string {
  if (!words) return '';
  return words[code] ?? words[home] ?? Object.values(words)[0] ?? '';
}

/** A number as the language writes it: 1.250 in Indonesian, 1,250 in English. */
export function number(n: number): string {
  return n.toLocaleString(code);
}

/** The first load: what this page remembers, else Indonesian. Never rejects. */
export async function openLanguage(): Promise<void> {
  const index = read('/lang/index.json').then((found) => {
    if (!Array.isArray(found) || found.length === 0) return;
    known = (found as Language[]).sort((a, b) => Number(b.code === home) - Number(a.code === home));
  });
  await Promise.all([index, setLanguage(remembered() ?? home, { remember: false })]);
}

/**
 * Changes the language. remember (the default) keeps it for this page on this device;
 * the stage passes false, because there the facilitator decides. Never rejects: a file
 * that cannot be had leaves Indonesian.
 */
export async function setLanguage(next: string, { remember = true } = {}): Promise<void> {
  if (remember) keep(next);
  latest += 1;
  const mine = latest;
  const found = await read(`/lang/${encodeURIComponent(next)}.json`);
  if (mine !== latest) return;
  const usable = typeof found === 'object' && found !== null && !Array.isArray(found);
  code = usable ? next : home;
  sentences = usable ? (found as Sentences) : indonesian;
  document.documentElement.lang = code;
}

async function read(path: string): Promise<unknown> {
  try {
    const answer = await fetch(path);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function place(): string {
  return `language ${document.documentElement.dataset.page ?? ''}`;
}

function remembered(): string | null {
  try {
    return localStorage.getItem(place());
  } catch {
    return null; // storage forbidden: a private window, a captive-portal window
  }
}

function keep(next: string): void {
  try {
    localStorage.setItem(place(), next);
  } catch {
    // as above: the choice then lasts until the page is left
  }
}
