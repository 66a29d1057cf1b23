import type { Answer } from '../lib/connection.svelte';
import type { CommandBody, Text } from '../lib/protocol';

export type Send = (body: CommandBody) => Promise<Answer>;

const soon = 300; // ms: an answer that comes sooner needs no "wait"

/** What became of the commands of one button or form; Outcome.svelte says it in words. */
export class Deed {
  refusal = $state.raw<Text | null>(null);
  /** An answer takes longer than one would notice. */
  slow = $state(false);

  #send: Send;
  #open = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  get busy(): boolean {
    return this.#open > 0;
  }

  /** Sends and waits; gives whether it was done. Never rejects. */
  async do(body: CommandBody): Promise<boolean> {
    this.refusal = null;
    this.#open += 1;
    this.#timer ??= setTimeout(() => {
      this.slow = true;
    }, soon);
    const answer = await this.#send(body);
    this.#open -= 1;
    if (this.#open === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.slow = false;
    }
    if (!answer.ok && answer.reason !== 'closed') this.refusal = answer.message;
    return answer.ok;
  }
}
