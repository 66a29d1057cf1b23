import { flushSync, mount, tick, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { faces } from '../../test/faces';
import { language, setLanguage } from '../lib/i18n.svelte';
import type { FromKiosk, Question, TouchView } from '../lib/protocol';
import { figure } from './figure';
import Touch from './Touch.svelte';

class FakeSocket {
  static OPEN = 1;
  static last: FakeSocket;
  readyState = 1;
  sent: { id: string; do: string; [field: string]: unknown }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.last = this;
  }
  send(data: string) {
    const message = JSON.parse(data);
    if (message.do !== 'ping') this.sent.push(message);
  }
  close() {
    this.readyState = 3;
  }
}

let app: ReturnType<typeof mount>;

function view(name: string): TouchView {
  const face = faces.find((f) => f.name === `touch-${name}`);
  if (!face) throw new Error(`no face touch-${name}`);
  return structuredClone(face.view) as TouchView;
}
async function say(message: FromKiosk) {
  FakeSocket.last.onmessage?.({ data: JSON.stringify(message) });
  await settle();
}
async function settle() {
  await vi.advanceTimersByTimeAsync(0);
  await tick();
  flushSync();
}
async function wait(ms: number) {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}
async function show(next: TouchView) {
  await say({ type: 'view', seq: 1, view: next });
}
async function done(place = -1) {
  await say({ type: 'done', id: FakeSocket.last.sent.at(place)?.id ?? '' });
}
function find(testid: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
}
function get(testid: string): HTMLElement {
  const found = find(testid);
  if (!found) throw new Error(`no ${testid} in ${document.body.textContent}`);
  return found;
}
async function tap(testid: string) {
  const target = get(testid);
  if (target.closest('[inert]')) return; // what the browser does by itself
  target.click();
  await settle();
}
const sent = () => FakeSocket.last.sent;
const question = () => view('question-4').question as Question;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', async (path: string) => ({
    ok: true,
    json: async () => (path.endsWith('index.json') ? [] : {}),
  }));
  sessionStorage.clear();
  app = mount(Touch, { target: document.body });
  flushSync();
  FakeSocket.last.onopen?.();
  await settle();
});

