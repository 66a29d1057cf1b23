// One person's turn at the screen, from the first tap to the end of the thank-you.

import type { Connection } from '../lib/connection.svelte';
import type { Question, Text, TouchView } from '../lib/protocol';

type Line = Pick<Connection<TouchView>, 'view' | 'send' | 'ballots'>;
export type Phase = 'fresh' | 'sending' | 'thanks' | 'refused';

const slowAfter = 300; // ms until "saving" is said
const refusalStays = 4_000;

/**
 * Each ballot goes to the kiosk at once, and nobody can vote until it is answered. Then
 * `thanks` for view.thankYou ms, and the next turn begins with nothing of this one left.
 */
export class Ballot {
  phase = $state<Phase>('fresh');
  /** Half chosen (several), or just pressed. */
  chosen = $state.raw<string[]>([]);
  /** The answer takes long enough to say so. */
  slow = $state(false);
  /** Why the ballot was not taken. */
  refusal = $state.raw<Text | null>(null);
  /** Grows with every turn: what is drawn for one is drawn anew for the next. */
  turn = $state(0);

  #line: Line;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  /** Whether a tap counts: one from before a reload may still wait for the kiosk. */
  get free(): boolean {
    return this.phase === 'fresh' && this.#line.ballots === 0;
  }

  tap(question: Question, option: string): void {
    if (!this.free) return;
    if (question.kind !== 'several') {
      this.chosen = [option];
      void this.#cast(question);
    } else if (this.chosen.includes(option)) {
      this.chosen = this.chosen.filter((id) => id !== option);
    } else {
      this.chosen = [...this.chosen, option];
    }
  }

  finish(question: Question): void {
    if (this.free && this.chosen.length > 0) void this.#cast(question);
  }

  skip(question: Question): void {
    if (!this.free) return;
    this.chosen = [];
    void this.#cast(question);
  }

  /** Nobody has touched the screen for long, or there is another question. */
  forget(): void {
    if (this.phase !== 'sending') this.chosen = [];
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #cast(question: Question): Promise<void> {
    this.phase = 'sending';
    this.#timer = setTimeout(() => {
      this.slow = true;
    }, slowAfter);
    const choices = question.options.map((o) => o.id).filter((id) => this.chosen.includes(id));
    const answer = await this.#line.send({
      do: 'castBallot',
      question: question.id,
      round: question.round,
      choices,
    });
    if (answer.ok) {
      this.chosen = [];
      this.#stay('thanks', this.#line.view?.thankYou ?? 1_500);
    } else if (answer.reason === 'too_soon' || answer.reason === 'closed') {
      this.#next(); // a double tap, or the page is going: nobody needs a sentence
    } else {
      this.refusal = answer.message;
      this.#stay('refused', refusalStays);
    }
    if (question.kind !== 'several') this.chosen = [];
  }

  #stay(phase: Phase, time: number): void {
    this.#next(phase);
    this.#timer = setTimeout(() => this.#next(), time);
  }

  #next(phase: Phase = 'fresh'): void {
    clearTimeout(this.#timer);
    this.slow = false;
    if (phase === 'fresh') {
      this.refusal = null;
      this.turn += 1;
    }
    this.phase = phase;
  }
}
