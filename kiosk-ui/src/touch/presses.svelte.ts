// Counting at the door. A press goes to the kiosk at once; the number grows only with the
// kiosk's own view, after the commit.

import type { Connection } from '../lib/connection.svelte';
import type { Text, TouchView } from '../lib/protocol';

type Line = Pick<Connection<TouchView>, 'view' | 'send'>;

const feltFor = 600; // ms that "+1" stays
const refusalStays = 5_000;

export class Presses {
  /** "+1" signs that are still up. */
  felt = $state.raw<{ n: number; category: string }[]>([]);
  /** Presses that are not answered yet, oldest first. */
  waiting = $state.raw<string[]>([]);
  undoing = $state(false);
  refusal = $state.raw<Text | null>(null);

  #line: Line;
  #n = 0;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #refusalTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  /** What undo takes back: commands are carried out in order, so a waiting press is later. */
  get last(): string | null {
    return this.waiting.at(-1) ?? this.#line.view?.last ?? null;
  }

  async count(category: string): Promise<void> {
    this.#n += 1;
    const sign = { n: this.#n, category };
    this.felt = [...this.felt, sign];
    this.#after(feltFor, () => {
      this.felt = this.felt.filter((s) => s !== sign);
    });
    this.waiting = [...this.waiting, category];
    const answer = await this.#line.send({ do: 'countAttendee', category });
    this.waiting = without(this.waiting, category);
    if (!answer.ok && answer.reason !== 'closed') this.#say(answer.message);
  }

  /** One at a time: a second press on the button would take back what it did not name. */
  async undo(): Promise<void> {
    if (this.undoing || this.last === null) return;
    this.undoing = true;
    const answer = await this.#line.send({ do: 'undoCount' });
    this.undoing = false;
    if (!answer.ok && answer.reason !== 'closed') this.#say(answer.message);
  }

  close(): void {
    clearTimeout(this.#refusalTimer);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #say(message: Text): void {
    this.refusal = message;
    clearTimeout(this.#refusalTimer);
    this.#refusalTimer = setTimeout(() => {
      this.refusal = null;
    }, refusalStays);
  }

  #after(time: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, time);
    this.#timers.add(timer);
  }
}

/** The list less the oldest such press. */
function without(list: string[], item: string): string[] {
  const place = list.indexOf(item);
  return list.filter((_, i) => i !== place);
}