afterEach(async () => {
  await unmount(app);
  await setLanguage('id');
  document.body.replaceChildren();
  await vi.advanceTimersByTimeAsync(0); // happy-dom's own, for its observers
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('one tap is one ballot; the thank-you lasts thankYou ms from done, and taps in it do nothing', async () => {
  const now = view('question-4');
  now.thankYou = 1_500;
  await show(now);
  await tap('option-18');
  await tap('option-18'); // a double tap
  await tap('option-15');
  await tap('skip');
  expect(sent()).toHaveLength(1);
  expect(sent()[0]).toMatchObject({ do: 'castBallot', question: 'k1', round: 1, choices: ['18'] });
  expect(get('option-18').getAttribute('aria-pressed')).toBe('true'); // at once, before the answer
  expect(find('thanks')).toBeNull();

  await done();
  expect(find('thanks')).not.toBeNull();
  await tap('option-15');
  await wait(1_499);
  expect(find('thanks')).not.toBeNull();
  await tap('option-15');
  expect(sent()).toHaveLength(1);
  await wait(1);
  expect(find('thanks')).toBeNull();
});

test('nothing of the last ballot stays for the next person', async () => {
  await show(view('question-4'));
  const pressed = get('option-18');
  pressed.focus();
  await tap('option-18');
  await done();
  await wait(4_000);
  expect(document.querySelector('[aria-pressed="true"]')).toBeNull();
  expect(document.activeElement).toBe(document.body);
  expect(get('option-18')).not.toBe(pressed); // drawn anew: no hover, no active
  await tap('option-15');
  expect(sent()).toHaveLength(2);
  expect(sent()[1]).toMatchObject({ choices: ['15'] });
  expect(sent()[1]?.id).not.toBe(sent()[0]?.id);
  await done();
  await wait(4_000);
});

test('saving is said only after 300 ms', async () => {
  await show(view('question-4'));
  await tap('option-18');
  await wait(299);
  expect(find('saving')).toBeNull();
  await wait(1);
  expect(find('saving')).not.toBeNull();
  await done();
  expect(find('saving')).toBeNull();
  await wait(4_000);
});

test('a ballot that cannot be saved waits, and nobody else can vote until it is', async () => {
  await show(view('question-4'));
  await tap('option-18');
  const id = sent()[0]?.id ?? '';
  await say({ type: 'refused', id, reason: 'not_saved', message: { id: 'Belum tersimpan.' } });
  await wait(400);
  expect(get('saving').textContent).toContain('Panggil fasilitator');
  await tap('option-15');
  await wait(2_000);
  expect(sent().map((m) => m.id)).toEqual([id, id]); // the same ballot again, by itself
  await done();
  expect(find('thanks')).not.toBeNull();
  await wait(4_000);
});

test('a ballot from before a reload holds the screen until it is saved', async () => {
  await show(view('question-4'));
  await tap('option-18');
  await unmount(app);
  app = mount(Touch, { target: document.body });
  flushSync();
  FakeSocket.last.onopen?.();
  await show(view('question-4'));
  expect(find('saving')).not.toBeNull();
  await tap('option-15');
  expect(sent()).toHaveLength(1);
  await done();
  expect(find('saving')).toBeNull();
  await tap('option-15');
  expect(sent()).toHaveLength(2);
  await done();
  await wait(4_000);
});

test('several: options toggle, Done sends them in their order, a refusal loses nothing', async () => {
  await show(view('several'));
  expect((get('send') as HTMLButtonElement).disabled).toBe(true);
  await tap('option-time');
  await tap('option-welcome');
  await tap('option-private');
  await tap('option-private');
  expect(sent()).toHaveLength(0);
  await tap('send');
  expect(sent()[0]).toMatchObject({ choices: ['welcome', 'time'] });
  const id = sent()[0]?.id ?? '';
  await say({ type: 'refused', id, reason: 'question_not_open', message: { id: 'Tidak dibuka.' } });
  expect(get('refused').textContent).toContain('Tidak dibuka.');
  await wait(4_000);
  expect(find('refused')).toBeNull();
  expect(get('option-welcome').getAttribute('aria-pressed')).toBe('true');
  expect(get('option-time').getAttribute('aria-pressed')).toBe('true');
});

test('too soon is no sentence: the question is simply there again', async () => {
  await show(view('question-4'));
  await tap('option-18');
  const id = sent()[0]?.id ?? '';
  await say({ type: 'refused', id, reason: 'too_soon', message: { id: 'Tunggu.' } });
  expect(find('refused')).toBeNull();
  expect(document.querySelector('[aria-pressed="true"]')).toBeNull();
});

test('after idle ms nothing is half chosen and the screen speaks Indonesian again', async () => {
  const now = view('several');
  now.idle = 60_000;
  await show(now);
  await setLanguage('en');
  await tap('option-time');
  await wait(59_000);
  document.body.dispatchEvent(new Event('pointerdown', { bubbles: true })); // somebody is here
  await wait(59_999);
  expect(get('option-time').getAttribute('aria-pressed')).toBe('true');
  expect(language()).toBe('en');
  await wait(1);
  expect(get('option-time').getAttribute('aria-pressed')).toBe('false');
  expect(language()).toBe('id');
});

test('a new round clears what was half chosen', async () => {
  await show(view('several'));
  await tap('option-time');
  const next = view('several');
  next.question = { ...(next.question as Question), round: 2 };
  await show(next);
  expect(get('option-time').getAttribute('aria-pressed')).toBe('false');
});

test('no totals are shown unless the kiosk gives them', async () => {
  await show(view('question-4'));
  expect(document.querySelector('.tally')).toBeNull();
  expect(get('voted').textContent).toContain('23');
  const round = {
    n: 1,
    step: 'discussion' as const,
    phase: 'after' as const,
    ballots: 20,
    skipped: 0,
    counts: [5, 10, 4, 1],
  };
  await show({ ...view('question-4'), question: { ...question(), rounds: [round] } });
  expect(get('option-18').querySelector('.tally')?.textContent?.trim()).toBe('10');
});

test('doors: every press is felt and sent, the number grows only with the view', async () => {
  await show(view('doors'));
  for (let i = 0; i < 25; i++) await tap('count-woman');
  expect(sent()).toHaveLength(25);
  expect(new Set(sent().map((m) => m.id)).size).toBe(25);
  expect(get('count-woman').textContent).toContain('+25');
  expect(get('number-woman').textContent).toBe('18');
  await wait(400);
  expect(get('pending').textContent).toContain('25');
  for (let i = 0; i < 25; i++) await done(i);
  expect(find('pending')).toBeNull();
  expect(get('number-woman').textContent).toBe('18'); // commit, then show: the view says it
  const now = view('doors');
  now.categories[0] = { ...now.categories[0], count: 43 } as TouchView['categories'][number];
  await show({ ...now, total: 72 });
  expect(get('number-woman').textContent).toBe('43');
  expect(get('total').textContent).toBe('72');
  await wait(700);
});

test('doors: a finger counts when it comes down, and its click does not count again', async () => {
  await show(view('doors'));
  const button = get('count-man');
  button.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true, button: 0 }));
  button.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1 }));
  await settle();
  expect(sent().map((m) => m.category)).toEqual(['man']);
  await done();
  await wait(700);
});

