import { expect, test } from 'vitest';
import type { Question } from './protocol';
import { OpenedQuestions, type Reader, sentences } from './reader.svelte';

const question = (change: Partial<Question> = {}): Question => ({
  id: 'k1',
  kind: 'single',
  text: { id: 'Umur?' },
  options: [
    { id: '15', text: { id: '15' }, icon: '' },
    { id: '18', text: { id: '18' }, icon: '' },
  ],
  phase: 'open',
  round: 1,
  ballots: 0,
  ...change,
});

function projector() {
  const said: string[] = [];
  const reader = {
    read: async (keys: string[], lang: string, volume: number) => {
      said.push(`${keys[0]} ${keys.length} ${lang} ${volume}`);
    },
    stop: () => said.push('stop'),
  };
  const opened = new OpenedQuestions(reader as unknown as Reader);
  const see = (q: Question | null, voice = { on: true, again: 0, volume: 80 }, speaks = true) => {
    said.length = 0;
    opened.see({ question: q, lang: 'id', voice }, speaks);
    return [...said];
  };
  return { see };
}

const read = 'questions.k1.text 3 id 80';

test('a question is read when it opens, once', () => {
  const { see } = projector();
  see(null);
  expect(see(question())).toEqual([read]);
  expect(see(question({ ballots: 5 }))).toEqual([]);
  expect(see(question({ phase: 'closed' }))).toEqual(['stop']);
  expect(see(question({ round: 2 }))).toEqual([read]);
  expect(see(null)).toEqual(['stop']);
});

test('one that was open before the page came is not read', () => {
  const { see } = projector();
  expect(see(question())).toEqual([]);
  expect(see(question(), { on: true, again: 7, volume: 80 })).toEqual([read]);
});

test('silence, a mirror, and the wish to hear it', () => {
  const { see } = projector();
  const silent = (again: number) => ({ on: false, again, volume: 80 });
  see(null, silent(3));
  expect(see(question(), silent(3))).toEqual(['stop']);
  expect(see(question(), silent(9))).toEqual([read]);
  expect(see(question(), silent(12), false)).toEqual(['stop']);
});

test('a revealed question is read with its explanation', () => {
  expect(sentences(question({ phase: 'revealed', explanation: { id: 'Karena.' } }))).toEqual([
    'questions.k1.text',
    'questions.k1.explanation',
  ]);
});
