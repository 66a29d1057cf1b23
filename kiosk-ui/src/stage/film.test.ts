import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Playback, PlayerReport } from '../lib/protocol';
import { FilmPlayer, type FilmState, type Wanted } from './film';

const noTouch = () => Object.assign(new Error('no touch'), { name: 'NotAllowedError' });

/** A <video> without pictures: loads, plays and fails when the test says so. */
class FakeVideo extends EventTarget {
  readyState = 0;
  paused = true;
  ended = false;
  seeking = false;
  muted = false;
  volume = 1;
  preload = '';
  src = '';
  duration = Number.NaN;
  error: { code: number; message: string } | null = null;
  textTracks = [
    { language: 'id', mode: 'disabled' },
    { language: 'en', mode: 'showing' },
  ];
  loads = 0;
  plays = 0;
  forbidden = false; // sound without a touch
  sought: number[] = [];
  #time = 0;

  get currentTime() {
    return this.#time;
  }
  set currentTime(seconds: number) {
    this.#time = seconds;
    this.sought.push(seconds);
    this.seeking = true;
    this.ended = false;
    this.say('seeking');
  }
  say(...events: string[]) {
    for (const name of events) this.dispatchEvent(new Event(name));
  }
  play(): Promise<void> {
    this.plays += 1;
    if (this.forbidden && !this.muted) {
      return Promise.reject(noTouch());
    }
    this.paused = false;
    this.say('play');
    if (this.readyState >= 3) this.say('playing');
    return Promise.resolve();
  }
  pause() {
    if (this.paused) return;
    this.paused = true;
    this.say('pause');
  }
  load() {
    this.loads += 1;
    this.error = null;
    this.readyState = 0;
    this.paused = true;
    this.ended = false;
    this.#time = 0;
    this.say('loadstart');
  }
  removeAttribute() {
    this.src = '';
  }
  getVideoPlaybackQuality() {
    return { totalVideoFrames: 50, droppedVideoFrames: 2 };
  }

  /** What the network brings. */
  arrive(duration = 600) {
    this.duration = duration;
    this.readyState = 1;
    this.say('durationchange', 'loadedmetadata');
    this.settle();
    this.readyState = 4;
    this.say('loadeddata', 'canplay');
    if (!this.paused) this.say('playing');
  }
  settle() {
    if (!this.seeking) return;
    this.seeking = false;
    this.say('seeked');
  }
  /** Plays on to a place. */
  reach(seconds: number) {
    if (this.paused) throw new Error('a paused film does not move');
    this.#time = seconds;
    this.say('timeupdate');
  }
  end() {
    this.#time = this.duration;
    this.ended = true;
    this.paused = true;
    this.say('timeupdate', 'pause', 'ended');
  }
  fail(code: number, message = '') {
    this.error = { code, message };
    this.say('error');
  }
}

const still: Playback = {
  epoch: 7,
  playing: false,
  at: 0,
  duration: 0,
  volume: 80,
  subtitles: 'id',
  usePausePoints: true,
  finished: false,
  interrupted: false,
  soundLag: 0,
};

let video: FakeVideo;
let player: FilmPlayer;
let reports: PlayerReport[];
let states: FilmState[];

beforeEach(() => {
  vi.useFakeTimers();
  video = new FakeVideo();
  reports = [];
  states = [];
  player = new FilmPlayer(video as unknown as HTMLVideoElement, {
    source: '/film',
    report: (report) => reports.push(report),
    changed: (state) => states.push(state),
    words: (trouble) => `trouble: ${trouble}`,
    trySound: () => (video.forbidden ? Promise.reject(noTouch()) : Promise.resolve()),
  });
});

