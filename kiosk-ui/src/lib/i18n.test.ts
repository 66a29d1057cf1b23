import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { language, languages, openLanguage, setLanguage, t, text } from './i18n.svelte';

const files: Record<string, unknown> = {
  '/lang/index.json': [
    { code: 'en', name: 'English' },
    { code: 'id', name: 'Bahasa Indonesia' },
  ],
  '/lang/id.json': { 'common.ok': 'Baik' },
  '/lang/en.json': { 'common.ok': 'Fine', 'common.pending': '{n} left, {m}' },
};

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal('fetch', async (path: string) => ({
    ok: path in files,
    json: async () => files[path],
  }));
});

afterEach(async () => {
  await setLanguage('id');
  vi.unstubAllGlobals();
});

test('loads, falls back to Indonesian, fills places, remembers', async () => {
  await openLanguage();
  expect(language()).toBe('id');
  await setLanguage('en');
  expect(document.documentElement.lang).toBe('en');
  expect(t('common.ok')).toBe('Fine');
  expect(t('common.save')).toBe('Simpan'); // English lacks it here
  expect(t('common.pending', { n: 3 })).toBe('3 left, {m}');
  expect(text({ id: 'satu', en: 'one' })).toBe('one');
  expect(text({ id: 'satu' })).toBe('satu');
  expect(text({ tet: 'ida' })).toBe('ida');
  expect(languages().map((l) => l.code)).toEqual(['id', 'en']);

  await setLanguage('id', { remember: false });
  await openLanguage();
  expect(language()).toBe('en');
});

test('a language that cannot be had, and an unknown key', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  await setLanguage('xx');
  expect(language()).toBe('id');
  expect(t('common.save')).toBe('Simpan');
  expect(t('no.such.key')).toBe('no.such.key');
});

test('the newest choice wins over a slower older one', async () => {
  let release = () => {};
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  vi.stubGlobal('fetch', async (path: string) => {
    if (path === '/lang/en.json') await slow;
    return { ok: true, json: async () => files[path] };
  });
  const older = setLanguage('en');
  await setLanguage('id');
  release();
  await older;
  expect(language()).toBe('id');
});
