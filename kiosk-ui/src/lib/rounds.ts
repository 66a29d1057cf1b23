import { t } from './i18n.svelte';
import type { Round, Step } from './protocol';

const early: Step[] = ['set_up', 'doors', 'poll_before'];

function key({ step, phase }: Round) {
  if (phase === 'before' || phase === 'after') return phase;
  if (step === 'film') return 'film';
  if (early.includes(step)) return phase === '' ? 'before' : 'again_before';
  return phase === '' ? 'after' : 'after_talking';
}

/** "Before the film", "after talking"; numbered when several rounds have the same name. */
export function roundName(round: Round, all: Round[]): string {
  const alike = all.filter((other) => key(other) === key(round));
  const name = t(`common.round.${key(round)}`);
  return alike.length > 1 ? `${name} ${alike.indexOf(round) + 1}` : name;
}
