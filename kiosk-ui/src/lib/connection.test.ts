import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection } from './connection.svelte';
import type {
  CommandBody,
  FacilitatorView,
  FromKiosk,
  Role,
  StageView,
  VoteView,
} from './protocol';

class FakeSocket {
  static OPEN = 1;
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    const found = FakeSocket.all.at(-1);
    if (!found) throw new Error('nobody dialled');
    return found;
  }
  readyState = 0;
  sent: { id: string; do: string; [field: string]: unknown }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(data: string) {
    if (this.readyState !== 1) throw new Error('send on a socket that is not open');
    this.sent.push(JSON.parse(data));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  drop() {
    this.readyState = 3;
    this.onclose?.();
  }
  say(message: FromKiosk) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  /** Ids of the commands, pings left out. */
  get ids() {
    return this.sent.filter((m) => m.do !== 'ping').map((m) => m.id);
  }
}

const ballot: CommandBody = {
  do: 'castBallot',
  question: 'k1',
  round: 1,
  choices: ['a'],
};
const count: CommandBody = { do: 'countAttendee', category: 'woman' };

let open: Connection[] = [];

function connect(role: Role = 'touch'): Connection {
  const line = new Connection(role);
  open.push(line);
  return line;
}

function idAt(socket: FakeSocket, place: number): string {
  const id = socket.ids[place];
  if (!id) throw new Error(`no command at ${place}`);
  return id;
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  sessionStorage.clear();
  localStorage.clear();
});

afterEach(() => {
  for (const line of open) line.close();
  open = [];
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('dials for its role and takes the last view received, whatever its number', () => {
  const line = connect('vote');
  expect(FakeSocket.last.url).toMatch(/^ws:\/\/.+\/ws\?role=vote$/);
  expect(line.status).toBe('connecting');
  FakeSocket.last.open();
  expect(line.status).toBe('online');
  const view = (step: VoteView['step']) => ({ role: 'vote', step }) as VoteView;
  FakeSocket.last.say({ type: 'view', seq: 90, view: view('film') });
  FakeSocket.last.say({
    type: 'view',
    seq: 3,
    view: view('discussion'),
    mine: { question: 'k1', round: 1, choices: [] },
  });
  expect(line.view?.step).toBe('discussion');
  expect(line.mine?.question).toBe('k1');
});

test('a stage page knows whether it leads, and keeps that while the line is broken', () => {
  const line = connect('stage');
  FakeSocket.last.open();
  const view = { role: 'stage' } as StageView;
  FakeSocket.last.say({ type: 'view', seq: 1, view, leads: true });
  expect(line.leads).toBe(true);
  FakeSocket.last.drop();
  expect(line.leads).toBe(true);
  vi.advanceTimersByTime(10_000);
  FakeSocket.last.open();
  FakeSocket.last.say({ type: 'view', seq: 1, view, leads: false });
  expect(line.leads).toBe(false);
});

test('sends again after a break, with the same ids and in order, and only what is unanswered', async () => {
  const line = connect();
  const first = line.send(count); // before the line is up
  FakeSocket.last.open();
  const second = line.send(ballot);
  const third = line.send(count);
  const ids = FakeSocket.last.ids;
  expect(new Set(ids).size).toBe(3);
  FakeSocket.last.say({ type: 'done', id: idAt(FakeSocket.last, 0) });
  expect(await first).toEqual({ ok: true });
  expect(line.pending).toBe(2);

  FakeSocket.last.drop();
  expect(line.status).toBe('connecting');
  vi.advanceTimersByTime(300);
  FakeSocket.last.open();
  expect(FakeSocket.all).toHaveLength(2);
  expect(FakeSocket.last.ids).toEqual(ids.slice(1));

  FakeSocket.last.say({ type: 'done', id: idAt(FakeSocket.last, 0), mine: null });
  FakeSocket.last.say({ type: 'done', id: idAt(FakeSocket.last, 1) });
  expect(await second).toEqual({ ok: true });
  expect(await third).toEqual({ ok: true });
  FakeSocket.last.drop();
  vi.advanceTimersByTime(300);
  FakeSocket.last.open();
  expect(FakeSocket.last.ids).toEqual([]);
});

test.each(['touch', 'vote'] as const)('%s: a reload keeps counts and ballots', (role) => {
  const before = connect(role);
  FakeSocket.last.open();
  void before.send(ballot);
  void before.send({ do: 'playFilm' });
  const id = idAt(FakeSocket.last, 0);
  before.close();

  const after = connect(role);
  expect(after.pending).toBe(1);
  FakeSocket.last.open();
  expect(FakeSocket.last.sent).toEqual([{ id, ...ballot }]);
  // an older screening's ballot is refused, and then it is gone
  FakeSocket.last.say({ type: 'refused', id, reason: 'other_screening', message: {} });
  expect(after.pending).toBe(0);
  after.close();
  connect(role);
  FakeSocket.last.open();
  expect(FakeSocket.last.sent).toEqual([]);
});

test('the facilitator keeps nothing over a reload', () => {
  const before = connect('facilitator');
  void before.send(count);
  before.close();
  expect(connect('facilitator').pending).toBe(0);
});

test('what lies broken in the storage is left aside', () => {
  sessionStorage.setItem('outbox touch', '{"not":"a list"}');
  expect(connect().pending).toBe(0);
  sessionStorage.setItem('outbox touch', `[null,{"id":7},{"id":"x","do":"undoCount"}]`);
  expect(connect().pending).toBe(1);
});

test('a command names the screening that its sender saw', () => {
  const line = connect('facilitator');
  FakeSocket.last.open();
  void line.send(count);
  const view = { role: 'facilitator', screening: { id: 's1' } } as FacilitatorView;
  FakeSocket.last.say({ type: 'view', seq: 1, view });
  void line.send(count);
  void line.send({ do: 'setClock', now: '2026-11-24T19:00:00+08:00' });
  expect(FakeSocket.last.sent.map((m) => m.screening)).toEqual([undefined, 's1', undefined]);
});

test('a refusal comes back with its words', async () => {
  const line = connect();
  FakeSocket.last.open();
  const answer = line.send(ballot);
  const id = idAt(FakeSocket.last, 0);
  FakeSocket.last.say({ type: 'refused', id, reason: 'closed', message: { id: 'Sudah ditutup.' } });
  expect(await answer).toEqual({ ok: false, reason: 'closed', message: { id: 'Sudah ditutup.' } });
  expect(line.pending).toBe(0);
});

test('an order of the facilitator is not carried out long after the press; a count is', async () => {
  const line = connect('facilitator');
  const play = line.send({ do: 'playFilm' });
  void line.send(count);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await play).toMatchObject({ ok: false, reason: 'unanswered' });
  FakeSocket.last.open();
  expect(FakeSocket.last.sent.map((m) => m.do)).toEqual(['countAttendee']);
});

test('asks after 15 s of silence, and dials again when nothing comes', () => {
  const line = connect();
  FakeSocket.last.open();
  vi.advanceTimersByTime(14_999);
  expect(FakeSocket.last.sent).toEqual([]);
  vi.advanceTimersByTime(1);
  const ping = FakeSocket.last.sent[0];
  expect(ping?.do).toBe('ping');
  FakeSocket.last.say({ type: 'done', id: ping?.id ?? '' });
  vi.advanceTimersByTime(15_000 + 9_999);
  expect(FakeSocket.all).toHaveLength(1);
  vi.advanceTimersByTime(1 + 300);
  expect(FakeSocket.all).toHaveLength(2);
  expect(line.status).toBe('connecting');
});

test('waits longer and longer, at most 5 s, and says when it never works', () => {
  const line = connect();
  const gaps: number[] = [];
  for (let i = 0; i < 8; i++) {
    const before = FakeSocket.all.length;
    FakeSocket.last.drop();
    let gap = 0;
    while (FakeSocket.all.length === before && gap < 10_000) {
      vi.advanceTimersByTime(10);
      gap += 10;
    }
    gaps.push(gap);
    expect(line.websocketPossible).toBe(i < 2);
  }
  expect(gaps[0]).toBeLessThanOrEqual(300);
  expect(gaps[0]).toBeGreaterThanOrEqual(150);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
  expect(gaps.at(-1)).toBeGreaterThanOrEqual(2_500);
  expect(line.status).toBe('offline');
  FakeSocket.last.open();
  expect(line.websocketPossible).toBe(true);
  expect(line.status).toBe('online');
});

test('dials at once when the network is back', () => {
  connect();
  FakeSocket.last.drop();
  dispatchEvent(new Event('online'));
  expect(FakeSocket.all).toHaveLength(2);
  vi.advanceTimersByTime(5_000); // the old timer is gone
  expect(FakeSocket.all).toHaveLength(2);
});

test('a window that forbids storage and websockets still answers', async () => {
  vi.stubGlobal('WebSocket', function forbidden() {
    throw new Error('no');
  });
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new Error('no');
  });
  const line = connect('vote');
  const answer = line.send(ballot);
  vi.advanceTimersByTime(5_000);
  expect(line.websocketPossible).toBe(false);
  line.close();
  expect(await answer).toMatchObject({ ok: false, reason: 'closed' });
  vi.restoreAllMocks();
});

