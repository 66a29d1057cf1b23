// The texts of the pack and how they are recorded in one language: /api/voices.

import type { Language } from '../lib/i18n.svelte';
import type { Text } from '../lib/protocol';

export interface Line {
  key: string;
  text: Text;
  /** current: recorded here; outdated: the text has changed since; pack: it came with the pack. */
  state: '' | 'current' | 'outdated' | 'pack';
}

const unreachable: Text = {
  id: 'Kiosk tidak menjawab. Dekatkan ke kotak, periksa Wi-Fi, lalu coba lagi.',
  en: 'The kiosk did not answer. Come closer to the box, check the Wi-Fi, then try again.',
};

export class Voices {
  /** Those that the pack wants recorded. */
  languages = $state.raw<Language[]>([]);
  lines = $state.raw<Line[]>([]);
  trouble = $state.raw<Text | null>(null);
  busy = $state(false);
  /** Grows with each change, so that a browser does not play what it played before. */
  version = $state(0);

  /** Reads the languages, and the list in one of them. Never rejects; false: the PIN is needed again. */
  async look(lang: string): Promise<boolean> {
    try {
      const paths = ['/api/voices', `/api/voices/${lang}`];
      const answers = await Promise.all(paths.map((path) => fetch(path)));
      if (answers.some(({ status }) => status === 401)) return false;
      const bad = answers.find(({ ok }) => !ok);
      if (bad) throw new Error(`${bad.status}`);
      [this.languages, this.lines] = await Promise.all(answers.map((answer) => answer.json()));
      this.trouble = null;
    } catch {
      this.trouble = unreachable;
    }
    return true;
  }

  /** Whether it was kept; if not, trouble says why. */
  keep(lang: string, key: string, sound: Blob): Promise<boolean> {
    return this.#change('PUT', lang, key, sound);
  }

  forget(lang: string, key: string): Promise<boolean> {
    return this.#change('DELETE', lang, key);
  }

  async #change(method: string, lang: string, key: string, body?: Blob): Promise<boolean> {
    this.busy = true;
    this.trouble = null;
    try {
      const answer = await fetch(`/api/voices/${lang}/${key}`, { method, body });
      if (!answer.ok) {
        const refusal: { message?: Text } = await answer.json();
        this.trouble = refusal.message ?? unreachable;
        return false;
      }
      this.version++;
      return await this.look(lang);
    } catch {
      this.trouble = unreachable;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
