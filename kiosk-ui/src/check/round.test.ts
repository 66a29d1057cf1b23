import { expect, test } from 'vitest';
import type { CheckView } from '../lib/protocol';
import { Round } from './round.svelte';

const check: CheckView = {
  step: '',
  number: 7,
  stages: 1,
  buttons: [{ name: '1', label: { id: 'Satu' } }],
  pressed: [],
  health: [],
  classes: {},
};

function begun(): { round: Round; told: string[] } {
  const told: string[] = [];
  const round = new Round((step) => told.push(step));
  round.begin();
  return { round, told };
}

test('goes from step to step, tells the kiosk, and gathers what was wrong', () => {
  const { round, told } = begun();
  round.answer('sound', true, check);
  round.answer('projector', false, check);
  round.answer('buttons', true, check);
  round.answer('touch', false, check);
  expect(round.place).toBe('result');
  expect(round.bad).toEqual(['projector', 'touch']);
  expect(told).toEqual(['sound', 'projector', 'buttons', 'touch', 'result']);
  round.begin();
  expect([round.place, round.bad]).toEqual(['sound', []]);
});

test('a box without buttons is asked for none', () => {
  const { round, told } = begun();
  round.answer('sound', true, check);
  round.answer('projector', true, { ...check, buttons: [] });
  expect(told).toEqual(['sound', 'projector', 'touch']);
});

test('a kiosk with one screen is asked for no projector', () => {
  const told: string[] = [];
  const round = new Round((step) => told.push(step), ['projector']);
  round.begin();
  round.answer('sound', true, check);
  expect(told).toEqual(['sound', 'buttons']);
});

test('a second finger answers nothing, and a new line is told the step', () => {
  const { round, told } = begun();
  round.answer('sound', false, check);
  round.answer('sound', true, check);
  expect([round.place, round.found]).toEqual(['projector', { sound: false }]);
  round.again();
  expect(told.at(-1)).toBe('projector');
});
