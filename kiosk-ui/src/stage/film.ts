// Makes a <video> follow the kiosk's Playback and says what it sees. It knows nothing of
// views: Film.svelte gives it what is wanted, tests give it a made-up video.
//
// Where the film stands is decided by the kiosk only at a new epoch and when the video is
// loaded. At any other time the video goes on where it is, whatever `at` a view carries:
// a kiosk that was away for a while knows an older place than this page.

import type { Playback, PlayerReport } from '../lib/protocol';

export type FilmState = PlayerReport['state'];
export type Trouble = 'network' | 'decode' | 'format';

export interface Wanted {
  playback: Playback;
  pausePoints: { at: number }[]; // ms
  /** This page plays the sound, halts at pause points and reports; others are silent mirrors. */
  leads: boolean;
}

export interface Duties {
  source: string;
  report: (report: PlayerReport) => void;
  changed: (state: FilmState) => void;
  /** The sentence for a trouble, in the language of the stage. */
  words: (trouble: Trouble) => string;
  /** Rejects, as play() does, where the browser wants a touch before it lets sound through. */
  trySound: () => Promise<void>;
}

const tick = 1_000; // ms between reports while it plays
const mostTries = 5; // reloads in a row; then the facilitator must do something
const firstRetry = 1_000; // ms, doubled at each
const longestRetry = 8_000;
const stuckTicks = 15; // ticks without enough data until the source is loaded again
const soundTicks = 10; // ticks of playing after which earlier troubles are forgotten

const watched = [
  'loadstart',
  'durationchange',
  'canplay',
  'play',
  'waiting',
  'seeking',
  'ended',
] as const;

function isRefusal(error: unknown): boolean {
  return (error as { name?: string } | null)?.name === 'NotAllowedError';
}

export class FilmPlayer {
  #video: HTMLVideoElement;
  #duties: Duties;
  #wanted: Wanted | null = null;
  #epoch: number | null = null; // the one that the video is in
  #target: number | null = null; // ms; where it is to go and is not yet
  #seen = 0; // ms; the place at the last look
  #begun = false; // it has played since the page was opened
  #halt: number | null = null; // pause point at which it halted, until the kiosk knows
  #blocked = false; // may not play
  #forbidden = false; // found out before it is to play
  #failure: string | null = null;
  #tries = 0;
  #stuck = 0;
  #sound = 0;
  #state: FilmState = 'loading';
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ticking: ReturnType<typeof setInterval>;
  #listening = new AbortController();
  #frame = 0;

