// Reads a question aloud for people who do not read: its text, then each option, one sound
// after the other, as the kiosk gives them at /voice/LANG/KEY.

import { untrack } from 'svelte';
import type { Question } from './protocol';

const pause = 350; // ms between two sentences

// The keys are those of Question.Spoken in internal/screening/programme.go.
const keyOf = (question: Question) => `questions.${question.id}`;

/** What an option is called while it is said. */
export const optionKey = (question: Question, option: string) =>
  `${keyOf(question)}.options.${option}`;

/** What is read of a question, in order. */
export function sentences(question: Question): string[] {
  const key = keyOf(question);
  if (question.phase === 'revealed') {
    return question.explanation ? [`${key}.text`, `${key}.explanation`] : [`${key}.text`];
  }
  return [`${key}.text`, ...question.options.map(({ id }) => optionKey(question, id))];
}

export class Reader {
  /** The key of what is being said, to light it up; '' in silence. */
  saying = $state('');
  /** From the first sentence to the last. */
  reading = $state(false);

  #turn = 0;
  #sound: HTMLAudioElement | null = null;

  /** Reads in the place of what it was reading. Ends by itself, also where there is no sound. */
  async read(keys: string[], lang: string, volume: number): Promise<void> {
    this.stop();
    const turn = ++this.#turn;
    const load = (key: string | undefined) => {
      if (!key) return null;
      const sound = new Audio(`/voice/${lang}/${key}`);
      sound.preload = 'auto';
      sound.volume = Math.min(1, Math.max(0, volume / 100));
      return sound;
    };
    this.reading = true;
    let next = load(keys[0]);
    for (const [n, key] of keys.entries()) {
      const sound = next;
      next = load(keys[n + 1]); // made while the one before is heard
      if (!sound) break;
      this.#sound = sound;
      this.saying = key;
      await said(sound);
      if (turn !== this.#turn) return;
      this.saying = '';
      await new Promise((done) => setTimeout(done, pause));
      if (turn !== this.#turn) return;
    }
    this.stop();
  }

  stop(): void {
    this.#turn++;
    this.#sound?.pause();
    this.#sound = null;
    this.saying = '';
    this.reading = false;
  }
}

/** Resolves when a sound has been heard, or cannot be: the next may be heard all the same. */
function said(sound: HTMLAudioElement): Promise<void> {
  return new Promise((done) => {
    for (const end of ['ended', 'error', 'pause'] as const) {
      sound.addEventListener(end, () => done(), { once: true });
    }
    sound.play().catch(() => done());
  });
}

/**
 * On the projector: reads a question when it opens, and whenever the facilitator asks
 * again. What was open already when the page came is not read: after a power cut the hall
 * has heard it. Call it in an effect with each view.
 */
export class OpenedQuestions {
  #before: { open: string; again: number } | null = null;

  constructor(readonly reader: Reader) {}

  see(
    view: {
      question: Question | null;
      lang: string;
      voice?: { on: boolean; again: number; volume: number };
    },
    speaks: boolean,
  ): void {
    untrack(() => {
      const q = view.question;
      const open = q?.phase === 'open' ? `${q.id} ${q.round}` : '';
      const again = view.voice?.again ?? 0;
      const before = this.#before;
      this.#before = { open, again };
      if (!q || !view.voice || !speaks) {
        this.reader.stop();
        return;
      }
      if (!before) return;
      const opened = open !== '' && open !== before.open;
      if ((opened && view.voice.on) || again > before.again) {
        void this.reader.read(sentences(q), view.lang, view.voice.volume);
      } else if (open !== before.open) {
        this.reader.stop(); // closed, or another one
      }
    });
  }
}
