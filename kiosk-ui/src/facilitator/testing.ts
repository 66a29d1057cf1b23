// What the tests of the cards share: a place to mount them and a kiosk that answers.
import { type Component, flushSync, mount, unmount } from 'svelte';
import { onTestFinished } from 'vitest';
import { faces } from '../../test/faces';
import type { Answer } from '../lib/connection.svelte';
import type { CommandBody, FacilitatorView } from '../lib/protocol';

/** The view of a face of test/faces.ts. */
export function viewOf(name: string): FacilitatorView {
  const face = faces.find((f) => f.name === `facilitator-${name}`);
  if (!face) throw new Error(`there is no face facilitator-${name}`);
  return structuredClone(face.view) as FacilitatorView;
}

/** Takes commands down and answers each when told to. */
export class Kiosk {
  sent: CommandBody[] = [];
  #waiting: ((answer: Answer) => void)[] = [];

  send = (body: CommandBody): Promise<Answer> => {
    this.sent.push(body);
    return new Promise((answer) => this.#waiting.push(answer));
  };

  async answer(answer: Answer = { ok: true }): Promise<void> {
    this.#waiting.shift()?.(answer);
    await settled();
  }
}

export const refused: Answer = {
  ok: false,
  reason: 'doors_closed',
  message: { id: 'Pintu sudah ditutup.', en: 'The doors are closed.' },
};

/** Lets promises and what follows from them be done. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
  flushSync();
}

export function show<P extends Record<string, unknown>>(component: Component<P>, props: P) {
  const target = document.body.appendChild(document.createElement('div'));
  const mounted = mount(component, { target, props });
  flushSync();
  onTestFinished(async () => {
    await unmount(mounted);
    target.remove();
  });
  const find = (id: string): HTMLElement => {
    const found = target.querySelector<HTMLElement>(`[data-testid="${id}"]`);
    if (!found) throw new Error(`nothing is called ${id} in: ${target.innerHTML.slice(0, 400)}`);
    return found;
  };
  return {
    target,
    find,
    has: (id: string) => target.querySelector(`[data-testid="${id}"]`) !== null,
    press(id: string) {
      find(id).click();
      flushSync();
    },
  };
}