  /** Begins to load at once. close() ends it. */
  constructor(video: HTMLVideoElement, duties: Duties) {
    this.#video = video;
    this.#duties = duties;
    const on = (name: string, act: () => void) =>
      video.addEventListener(name, act, { signal: this.#listening.signal });
    for (const name of watched) on(name, () => this.#changed());
    on('loadedmetadata', () => this.#arriving());
    on('loadeddata', () => this.#loaded());
    on('seeked', () => this.#arrived());
    on('playing', () => this.#playing());
    on('pause', () => this.#paused());
    on('timeupdate', () => this.#look());
    on('error', () => this.#failed());
    // A hidden page gets no frames, but timeupdate: pause points are looked for in both.
    if ('requestVideoFrameCallback' in video) {
      const look = () => {
        this.#look();
        this.#frame = video.requestVideoFrameCallback(look);
      };
      this.#frame = video.requestVideoFrameCallback(look);
    }
    this.#ticking = setInterval(() => this.#tick(), tick);
    video.muted = true; // until it is known that this page leads
    video.preload = 'auto';
    video.src = duties.source;
  }

  get state(): FilmState {
    const video = this.#video;
    if (this.#failure !== null) return 'failed';
    if (this.#blocked || (this.#forbidden && !this.#wanted?.playback.playing)) return 'blocked';
    if (this.#target !== null || video.readyState < 2) return 'loading';
    if (video.ended) return 'ended';
    if (!video.paused) return video.readyState < 3 ? 'loading' : 'playing';
    return this.#begun ? 'paused' : 'ready';
  }

  /** Does what the newest view wants. */
  follow(wanted: Wanted): void {
    const led = this.#wanted?.leads ?? false;
    this.#wanted = wanted;
    const { playback, leads } = wanted;
    if (playback.epoch !== this.#epoch) {
      this.#epoch = playback.epoch;
      this.#halt = null;
      this.#goTo(playback.at);
      if (this.#failure !== null) this.#reload(); // elsewhere it may be sound
    }
    if (!playback.playing) this.#blocked = false;
    // A halt that the kiosk knows of is over when the film is to play on, even if the view
    // in between did not come.
    const known = this.#halt !== null && playback.passed === this.#halt + 1;
    if (!playback.playing || !playback.usePausePoints || !leads || known) this.#halt = null;
    this.#video.muted = !leads;
    this.#video.volume = Math.min(100, Math.max(0, playback.volume)) / 100;
    this.#showSubtitles();
    this.#steer();
    if (leads && !led) {
      this.#report();
      this.#trySound();
    }
    if (!leads) this.#forbidden = false;
    this.#changed();
  }

  /** The line to the kiosk is there again: it may have missed something, and have the film back. */
  connected(): void {
    this.#report();
    if (this.#failure !== null) {
      this.#tries = 0;
      this.#reload();
    }
  }

  /** Call it while a touch or a key is handled: only then may a blocked player begin. */
  allow(): void {
    if (!this.#blocked && !this.#forbidden) return;
    this.#blocked = this.#forbidden = false;
    this.#trySound();
    this.#steer();
    this.#changed();
  }

  close(): void {
    this.#listening.abort();
    clearInterval(this.#ticking);
    clearTimeout(this.#retry);
    if (this.#frame) this.#video.cancelVideoFrameCallback(this.#frame);
    this.#video.pause();
    this.#video.removeAttribute('src');
    this.#video.load(); // lets go of the connection
  }

  #steer(): void {
    const video = this.#video;
    if (!this.#wanted || this.#failure !== null) return;
    const over = video.ended && this.#target === null; // play() would begin it anew
    const play = this.#wanted.playback.playing && this.#halt === null && !this.#blocked && !over;
    if (play && video.paused) {
      video.play().catch((error: unknown) => this.#refused(error));
    } else if (!play && !video.paused) {
      video.pause();
    }
  }

  /** Only the browser's rule against sound counts; the rest comes as an error event or was us. */
  #refused(error: unknown): void {
    if (!isRefusal(error)) return;
    if (!this.#wanted?.playback.playing) return;
    this.#blocked = true;
    this.#changed();
  }

  /** Better known while there is time to touch the screen than when the hall is dark. */
  #trySound(): void {
    this.#duties.trySound().catch((error: unknown) => {
      this.#forbidden = isRefusal(error) && (this.#wanted?.leads ?? false);
      this.#changed();
    });
  }

  #goTo(ms: number): void {
    this.#target = ms;
    this.#seen = ms;
    if (this.#video.readyState >= 1) this.#video.currentTime = ms / 1000;
  }

  #arriving(): void {
    const target = this.#target ?? this.#seen;
    this.#showSubtitles(); // the browser has chosen tracks of its own
    if (target === this.#now()) this.#target = null;
    else this.#goTo(target);
    this.#changed();
  }

  #arrived(): void {
    if (this.#video.seeking) return; // a newer target is on its way
    this.#target = null;
    this.#seen = this.#now();
    this.#steer();
    this.#changed();
  }

  #loaded(): void {
    this.#failure = null;
    this.#steer();
    this.#changed();
  }

  #playing(): void {
    this.#begun = true;
    this.#blocked = this.#forbidden = false;
    this.#changed();
  }

  /** The browser pauses too: when a silent page gets its sound, or by a key of the keyboard. */
  #paused(): void {
    this.#steer();
    if (!this.#changed()) this.#report(false); // where exactly it stands
  }

  /** Halts at a pause point that the film has just run over. */
  #look(): void {
    if (this.#target !== null || this.#video.seeking || this.#video.readyState < 1) return;
    const from = this.#seen;
    this.#seen = this.#now();
    const wanted = this.#wanted;
    if (!wanted?.leads || !wanted.playback.playing || !wanted.playback.usePausePoints) return;
    if (this.#halt !== null || this.#video.paused) return;
    const { passed } = wanted.playback;
    const n = wanted.pausePoints.findIndex(
      ({ at }, i) => from < at && at <= this.#seen && i + 1 !== passed,
    );
    if (n < 0) return;
    this.#halt = n;
    this.#video.pause();
    this.#changed();
  }

  #tick(): void {
    const playing = this.#wanted?.playback.playing ?? false;
    const state = this.state;
    this.#steer();
    this.#stuck = playing && state === 'loading' ? this.#stuck + 1 : 0;
    if (this.#stuck >= stuckTicks) this.#reload();
    this.#sound = state === 'playing' ? this.#sound + 1 : 0;
    if (this.#sound >= soundTicks) this.#tries = 0;
    // A halt and the end are said until the kiosk has heard them: it may be busy or away.
    const unheard = playing && (this.#halt !== null || state === 'ended');
    if (!this.#changed() && (state === 'playing' || unheard)) this.#report();
  }

  #failed(): void {
    const error = this.#video.error;
    if (!error) return;
    const troubles: Record<number, Trouble> = { 2: 'network', 3: 'decode' };
    const detail = error.message ? ` (${error.message.slice(0, 120)})` : '';
    this.#failure = this.#duties.words(troubles[error.code] ?? 'format') + detail;
    this.#target ??= this.#seen;
    clearTimeout(this.#retry);
    if (this.#tries < mostTries) {
      const wait = Math.min(longestRetry, firstRetry * 2 ** this.#tries);
      this.#retry = setTimeout(() => this.#reload(), wait);
    }
    if (!this.#changed()) this.#report();
  }

  /** Loads the source again; loadedmetadata then goes to where the film stood. */
  #reload(): void {
    clearTimeout(this.#retry);
    this.#tries += 1;
    this.#stuck = 0;
    this.#target ??= this.#seen;
    this.#video.load();
  }

  #showSubtitles(): void {
    const lang = this.#wanted?.playback.subtitles ?? '';
    for (const track of this.#video.textTracks) {
      track.mode = lang !== '' && track.language === lang ? 'showing' : 'disabled';
    }
  }

  #now(): number {
    return Math.round(this.#video.currentTime * 1000);
  }

  /** Tells of a new state; says whether there was one. */
  #changed(): boolean {
    const state = this.state;
    if (state === this.#state) return false;
    this.#state = state;
    this.#duties.changed(state);
    this.#report();
    return true;
  }

  #report(withHalt = true): void {
    const video = this.#video;
    if (!this.#wanted?.leads) return;
    const place = this.#target ?? (video.readyState >= 1 ? this.#now() : this.#seen);
    const duration = Number.isFinite(video.duration) ? Math.round(video.duration * 1000) : 0;
    const frames = video.getVideoPlaybackQuality?.();
    this.#duties.report({
      do: 'reportPlayer',
      epoch: this.#wanted.playback.epoch,
      state: this.state,
      at: place,
      duration,
      ...(withHalt && this.#halt !== null && { pausePoint: this.#halt }),
      ...(frames && {
        decodedFrames: frames.totalVideoFrames,
        droppedFrames: frames.droppedVideoFrames,
      }),
      ...(this.#failure !== null && { error: this.#failure }),
    });
  }
}