test('after close nothing is sent and late words are not heard', async () => {
  const line = connect();
  FakeSocket.last.open();
  const socket = FakeSocket.last;
  line.close();
  socket.say({ type: 'view', seq: 1, view: { role: 'touch' } as never });
  expect(line.view).toBeNull();
  expect(await line.send(count)).toMatchObject({ ok: false, reason: 'closed' });
  dispatchEvent(new Event('online'));
  expect(FakeSocket.all).toHaveLength(1);
});

test('a count that the kiosk could not save is sent again with its id, and only then answered', async () => {
  const line = connect();
  FakeSocket.last.open();
  const answer = line.send(count);
  const id = idAt(FakeSocket.last, 0);
  const message = { id: 'Belum tersimpan.', en: 'Not saved.' };
  FakeSocket.last.say({ type: 'refused', id, reason: 'not_saved', message });
  expect(line.pending).toBe(1);
  expect(line.trouble).toEqual(message);
  vi.advanceTimersByTime(2_000);
  FakeSocket.last.say({ type: 'refused', id, reason: 'busy', message });
  vi.advanceTimersByTime(2_000);
  expect(FakeSocket.last.ids).toEqual([id, id, id]);
  FakeSocket.last.say({ type: 'done', id });
  expect(await answer).toEqual({ ok: true });
  expect(line.trouble).toBeNull();
});

test('an order of the facilitator that could not be saved comes back as refused', async () => {
  const line = connect('facilitator');
  FakeSocket.last.open();
  const answer = line.send({ do: 'playFilm' });
  const id = idAt(FakeSocket.last, 0);
  FakeSocket.last.say({ type: 'refused', id, reason: 'not_saved', message: {} });
  expect(await answer).toMatchObject({ ok: false, reason: 'not_saved' });
});

test('knows how many of the waiting commands are ballots, over a reload too', () => {
  const before = connect();
  void before.send(ballot);
  void before.send(count);
  expect(before.ballots).toBe(1);
  before.close();
  const after = connect();
  expect([after.ballots, after.pending]).toEqual([1, 2]);
});