test('doors: undo names what it takes back, once at a time', async () => {
  await show(view('doors'));
  expect(get('undo').textContent).toContain('Perempuan dewasa');
  await tap('count-boy'); // not saved yet, but later than the last saved one
  expect(get('undo').textContent).toContain('Anak laki-laki');
  await tap('undo');
  await tap('undo');
  expect(sent().map((m) => m.do)).toEqual(['countAttendee', 'undoCount']);
  await done(0);
  const id = sent()[1]?.id ?? '';
  await say({ type: 'refused', id, reason: 'nothing_to_undo', message: { id: 'Tidak ada.' } });
  expect(get('refused').textContent).toContain('Tidak ada.');
  await show({ ...view('doors'), last: null });
  expect((get('undo') as HTMLButtonElement).disabled).toBe(true);
  await wait(5_000);
});

test('clicker keys go to the kiosk, a held key counts once, and the page keeps its place', async () => {
  await show(view('rest'));
  const press = (key: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
    document.body.dispatchEvent(event);
    return event;
  };
  press('1');
  press('1', { repeat: true });
  press('x');
  press('1');
  await settle();
  expect(sent().map((m) => [m.do, m.key])).toEqual([
    ['pressKey', '1'],
    ['pressKey', '1'],
  ]);
  expect(sent()[0]?.id).not.toBe(sent()[1]?.id);
  expect(press('p', { ctrlKey: true }).defaultPrevented).toBe(true);
  expect(press('ArrowLeft', { altKey: true }).defaultPrevented).toBe(true);
  expect(press('r', { ctrlKey: true }).defaultPrevented).toBe(false);
  const menu = new MouseEvent('contextmenu', { bubbles: true, cancelable: true });
  document.body.dispatchEvent(menu);
  expect(menu.defaultPrevented).toBe(true);
  expect(document.querySelector('a[href]')).toBeNull();
});

test('people of other categories have a picture too', () => {
  expect(figure({ sex: 'female', age: '18+' })).toBe('person-woman');
  expect(figure({ sex: 'male', age: '0-17' })).toBe('person-boy');
  expect(figure({ sex: '', age: '' })).toBe('person');
  expect(figure({ sex: 'male', age: '60+' })).toBe('person');
});