afterEach(() => {
  player.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function follow(playback: Partial<Playback> = {}, rest: Partial<Wanted> = {}) {
  const pausePoints = [{ at: 15_000 }, { at: 40_000 }];
  player.follow({ playback: { ...still, ...playback }, pausePoints, leads: true, ...rest });
}

/** Loaded and playing from a place. */
function running(at = 0, rest: Partial<Wanted> = {}) {
  follow({ playing: true, at }, rest);
  video.arrive();
  expect(player.state).toBe('playing');
  reports.length = 0;
}

const last = () => reports.at(-1);
const halts = () => reports.filter((r) => r.pausePoint !== undefined);

test('it loads ahead and is ready where the film stands, without playing', () => {
  follow({ at: 93_500 });
  expect(video.src).toBe('/film');
  expect(video.preload).toBe('auto');
  expect(last()).toMatchObject({ state: 'loading', at: 93_500 });
  video.arrive();
  expect(video.sought).toEqual([93.5]);
  expect(video.paused).toBe(true);
  expect(last()).toMatchObject({ state: 'ready', at: 93_500, duration: 600_000, epoch: 7 });
});

test('it never reports the beginning while it is on its way to another place', () => {
  follow({ playing: true, at: 93_500 });
  video.duration = 600;
  video.readyState = 1;
  video.say('loadedmetadata');
  vi.advanceTimersByTime(3_000);
  video.readyState = 4;
  video.say('loadeddata', 'canplay');
  expect(reports.map((r) => r.at).every((at) => at === 93_500)).toBe(true);
  expect(player.state).toBe('loading');
});

test('a view with an older place does not move the film; a new epoch does', () => {
  running();
  video.reach(9);
  follow({ playing: true, at: 6_000 });
  expect(video.sought).toEqual([]);
  follow({ playing: true, at: 6_000, epoch: 8 });
  expect(video.sought).toEqual([6]);
  video.settle();
  expect(player.state).toBe('playing');
  expect(last()).toMatchObject({ epoch: 8, at: 6_000 });
});

test('it plays, pauses and plays on from the same place as it is told', () => {
  running();
  video.reach(5);
  follow({ at: 3_000 });
  expect(video.paused).toBe(true);
  expect(last()).toMatchObject({ state: 'paused', at: 5_000 });
  follow({ playing: true, at: 5_000 });
  expect(video.paused).toBe(false);
  expect(video.sought).toEqual([]);
});

test('volume and subtitles follow, and the browser does not choose tracks itself', () => {
  follow({ volume: 35 });
  expect(video.volume).toBeCloseTo(0.35);
  expect(video.textTracks.map((t) => t.mode)).toEqual(['showing', 'disabled']);
  for (const track of video.textTracks) track.mode = 'showing';
  video.arrive();
  expect(video.textTracks.map((t) => t.mode)).toEqual(['showing', 'disabled']);
  follow({ subtitles: '' });
  expect(video.textTracks.map((t) => t.mode)).toEqual(['disabled', 'disabled']);
});

test('it reports once a second while it plays, with its frames, and is silent otherwise', () => {
  running();
  vi.advanceTimersByTime(3_000);
  expect(reports).toHaveLength(3);
  expect(last()).toMatchObject({ state: 'playing', decodedFrames: 50, droppedFrames: 2 });
  follow();
  reports.length = 0;
  vi.advanceTimersByTime(5_000);
  expect(reports).toEqual([]);
});

test('a mirror is mute, reports nothing and does not halt by itself', () => {
  follow({ playing: true }, { leads: false });
  video.arrive();
  video.reach(14.9);
  video.reach(15.1);
  vi.advanceTimersByTime(3_000);
  expect(video.muted).toBe(true);
  expect(video.paused).toBe(false);
  expect(reports).toEqual([]);
  follow({ playing: true });
  expect(video.muted).toBe(false);
  expect(reports).toHaveLength(1);
});

test('it halts at a pause point at once and says so', () => {
  running();
  video.reach(14.98);
  expect(video.paused).toBe(false);
  video.reach(15.02);
  expect(video.paused).toBe(true);
  expect(halts()[0]).toMatchObject({ pausePoint: 0, state: 'paused', at: 15_020 });
});

test('a halt holds against views made before the kiosk heard of it, and is said again', () => {
  running();
  video.reach(15.02);
  const first = halts().length;
  follow({ playing: true, at: 12_000 });
  expect(video.paused).toBe(true);
  vi.advanceTimersByTime(2_000);
  player.connected();
  expect(halts().length).toBe(first + 3);
  follow({ haltedAt: 0, at: 15_020 });
  const heard = halts().length;
  vi.advanceTimersByTime(3_000);
  player.connected();
  expect(halts().length).toBe(heard);
});

test('played on, it does not halt again at the same point, but at the next', () => {
  running();
  video.reach(15.02);
  follow({ haltedAt: 0, at: 15_020 });
  follow({ playing: true, at: 15_020 });
  reports.length = 0;
  video.reach(15.04);
  video.reach(39.99);
  expect(video.paused).toBe(false);
  video.reach(40);
  expect(halts()[0]).toMatchObject({ pausePoint: 1 });
});

test('played on before it was told that the kiosk knows of the halt', () => {
  running();
  video.reach(15.02);
  follow({ playing: true, at: 15_020, passed: 1 });
  expect(video.paused).toBe(false);
  reports.length = 0;
  vi.advanceTimersByTime(3_000);
  expect(halts()).toEqual([]);
  video.reach(40.1);
  expect(halts()[0]).toMatchObject({ pausePoint: 1 });
});

test('a page opened at a halt plays on without halting there again', () => {
  follow({ haltedAt: 0, at: 15_000 });
  video.arrive();
  follow({ playing: true, at: 15_000 });
  video.reach(15.03);
  expect(video.paused).toBe(false);
});

test.each([
  [
    'a jump over it',
    () => {
      follow({ playing: true, at: 20_000, epoch: 8 });
      video.settle();
      video.reach(20.1);
    },
  ],
  [
    'pause points switched off',
    () => {
      follow({ playing: true, usePausePoints: false });
      video.reach(14.9);
      video.reach(15.1);
    },
  ],
  ['a place before it', () => video.reach(14.9)],
])('no halt: %s', (_name, act) => {
  running();
  act();
  expect(video.paused).toBe(false);
  expect(halts()).toEqual([]);
});

test('sound forbidden: blocked, and a touch begins it', async () => {
  video.forbidden = true;
  follow({ playing: true });
  video.arrive();
  await Promise.resolve();
  expect(player.state).toBe('blocked');
  expect(last()?.state).toBe('blocked');
  const plays = video.plays;
  vi.advanceTimersByTime(5_000);
  expect(video.plays).toBe(plays); // it does not hammer
  video.forbidden = false;
  player.allow();
  expect(player.state).toBe('playing');
});

test('sound forbidden is said before the film is to play, and a touch helps', async () => {
  video.forbidden = true;
  follow();
  video.arrive();
  await Promise.resolve();
  expect(last()?.state).toBe('blocked');
  player.allow(); // of no use to the browser
  await Promise.resolve();
  expect(last()?.state).toBe('blocked');
  video.forbidden = false;
  player.allow();
  await Promise.resolve();
  expect(last()?.state).toBe('ready');
  expect(video.plays).toBe(0);
});

test('a mirror is silent and needs no leave for it', async () => {
  video.forbidden = true;
  follow({}, { leads: false });
  video.arrive();
  await Promise.resolve();
  expect(player.state).toBe('ready');
});

test('blocked, then paused by the facilitator: tried anew at the next play', async () => {
  video.forbidden = true;
  follow({ playing: true });
  video.arrive();
  await Promise.resolve();
  follow();
  expect(player.state).toBe('blocked');
  video.forbidden = false;
  follow({ playing: true });
  expect(player.state).toBe('playing');
});

test('a pause that nobody asked for is undone', () => {
  running();
  video.pause();
  expect(video.paused).toBe(false);
});

test('the end is told until the kiosk has heard it, and never played over', () => {
  running();
  const plays = video.plays;
  video.end();
  expect(last()).toMatchObject({ state: 'ended', at: 600_000 });
  follow({ playing: true, at: 597_000 });
  reports.length = 0;
  vi.advanceTimersByTime(2_000);
  player.connected();
  expect(reports.map((r) => r.state)).toEqual(['ended', 'ended', 'ended']);
  expect(video.plays).toBe(plays);
  follow({ finished: true, at: 600_000 });
  reports.length = 0;
  vi.advanceTimersByTime(2_000);
  expect(reports).toEqual([]);
  follow({ playing: true, at: 0, epoch: 9 });
  video.settle();
  expect(player.state).toBe('playing');
});

test('a broken source is loaded again where the film stood, and plays on', () => {
  running();
  video.reach(11);
  video.fail(2, 'PIPELINE_ERROR_READ');
  expect(last()).toMatchObject({
    state: 'failed',
    at: 11_000,
    error: 'trouble: network (PIPELINE_ERROR_READ)',
  });
  follow({ playing: true, at: 9_000 });
  vi.advanceTimersByTime(1_000);
  expect(video.loads).toBe(1);
  video.arrive();
  expect(video.sought).toEqual([11]);
  expect(player.state).toBe('playing');
  expect(last()?.error).toBeUndefined();
});

test('it gives up after five tries, until the line is back or the facilitator jumps', () => {
  running();
  video.fail(3);
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(10_000);
    if (video.error === null) video.fail(3);
  }
  expect(video.loads).toBe(5);
  expect(player.state).toBe('failed');
  player.connected();
  expect(video.loads).toBe(6);
  video.fail(3);
  follow({ playing: true, at: 50_000, epoch: 8 });
  expect(video.loads).toBe(7);
  video.arrive();
  expect(video.sought).toEqual([50]);
  expect(player.state).toBe('playing');
});

test('data that does not come is asked for again', () => {
  running();
  video.reach(12);
  video.readyState = 2;
  video.say('waiting');
  expect(last()?.state).toBe('loading');
  vi.advanceTimersByTime(15_000);
  expect(video.loads).toBe(1);
  video.arrive();
  expect(video.sought).toEqual([12]);
});

test('a new leader and a new line are told at once', () => {
  follow({}, { leads: false });
  video.arrive();
  follow();
  expect(reports).toHaveLength(1);
  player.connected();
  expect(reports).toHaveLength(2);
  expect(states).toEqual(['ready']);
});
