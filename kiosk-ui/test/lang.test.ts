import { expect, test } from 'vitest';
import en from '../lang/en.json';
import id from '../lang/id.json';

const languages: Record<string, Record<string, string>> = { id, en };
const sources = import.meta.glob<string>('../src/**/*.{svelte,ts}', {
  query: '?raw',
  import: 'default',
  eager: true,
});

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
