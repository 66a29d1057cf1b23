import { untrack } from 'svelte';
import type { Playback } from '../lib/protocol';

const tick = 500; // ms
const farthest = 6_000; // ms: the kiosk tells the position every 3 s; after that nobody knows

/** Where the film is now: the last position that the kiosk told, carried on while it plays. */
export class Position {
  #told = $state.raw({ epoch: -1, at: 0, playing: false, since: 0 });
  #duration = $state(0);
  #now = $state(0);

  /** To be made while a component is being made: it follows until that one goes. */
  constructor(playback: () => Playback) {
    $effect.pre(() => {
      const { epoch, at, playing, duration } = playback();
      this.#duration = duration;
      const old = untrack(() => this.#told);
      if (old.epoch === epoch && old.at === at && old.playing === playing) return;
      this.#now = performance.now();
      this.#told = { epoch, at, playing, since: this.#now };
    });
    $effect(() => {
      if (!this.#told.playing) return;
      const timer = setInterval(() => {
        this.#now = performance.now();
      }, tick);
      return () => clearInterval(timer);
    });
  }

  /** ms */
  get at(): number {
    const { at, playing, since } = this.#told;
    if (!playing) return at;
    const now = at + Math.min(farthest, Math.max(0, this.#now - since));
    return this.#duration > 0 ? Math.min(this.#duration, now) : now;
  }
}
