import { expect, test } from 'vitest';
import type { Class, Level, PartHealth } from './protocol';
import { foremost, groups, verdict } from './ready';

function part(name: string, level: Level, of?: Class): PartHealth {
  return { part: name, level, ...(of && { class: of }), message: { id: name, en: name } };
}

const buttons = part('buttons', 'problem', 'good_to_know');
const film = part('film', 'problem', 'should_not_begin');
const numbers = part('help_numbers', 'problem', 'should_not_begin');
const pack = part('pack', 'problem', 'cannot_begin');
const guidebook = part('guidebook', 'note', 'good_to_know');
const clock = part('clock', 'ok');

test('the worst class is the verdict', () => {
  expect(verdict([clock])).toBe('ready');
  expect(verdict([])).toBe('ready');
  expect(verdict([clock, guidebook, buttons])).toBe('ready');
  expect(verdict([guidebook, film])).toBe('should_not_begin');
  expect(verdict([guidebook, film, pack])).toBe('cannot_begin');
});

test('parts stand in groups, the worst class first', () => {
  const found = groups([buttons, clock, film, guidebook, pack]);
  expect(found.map((group) => group.class)).toEqual([
    'cannot_begin',
    'should_not_begin',
    'good_to_know',
  ]);
  expect(found[2]?.parts).toEqual([buttons, guidebook]);
});

test('a class of tomorrow, or none, is good to know', () => {
  const odd = part('odd', 'problem', 'never_heard_of' as Class);
  expect(verdict([odd, part('old', 'note')])).toBe('ready');
  expect(groups([odd, part('old', 'note')])[0]?.class).toBe('good_to_know');
});

test('in the evening a finding that nobody can mend hides no other', () => {
  expect(foremost([numbers, buttons, guidebook], false)).toBe(numbers);
  expect(foremost([buttons, numbers], false)).toBe(numbers);
  expect(foremost([numbers, buttons, guidebook], true)).toBe(buttons);
  expect(foremost([numbers, guidebook], true)).toBeUndefined();
});
