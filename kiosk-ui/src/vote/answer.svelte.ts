// This phone's answer to the question on the screen: what is pressed, what is on its way,
// and what the kiosk has saved. Only the last is shown as saved.

import type { Connection } from '../lib/connection.svelte';
import type { Question, Text, VoteView } from '../lib/protocol';

type Line = Pick<Connection<VoteView>, 'view' | 'mine' | 'send'>;

export class Answer {
  /** Sent, and not answered yet: the newest of them. */
  sending = $state.raw<string[] | null>(null);
  /** Ticked in a question of several choices, and not sent yet. */
  draft = $state.raw<string[] | null>(null);
  refusal = $state.raw<Text | null>(null);

  #line: Line;
  #newest = 0;

  constructor(line: Line) {
    this.#line = line;
  }

  /** What the kiosk has saved: null without a ballot, [] when skipped. */
  get saved(): string[] | null {
    const { mine } = this.#line;
    const question = this.#line.view?.question;
    const same = mine && mine.question === question?.id && mine.round === question.round;
    return same ? mine.choices : null;
  }

  /** What the cards show as picked, in whatever stage. */
  get shown(): string[] {
    return this.draft ?? this.sending ?? this.saved ?? [];
  }

  pick(question: Question, option: string): void {
    if (question.kind === 'several') {
      const now = this.shown;
      const next = now.includes(option) ? now.filter((id) => id !== option) : [...now, option];
      this.draft = question.options.map((o) => o.id).filter((id) => next.includes(id));
    } else {
      void this.#cast(question, [option]);
    }
  }

  sendDraft(question: Question): void {
    if (this.draft && this.draft.length > 0) void this.#cast(question, this.draft);
  }

  skip(question: Question): void {
    void this.#cast(question, []);
  }

  /** Another question or round has come. */
  forget(): void {
    this.draft = null;
    this.sending = null;
    this.refusal = null;
  }

  async #cast(question: Question, choices: string[]): Promise<void> {
    this.draft = null;
    this.refusal = null;
    const standing = this.sending ?? this.saved;
    if (standing && standing.join() === choices.join()) return; // a double tap
    this.#newest += 1;
    const mine = this.#newest;
    this.sending = choices;
    const answer = await this.#line.send({
      do: 'castBallot',
      question: question.id,
      round: question.round,
      choices,
    });
    if (mine !== this.#newest) return; // changed again meanwhile
    this.sending = null;
    const still = this.#line.view?.question?.id === question.id;
    if (!answer.ok && answer.reason !== 'closed' && still) this.refusal = answer.message;
  }
}
