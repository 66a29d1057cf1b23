import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { faces } from '../../test/faces';
import type { StageView } from '../lib/protocol';
import Stage from './Stage.svelte';

// happy-dom rejects a promise of its own when a moving number is taken away.
vi.hoisted(() => {
  const { settings } = (
    window as unknown as { happyDOM: { settings: { device: { prefersReducedMotion: string } } } }
  ).happyDOM;
  settings.device.prefersReducedMotion = 'reduce';
});

class FakeSocket {
  static last: FakeSocket;
  readyState = 1;
  sent: { do: string; key?: string; state?: string }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor() {
    FakeSocket.last = this;
  }
  send(data: string) {
    this.sent.push(JSON.parse(data));
  }
  close() {}
}

let stage: ReturnType<typeof mount>;

beforeEach(() => {
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', () => Promise.reject(new Error('no network')));
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.spyOn(HTMLMediaElement.prototype, 'play').mockResolvedValue();
  vi.spyOn(HTMLMediaElement.prototype, 'pause').mockImplementation(() => {});
  vi.spyOn(HTMLMediaElement.prototype, 'load').mockImplementation(() => {});
  stage = mount(Stage, { target: document.body });
  FakeSocket.last.onopen?.();
});

afterEach(async () => {
  await unmount(stage);
  document.body.replaceChildren();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function face(name: string): StageView {
  const found = faces.find((f) => f.name === name)?.view;
  if (found?.role !== 'stage') throw new Error(`no stage face ${name}`);
  return found;
}

function show(view: StageView, leads = true) {
  FakeSocket.last.onmessage?.({ data: JSON.stringify({ type: 'view', seq: 1, view, leads }) });
  flushSync();
}

const seen = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
const words = () => document.body.textContent ?? '';

test('one video is kept from the welcome to the thanks, in any language', () => {
  show(face('stage-welcome'));
  const video = seen('film');
  expect(video).not.toBeNull();
  for (const name of ['stage-film', 'stage-question-english', 'stage-help', 'stage-thanks']) {
    show({ ...face(name), lang: 'en' });
    expect(seen('film')).toBe(video);
  }
});

test('a film that is not there is not asked for', () => {
  show(face('stage-film-missing'));
  expect(seen('film')).toBeNull();
  expect(seen('film-scene')?.dataset.face).toBe('missing');
});

test('the film scene has nothing but the film, and the other scenes none of it', () => {
  show(face('stage-film'));
  expect(document.querySelector('h1')).toBeNull();
  show(face('stage-help'));
  expect(seen('film-scene')?.classList.contains('shown')).toBe(false);
  expect(document.querySelectorAll('h1')).toHaveLength(1);
});

test('hidden results are hidden; live ones show the newest round only', () => {
  show(face('stage-question-hidden'));
  expect(seen('bars')).toBeNull();
  expect(words()).toContain('Hasil ditunjukkan nanti.');
  const revealed = face('stage-revealed-two');
  if (!revealed.question) throw new Error('no question');
  show({ ...revealed, question: { ...revealed.question, phase: 'open' } });
  expect(seen('bars')).not.toBeNull();
  expect(words()).not.toContain('Sebelum film');
  show(revealed);
  expect(words()).toContain('Sebelum film');
  expect(words()).toContain('Sesudah film');
  expect(words()).toContain('Jawaban yang benar');
  expect(seen('explanation')?.textContent).toContain('UU 18/2017 Pasal 5');
});

test('the bars are shown without the right answer, and of a handful no number at all', () => {
  show(face('stage-counted'));
  expect(document.querySelectorAll('.bar').length).toBeGreaterThan(4);
  expect(words()).toContain('Sebelum film');
  expect(words()).toContain('Sesudah film');
  expect(words()).toContain('Bicarakan dengan orang di sebelah.');
  expect(words()).not.toContain('Jawaban yang benar');
  expect(seen('explanation')).toBeNull();
  show(face('stage-counted-few'));
  expect(words()).toContain('Kurang dari 10 orang menjawab');
  expect(words()).not.toMatch(/\d+ orang menjawab\./);
});

test('a number that nobody has checked says so', () => {
  show(face('stage-help'));
  const rows = [...document.querySelectorAll('li')].map((li) => li.textContent ?? '');
  expect(rows.map((row) => row.includes('periksa dulu'))).toEqual([false, false, true]);
});

test('a clicker key is sent, another is not', () => {
  show(face('stage-welcome'));
  for (const key of ['1', 'x']) dispatchEvent(new KeyboardEvent('keydown', { key }));
  const presses = FakeSocket.last.sent.filter((m) => m.do === 'pressKey');
  expect(presses.map((m) => m.key)).toEqual(['1']);
});

test('only the leading page reports', () => {
  show(face('stage-film'), false);
  const reports = () => FakeSocket.last.sent.filter((m) => m.do === 'reportPlayer');
  expect(reports()).toEqual([]);
  show(face('stage-film'), true);
  expect(reports().length).toBeGreaterThan(0);
});
