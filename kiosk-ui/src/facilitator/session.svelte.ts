// Who sits before this page: /api/sign-in and /api/pin.

import type { Text } from '../lib/protocol';

/** What the kiosk says of this device. */
interface Found {
  pinSet: boolean;
  signedIn: boolean;
  maySetPin: boolean;
  lockedSeconds: number;
}

/**
 * looking: not answered yet; unreachable: asked again every few seconds; first: a PIN is to be
 * set here; elsewhere: it is to be set on the kiosk's own screen; pin: it is to be entered.
 */
export type Face = 'looking' | 'unreachable' | 'first' | 'elsewhere' | 'pin' | 'in';

const again = 3_000; // ms, while the answer may change by itself

const unreachable: Text = {
  id: 'Kiosk tidak menjawab. Dekatkan ponsel ke kotak, periksa Wi-Fi, lalu coba lagi.',
  en: 'The kiosk did not answer. Come closer to the box, check the Wi-Fi, then try again.',
};

export class Session {
  face = $state<Face>('looking');
  /** Whole seconds until a PIN may be tried again; counts down by itself. */
  lockedFor = $state(0);

  #lookAgain: ReturnType<typeof setTimeout> | undefined;
  #second: ReturnType<typeof setInterval> | undefined;

  /** Asks the kiosk. Never rejects. */
  async look(): Promise<void> {
    clearTimeout(this.#lookAgain);
    const before = this.face;
    try {
      const answer = await fetch('/api/sign-in');
      if (!answer.ok) throw new Error(`${answer.status}`);
      this.#found(await answer.json());
    } catch {
      // A signed-in page stays: its own line says that it is offline.
      if (before !== 'in') this.face = 'unreachable';
    }
    if (this.face === 'unreachable' || this.face === 'elsewhere') {
      this.#lookAgain = setTimeout(() => this.look(), again);
    }
  }

  /** Gives the sentence of the refusal, or null: signed in. */
  signIn(pin: string): Promise<Text | null> {
    return this.#post('/api/sign-in', { pin });
  }

  /** Sets or changes the PIN; old is '' the first time. */
  setPin(pin: string, old: string): Promise<Text | null> {
    return this.#post('/api/pin', old ? { pin, old } : { pin });
  }

  async signOut(): Promise<void> {
    try {
      await fetch('/api/sign-out', { method: 'POST' });
    } catch {
      // The next look tells what is so.
    }
    await this.look();
  }

  /** Ends the timers. */
  close(): void {
    clearTimeout(this.#lookAgain);
    clearInterval(this.#second);
  }

  #found(found: Found): void {
    this.#lock(found.lockedSeconds);
    if (found.signedIn) this.face = 'in';
    else if (found.pinSet) this.face = 'pin';
    else this.face = found.maySetPin ? 'first' : 'elsewhere';
  }

  async #post(path: string, body: object): Promise<Text | null> {
    try {
      const answer = await fetch(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (answer.ok) {
        this.#lock(0);
        this.face = 'in';
        return null;
      }
      const refusal: { message?: Text; lockedSeconds?: number } = await answer.json();
      this.#lock(refusal.lockedSeconds ?? 0);
      return refusal.message ?? unreachable;
    } catch {
      return unreachable;
    }
  }

  #lock(seconds: number): void {
    clearInterval(this.#second);
    this.lockedFor = Math.max(0, Math.ceil(seconds));
    if (this.lockedFor === 0) return;
    const until = performance.now() + seconds * 1000;
    this.#second = setInterval(() => {
      this.lockedFor = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      if (this.lockedFor === 0) clearInterval(this.#second);
    }, 500);
  }
}
