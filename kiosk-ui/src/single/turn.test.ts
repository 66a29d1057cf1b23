import { expect, test } from 'vitest';
import { faces } from '../../test/faces';
import type { StageView, TouchView } from '../lib/protocol';
import { turn } from './turn';

const view = <V>(name: string) => {
  const face = faces.find((f) => f.name === name);
  if (!face) throw new Error(`no face ${name}`);
  return face.view as unknown as V;
};
const stage = (name: string) => view<StageView>(`stage-${name}`);
const touch = (name: string) => view<TouchView>(`touch-${name}`);

test('nothing is known yet', () => {
  expect(turn(null, null)).toBe('stage');
  expect(turn(null, touch('doors'))).toBe('stage');
});

test('the door', () => {
  expect(turn(stage('welcome'), touch('doors'))).toBe('touch');
  expect(turn(stage('welcome'), null)).toBe('stage');
  // A page that the facilitator chose for the projector is to be seen.
  expect(turn({ ...stage('welcome'), scene: 'join' }, touch('doors'))).toBe('stage');
  // The doors stay open while the film begins.
  expect(turn({ ...stage('welcome'), scene: 'film' }, touch('doors'))).toBe('stage');
});

test('a question', () => {
  const asked = stage('question-two');
  for (const [phase, whose] of [
    ['open', 'touch'],
    ['closed', 'stage'],
    ['revealed', 'stage'],
  ] as const) {
    const question = asked.question && { ...asked.question, phase };
    expect(turn({ ...asked, question }, { scene: 'question' }), phase).toBe(whose);
  }
});
