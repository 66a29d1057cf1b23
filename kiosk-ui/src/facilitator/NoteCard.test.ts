import { expect, test, vi } from 'vitest';
import named from '../../icons.mjs?raw';
import NoteCard from './NoteCard.svelte';
import { Kiosk, refused, settled, show, viewOf } from './testing';

function open(chosen: [string[], string[], string[]] = [[], [], []]) {
  const kiosk = new Kiosk();
  const note = viewOf('note').note.map((list, i) => ({ ...list, chosen: chosen[i] ?? [] }));
  return { kiosk, note, ...show(NoteCard, { note, send: kiosk.send }) };
}

const pressed = (chip: HTMLElement) => chip.getAttribute('aria-pressed') === 'true';

test('taps that come faster than the answers add up', () => {
  const { kiosk, find, press } = open([['split_by_language'], [], []]);
  press('note-rain_on_roof');
  press('note-women');
  press('note-split_by_language');
  expect(kiosk.sent.at(-1)).toEqual({
    do: 'noteEvening',
    went: ['rain_on_roof'],
    away: ['women'],
    why: [],
  });
  expect(pressed(find('note-women'))).toBe(true);
  expect(pressed(find('note-split_by_language'))).toBe(false);
});

test('what the kiosk refused is not shown as noted', async () => {
  const { kiosk, find, press } = open();
  press('note-women');
  await kiosk.answer(refused);
  expect(pressed(find('note-women'))).toBe(false);
  expect(find('refusal').textContent).toContain('Pintu');
});

test('once answered, what the kiosk holds is shown', async () => {
  vi.useFakeTimers();
  const { kiosk, find, press } = open([['rain_on_roof'], [], []]);
  press('note-women');
  await kiosk.answer();
  expect(pressed(find('note-women'))).toBe(true);
  vi.advanceTimersByTime(1000); // and no view came: another phone took it back
  vi.useRealTimers();
  await settled();
  expect(pressed(find('note-women'))).toBe(false);
  expect(pressed(find('note-rain_on_roof'))).toBe(true);
});

test('nothing can be written, and every choice has its picture', () => {
  const { target, note } = open();
  expect(target.querySelectorAll('input, textarea, [contenteditable]').length).toBe(0);
  const icons = note.flatMap((list) => list.choices.map(({ icon }) => icon));
  expect(icons.length).toBeGreaterThan(20);
  const drawn = import.meta.glob('../../icons/*.svg');
  for (const icon of icons) {
    const ours = `../../icons/${icon}.svg` in drawn;
    expect(ours || new RegExp(`^  '?${icon}'?: '`, 'm').test(named), icon).toBe(true);
  }
});
