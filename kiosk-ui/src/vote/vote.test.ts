import { flushSync, mount, tick, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { faces } from '../../test/faces';
import { Connection } from '../lib/connection.svelte';
import type { FromKiosk, Mine, VoteView } from '../lib/protocol';
import { openLine } from './line.svelte';
import { freshAddress, keepFresh, ticked } from './plain';
import Vote from './Vote.svelte';

class FakeSocket {
  static OPEN = 1;
  static last: FakeSocket;
  readyState = 1;
  sent: { id: string; do: string; choices?: string[] }[] = [];
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

let line: Connection<VoteView>;
let app: ReturnType<typeof mount>;

function view(name: string): VoteView {
  const face = faces.find((f) => f.name === `vote-${name}`);
  if (!face) throw new Error(`no face vote-${name}`);
  return structuredClone(face.view) as VoteView;
}
async function settle() {
  await vi.advanceTimersByTimeAsync(0);
  await tick();
  flushSync();
}
async function say(message: FromKiosk) {
  FakeSocket.last.onmessage?.({ data: JSON.stringify(message) });
  await settle();
}
async function show(name: string, mine: Mine | null = null) {
  await say({ type: 'view', seq: 1, view: view(name), mine });
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
  get(testid).click();
  await settle();
}
const sent = () => FakeSocket.last.sent;
const idOf = (place: number) => sent()[place]?.id ?? '';
const mine = (choices: string[]): Mine => ({ question: 'k1', round: 1, choices });

function start() {
  line = new Connection<VoteView>('vote');
  app = mount(Vote, { target: document.body, props: { line } });
  flushSync();
  FakeSocket.last.onopen?.();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  localStorage.clear();
  start();
});

afterEach(async () => {
  await unmount(app);
  document.body.replaceChildren();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a tap is sent at once, and is called saved only after done', async () => {
  await show('question');
  await tap('option-18');
  expect(sent()[0]).toMatchObject({ do: 'castBallot', question: 'k1', round: 1, choices: ['18'] });
  expect(find('saving')).not.toBeNull();
  expect(find('saved')).toBeNull();
  expect(get('option-18').querySelector('.chosen')).toBeNull();
  await say({ type: 'done', id: idOf(0), mine: mine(['18']) });
  expect(find('saving')).toBeNull();
  expect(find('saved')).not.toBeNull();
  expect(get('option-18').querySelector('.chosen')).not.toBeNull();
});

test('the answer can be changed; the same one tapped again is not sent again', async () => {
  await show('question', mine(['18']));
  await tap('option-18');
  expect(sent()).toHaveLength(0);
  await tap('option-15');
  await tap('option-15'); // a double tap
  await tap('option-any');
  expect(sent().map((m) => m.choices)).toEqual([['15'], ['any']]);
  await say({ type: 'done', id: idOf(0), mine: mine(['15']) });
  expect(find('saving')).not.toBeNull(); // the newest is still on its way
  expect(get('option-any').classList).toContain('busy');
  await say({ type: 'done', id: idOf(1), mine: mine(['any']) });
  expect(get('option-any').classList).toContain('selected');
  expect(get('option-15').classList).not.toContain('selected');
});

test('a reload keeps the own answer, and one on its way', async () => {
  await show('question');
  await tap('option-18');
  const id = idOf(0);
  await unmount(app);
  start();
  await settle();
  expect(idOf(0)).toBe(id);
  await show('question');
  expect(find('saving')).not.toBeNull();
  await say({ type: 'done', id, mine: mine(['18']) });
  expect(find('saved')).not.toBeNull();
});

test('an answer to another round is not shown as the own one', async () => {
  await show('question', { ...mine(['18']), round: 2 });
  expect(find('saved')).toBeNull();
  expect(document.querySelector('[aria-pressed="true"].option')).toBeNull();
});

test('a refusal is said and the saved answer stays', async () => {
  await show('question', mine(['18']));
  await tap('option-15');
  await say({
    type: 'refused',
    id: idOf(0),
    reason: 'old_round',
    message: { id: 'Sudah selesai.' },
  });
  expect(get('refused').textContent).toContain('Sudah selesai.');
  expect(get('option-18').classList).toContain('selected');
  expect(get('option-15').classList).not.toContain('selected');
});

test('skip is an answer of its own', async () => {
  await show('question');
  await tap('skip');
  expect(sent()[0]?.choices).toEqual([]);
  await say({ type: 'done', id: idOf(0), mine: mine([]) });
  expect(get('skip').getAttribute('aria-pressed')).toBe('true');
  expect(get('saved').textContent).toContain('dilewati');
});

test('several: ticks are sent together, and what is not sent is called so', async () => {
  await show('several');
  await tap('option-time');
  await tap('option-welcome');
  expect(sent()).toHaveLength(0);
  expect(find('draft')).not.toBeNull();
  await tap('send');
  expect(sent()[0]?.choices).toEqual(['welcome', 'time']);
  await say({
    type: 'done',
    id: idOf(0),
    mine: { question: 'o4', round: 1, choices: ['welcome', 'time'] },
  });
  expect(find('draft')).toBeNull();
  expect(find('saved')).not.toBeNull();
  await tap('option-time'); // changes what was saved
  expect(find('draft')).not.toBeNull();
  expect(get('option-welcome').getAttribute('aria-pressed')).toBe('true');
  await tap('send');
  expect(sent()[1]?.choices).toEqual(['welcome']);
});

test('offline: said, and sent by itself when the line is back', async () => {
  await show('question');
  FakeSocket.last.onclose?.();
  await settle();
  await tap('option-18');
  expect(get('saving').textContent).toContain('dikirim sendiri');
  await vi.advanceTimersByTimeAsync(400);
  FakeSocket.last.onopen?.();
  await settle();
  expect(sent().map((m) => m.choices)).toEqual([['18']]);
});

test('the end: help numbers that can be dialled, and the guidebook', async () => {
  await show('thanks');
  const numbers = [...document.querySelectorAll('[data-testid="help"] a')];
  expect(numbers.map((a) => a.getAttribute('href'))).toContain('tel:08001000');
  expect(get('guidebook').getAttribute('href')).toBe('/guidebook');
});

test('a guidebook that is not there is not offered', async () => {
  const over = view('thanks');
  over.codes = over.codes.filter(({ name }) => !name.startsWith('guidebook'));
  await say({ type: 'view', seq: 1, view: over });
  expect(find('guidebook')).toBeNull();
  expect(document.querySelectorAll('[data-testid="help"] a').length).toBeGreaterThan(0);
});

test('the plain form stays until the first view', async () => {
  const opened = openLine();
  let here = false;
  void opened.firstView.then(() => {
    here = true;
  });
  FakeSocket.last.onopen?.();
  await settle();
  expect(here).toBe(false);
  await show('question');
  expect(here).toBe(true);
  opened.line.close();
});

test('without websockets the page is loaded again every 8 s, unless something is ticked', async () => {
  const form = document.createElement('div');
  form.className = 'plain';
  form.innerHTML = '<input type="checkbox" id="a" checked><input type="checkbox" id="b">';
  document.body.append(form);
  const load = vi.fn();
  const stop = keepFresh(load);
  expect(ticked()).toBe(false); // ticked by the server: that is the saved answer
  vi.advanceTimersByTime(7_999);
  expect(load).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(load).toHaveBeenCalledTimes(1);
  (form.querySelector('#b') as HTMLInputElement).checked = true;
  vi.advanceTimersByTime(16_000);
  expect(load).toHaveBeenCalledTimes(1);
  stop();
  expect(freshAddress('http://10.42.0.1/vote?said=done&lang=en')).toBe(
    'http://10.42.0.1/vote?lang=en',
  );
});

test('three dials that never opened begin the reloading; a view ends it', async () => {
  const opened = openLine();
  for (let i = 0; i < 3; i++) {
    FakeSocket.last.onclose?.();
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect(opened.line.websocketPossible).toBe(false);
  await settle();
  const withReload = vi.getTimerCount();
  FakeSocket.last.onopen?.();
  await show('question');
  expect(vi.getTimerCount()).toBeLessThan(withReload);
  opened.line.close();
});
