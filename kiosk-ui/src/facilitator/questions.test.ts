import { expect, test } from 'vitest';
import type { QuestionRow } from '../lib/protocol';
import { groups, standing } from './questions';
import { viewOf } from './testing';

const row = (change: Partial<QuestionRow>): QuestionRow => ({
  id: 'k1',
  kind: 'single',
  text: { id: 'Umur?' },
  ask: ['poll_before', 'discussion'],
  phase: 'closed',
  rounds: [{ n: 1, step: 'poll_before', ballots: 47 }],
  ...change,
});

test('how a question stands is told for each step by itself', () => {
  expect(standing(row({}), 'poll_before')).toEqual({ phase: 'closed', ballots: 47 });
  expect(standing(row({}), 'discussion')).toEqual({ phase: 'unasked', ballots: 0 });
  const both = row({
    phase: 'open',
    rounds: [
      { n: 1, step: 'poll_before', ballots: 47 },
      { n: 2, step: 'discussion', ballots: 3 },
      { n: 3, step: 'discussion', ballots: 5 },
    ],
  });
  expect(standing(both, 'poll_before')).toEqual({ phase: 'asked', ballots: 47 });
  expect(standing(both, 'discussion')).toEqual({ phase: 'open', ballots: 5 });
});

test('questions of a pause point belong to the film', () => {
  const view = viewOf('planned');
  view.questions.push(row({ id: 'k3', ask: [] }));
  const [before, during, after] = groups(view);
  expect(before?.rows.map((q) => q.id)).toEqual(['k1', 'k4', 'k5', 'o3']);
  expect(during?.rows.map((q) => q.id)).toEqual(['k3']);
  expect(after?.rows.map((q) => q.id)).toEqual(['k1', 'k4', 'k5', 'o3', 'o4']);
  expect(before?.others.map((q) => q.id)).toEqual(['o4', 'k3']);
});
