import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FacilitatorView } from '../lib/protocol';
import NextCard from './NextCard.svelte';
import type { Position } from './position.svelte';
import { Kiosk, refused, settled, show, viewOf } from './testing';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function open(name: string) {
  const kiosk = new Kiosk();
  const props = $state({
    view: viewOf(name),
    send: kiosk.send,
    position: { at: 421_000 } as Position,
    onplan: vi.fn(),
    onproblem: vi.fn(),
  });
  const card = show(NextCard, props);
  function change(view: Partial<FacilitatorView>) {
    props.view = { ...props.view, ...view };
    flushSync();
  }
  return { kiosk, props, change, ...card };
}

test('a double press acts once, and not on the button that it has become', async () => {
  const { kiosk, press, change } = open('poll-open');
  press('next');
  press('next');
  expect(kiosk.sent).toEqual([{ do: 'closeQuestion', question: 'k1' }]);
  await kiosk.answer();
  change({
    next: { label: 'reveal_question', command: { do: 'revealQuestion', question: 'k1' } },
  });
  press('next'); // the third tap of an impatient finger
  expect(kiosk.sent).toHaveLength(1);
  vi.advanceTimersByTime(800);
  flushSync();
  press('next');
  expect(kiosk.sent[1]).toEqual({ do: 'revealQuestion', question: 'k1' });
});

test('views that come while it rests do not keep it resting', async () => {
  const { kiosk, press, change } = open('planned');
  press('next');
  await kiosk.answer();
  const next = { label: 'to_poll_before', command: { do: 'moveTo', step: 'poll_before' } } as const;
  change({ next: { ...next } });
  vi.advanceTimersByTime(100);
  change({ next: { ...next } }); // somebody was counted
  vi.advanceTimersByTime(700);
  flushSync();
  press('next');
  expect(kiosk.sent[1]).toEqual(next.command);
});

test('a refusal is said, and the button can be pressed again', async () => {
  const { kiosk, press, find } = open('planned');
  press('next');
  await kiosk.answer(refused);
  expect(find('refusal').textContent).toContain('Pintu sudah ditutup.');
  press('next');
  expect(kiosk.sent).toHaveLength(2);
});

test('waiting is said in words, but only when it can be noticed', async () => {
  const { kiosk, press, target } = open('planned');
  press('next');
  expect(target.textContent).not.toContain('disimpan');
  vi.advanceTimersByTime(350);
  await settled();
  expect(target.textContent).toContain('Sedang disimpan');
  await kiosk.answer();
  expect(target.textContent).not.toContain('disimpan');
});

test('ending asks twice', () => {
  const { kiosk, target } = open('closing');
  const button = target.querySelector<HTMLElement>('[data-testid="next"] button');
  button?.click();
  expect(kiosk.sent).toEqual([]);
  button?.click();
  expect(kiosk.sent).toEqual([{ do: 'moveTo', step: 'ended' }]);
});

test('a film that runs shows how far it is in place of a button', () => {
  const { has, find } = open('film-playing');
  expect(has('next')).toBe(false);
  expect(find('position').textContent).toContain('7:01');
  expect(find('position').textContent).toContain('17:59');
});

test('a plan opens the form', () => {
  const { kiosk, press, props } = open('set-up');
  press('next');
  expect(props.onplan).toHaveBeenCalledOnce();
  expect(kiosk.sent).toEqual([]);
});

test('the question to open says in which languages it is not there', () => {
  const { change, find, has, props } = open('poll-open');
  const questions = props.view.questions.map((q) => ({ ...q, untranslated: ['en'] }));
  change({ questions });
  expect(has('untranslated')).toBe(false); // it is open: too late
  change({
    next: {
      label: 'open_question',
      command: { do: 'openQuestion', question: 'k1', newRound: false },
      question: 'k1',
    },
  });
  expect(find('untranslated').textContent).toContain('belum diterjemahkan: English');
});
