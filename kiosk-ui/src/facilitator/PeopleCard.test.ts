import { flushSync } from 'svelte';
import { expect, test } from 'vitest';
import PeopleCard from './PeopleCard.svelte';
import { Kiosk, refused, show, viewOf } from './testing';

function open(name: string) {
  const kiosk = new Kiosk();
  return { kiosk, ...show(PeopleCard, { view: viewOf(name), send: kiosk.send }) };
}

function write(field: HTMLElement, value: string) {
  (field as HTMLInputElement).value = value;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

test('every press at the door is sent, however fast they come', () => {
  const { kiosk, press } = open('doors');
  for (let i = 0; i < 3; i++) press('count-girl');
  expect(kiosk.sent).toEqual(Array(3).fill({ do: 'countAttendee', category: 'girl' }));
});

test('undo says whom it takes back', () => {
  const { find } = open('doors');
  expect(find('undo').textContent).toContain('Perempuan');
  expect((open('planned').find('undo') as HTMLButtonElement).disabled).toBe(true);
});

test('a row sends every group, and the next row is proposed', async () => {
  const { kiosk, find, press } = open('doors');
  write(find('row-name'), '2');
  write(find('row-woman'), '12');
  press('save-row');
  const counts = { woman: 12, man: 0, girl: 0, boy: 0 };
  expect(kiosk.sent).toEqual([{ do: 'countRow', row: '2', counts }]);
  await kiosk.answer();
  expect((find('row-name') as HTMLInputElement).value).toBe('3');
  expect((find('row-woman') as HTMLInputElement).value).toBe('');
});

test('a refused correction keeps what was written', async () => {
  const { kiosk, find, press } = open('doors');
  press('correct-man');
  press('correct-less');
  press('correct-less');
  write(find('correct-reason'), 'pulang');
  press('save-correction');
  expect(kiosk.sent).toEqual([
    { do: 'correctAttendance', category: 'man', delta: -2, reason: 'pulang' },
  ]);
  await kiosk.answer(refused);
  expect((find('correct-reason') as HTMLInputElement).value).toBe('pulang');
  expect(find('refusal').textContent).toContain('Pintu sudah ditutup.');
});
