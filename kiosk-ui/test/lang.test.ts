// @vitest-environment node
import ts from 'typescript';
import { expect, test } from 'vitest';
import en from '../lang/en.json';
import id from '../lang/id.json';

const languages: Record<string, Record<string, string>> = { id, en };
const sources = import.meta.glob<string>('../src/**/*.{svelte,ts}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

// The daemon and mimpi-collect say some of them.
const programs = ['../../internal/', '../../cmd/'].flatMap((folder) =>
  ts.sys.readDirectory(new URL(folder, import.meta.url).pathname, ['.go', '.html']),
);
const daemon = Object.fromEntries(programs.map((name) => [name, ts.sys.readFile(name) ?? '']));
const said = Object.entries({ ...sources, ...daemon })
  .filter(([file]) => !/(\.test\.ts|_test\.go)$/.test(file))
  .map(([, source]) => source)
  .join('\n');

/** Keys that are put together where they are said: t(`facilitator.phase.${phase}`). */
function madeOf(): RegExp[] {
  return [...said.matchAll(/\bt\(\s*`([^`]*\$\{[^`]*)`/g)].map(([, key = '']) => {
    const parts = key.split(/\$\{(?:[^{}]|\{[^}]*\})*\}/);
    return new RegExp(`^${parts.map((p) => p.replaceAll('.', '\\.')).join('[a-z0-9_+-]+')}$`);
  });
}

function places(sentence: string): string[] {
  return (sentence.match(/\{\w+\}/g) ?? []).sort();
}

test('every language has the same keys and the same {places}', () => {
  for (const [code, sentences] of Object.entries(languages)) {
    expect(Object.keys(sentences).sort(), code).toEqual(Object.keys(id).sort());
    for (const [key, sentence] of Object.entries(sentences)) {
      expect(places(sentence), `${code}: ${key}`).toEqual(places(languages.id?.[key] ?? ''));
      expect(sentence.trim(), `${code}: ${key}`).not.toBe('');
    }
  }
});

test('every key that a screen names has a sentence', () => {
  const missing: string[] = [];
  let seen = 0;
  for (const [file, source] of Object.entries(sources)) {
    if (file.endsWith('.test.ts')) continue;
    for (const [, key] of source.matchAll(/\bt\(\s*'([^']+)'/g)) {
      seen += 1;
      if (key && !(key in id)) missing.push(`${file}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
  expect(seen).toBeGreaterThan(5);
});

test('every sentence is said by a screen', () => {
  const made = madeOf();
  expect(made.length).toBeGreaterThan(5);
  // A key that stands by itself anywhere counts: in a table, or in the daemon's pages.
  const unused = Object.keys(id).filter(
    (key) =>
      !["'", '"', '`'].some((quote) => said.includes(quote + key + quote)) &&
      !made.some((form) => form.test(key)),
  );
  expect(unused).toEqual([]);
});

test('every key that is put together has a sentence', () => {
  const keys = Object.keys(id);
  expect(madeOf().filter((form) => !keys.some((key) => form.test(key)))).toEqual([]);
});
