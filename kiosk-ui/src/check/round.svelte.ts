// The way through the guided check: which step it is, and what was found so far.

import type { CheckView } from '../lib/protocol';

export const steps = ['sound', 'projector', 'buttons', 'touch'] as const;
export type Step = (typeof steps)[number];
export type Place = 'start' | Step | 'result';

/** One check, from the first step to the result. `tell` says to the kiosk where it is. */
export class Round {
  place = $state<Place>('start');
  /** What the person said of each step. */
  found = $state<Partial<Record<Step, boolean>>>({});

  /** The steps of this box. */
  readonly asked: Step[];
  readonly #tell: (step: string) => void;

  constructor(tell: (step: string) => void, without: Step[] = []) {
    this.#tell = tell;
    this.asked = steps.filter((step) => !without.includes(step));
  }

  begin(): void {
    this.found = {};
    this.#go(this.asked[0] ?? 'result');
  }

  /** The line is back: the kiosk has forgotten where we were. */
  again(): void {
    if (this.place !== 'start') this.#tell(this.place);
  }

  /** The person says of the step whether it was right; then comes the next. */
  answer(step: Step, good: boolean, check: CheckView | undefined): void {
    if (this.place !== step) return; // a second finger
    this.found[step] = good;
    const rest = this.asked.slice(this.asked.indexOf(step) + 1);
    const next = rest.find((name) => name !== 'buttons' || (check?.buttons.length ?? 0) > 0);
    this.#go(next ?? 'result');
  }

  get bad(): Step[] {
    return steps.filter((step) => this.found[step] === false);
  }

  #go(place: Exclude<Place, 'start'>): void {
    this.place = place;
    this.#tell(place);
  }
}
