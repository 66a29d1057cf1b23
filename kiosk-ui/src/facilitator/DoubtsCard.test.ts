import { expect, test } from 'vitest';
import DoubtsCard from './DoubtsCard.svelte';
import { Kiosk, refused, show, viewOf } from './testing';

function open(name: string) {
  const kiosk = new Kiosk();
  return { kiosk, ...show(DoubtsCard, { view: viewOf(name), send: kiosk.send }) };
}

test('lost presses are added, phantom ones taken off, and both may be left', async () => {
  const { kiosk, find, press } = open('doubts');
  expect(find('correct-41').textContent).toContain('Tambah 3');
  expect(find('correct-47').textContent).toContain('Kurangi 2');
  press('correct-41');
  await kiosk.answer();
  press('leave-47');
  await kiosk.answer(refused);
  expect(kiosk.sent).toEqual([
    { do: 'settleDoubt', doubt: 41, correct: true },
    { do: 'settleDoubt', doubt: 47, correct: false },
  ]);
  expect(find('refusal').textContent).toContain('Pintu sudah ditutup.');
});

test('a time that nobody listened in cannot be corrected, only looked at', () => {
  const { kiosk, find, press } = open('doubts');
  expect(() => find('correct-44')).toThrow();
  expect(find('leave-44').textContent).toContain('Sudah diperiksa');
  press('leave-44');
  expect(kiosk.sent).toEqual([{ do: 'settleDoubt', doubt: 44, correct: false }]);
});

test('nothing is shown while nothing is in doubt', () => {
  expect(() => open('doors').find('doubts')).toThrow();
});
