import { expect, test } from 'vitest';
import type { Round } from './protocol';
import { roundName } from './rounds';

const round = (n: number, step: Round['step'], phase: Round['phase']): Round => ({
  n,
  step,
  phase,
  ballots: 20,
  skipped: 0,
});

test('a round has the name of its figure, not of its step', () => {
  const all = [
    round(1, 'poll_before', 'before'),
    round(2, 'poll_before', 'after_talking'),
    round(3, 'film', 'after_talking'),
    round(4, 'discussion', 'after'),
    round(5, 'discussion', 'after_talking'),
    round(6, 'discussion', 'after_talking'),
  ];
  expect(all.map((one) => roundName(one, all))).toEqual([
    'Sebelum film',
    'Sebelum film, ditanya lagi',
    'Di tengah film',
    'Sesudah film',
    'Sesudah berbincang 1',
    'Sesudah berbincang 2',
  ]);
});

test('a round that nobody has answered yet is named by its step', () => {
  const names = (['poll_before', 'film', 'discussion'] as const).map((step) => {
    const one = round(1, step, '');
    return roundName(one, [one]);
  });
  expect(names).toEqual(['Sebelum film', 'Di tengah film', 'Sesudah film']);
});
