import { flushSync } from 'svelte';
import { expect, test } from 'vitest';
import QuestionsCard from './QuestionsCard.svelte';
import { Kiosk, show, viewOf } from './testing';

test('what a person has opened stays open while votes come in; a new step begins with its own', () => {
  const props = $state({ view: viewOf('poll-open'), send: new Kiosk().send });
  const { find } = show(QuestionsCard, props);
  const isOpen = (name: string) => find(name).closest('details')?.open;
  expect([isOpen('group-poll_before'), isOpen('group-discussion')]).toEqual([true, false]);

  for (const name of ['group-poll_before', 'group-discussion']) {
    const details = find(name).closest('details') as HTMLDetailsElement;
    details.open = !details.open;
    details.dispatchEvent(new Event('toggle'));
  }
  flushSync();
  props.view = { ...viewOf('poll-open') }; // another ballot, another view
  flushSync();
  expect([isOpen('group-poll_before'), isOpen('group-discussion')]).toEqual([false, true]);

  props.view = { ...viewOf('poll-open'), step: 'film' };
  flushSync();
  expect([isOpen('group-film'), isOpen('group-discussion')]).toEqual([true, false]);
});

test('a question that lacks a translation says in which languages', () => {
  const view = viewOf('poll-open');
  view.languages = [
    { code: 'id', name: 'Bahasa Indonesia' },
    { code: 'aoz', name: 'Uab Meto' },
    { code: 'tet', name: 'Tetun' },
  ];
  for (const q of view.questions) delete q.untranslated;
  const { target } = show(QuestionsCard, { view, send: new Kiosk().send });
  expect(target.querySelector('[data-testid=untranslated]')).toBeNull();

  for (const q of view.questions) if (q.id === 'k1') q.untranslated = ['aoz', 'tet'];
  const marked = show(QuestionsCard, { view, send: new Kiosk().send });
  expect(marked.find('question-k1').textContent).toContain('belum diterjemahkan: Uab Meto, Tetun');
  expect(marked.find('question-k4').textContent).not.toContain('diterjemahkan');
});

test('nothing else can be asked while a question is open', () => {
  const props = { view: viewOf('poll-open'), send: new Kiosk().send };
  const { has } = show(QuestionsCard, props);
  expect(has('open-k4')).toBe(false);
  const closed = { ...viewOf('poll-open'), current: null };
  expect(show(QuestionsCard, { ...props, view: closed }).has('open-k4')).toBe(true);
});
