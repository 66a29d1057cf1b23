import { expect, test } from 'vitest';
import type { Playback } from '../lib/protocol';
import type { FilmState } from './film';
import { type FilmFace, filmFace } from './filmFace';

const film = {
  title: {},
  credit: '',
  missing: false,
  player: 'browser' as const,
  subtitles: [],
  pausePoints: [],
};
const still: Playback = {
  epoch: 1,
  playing: false,
  at: 0,
  duration: 0,
  volume: 80,
  subtitles: '',
  usePausePoints: true,
  finished: false,
  interrupted: false,
  soundLag: 0,
};

const cases: [FilmFace, Partial<Playback>, FilmState][] = [
  ['waiting', {}, 'ready'],
  ['waiting', {}, 'loading'],
  ['none', { playing: true }, 'playing'],
  ['loading', { playing: true }, 'loading'],
  ['paused', { playing: true }, 'paused'], // halted, and the kiosk does not know yet
  ['blocked', { playing: true }, 'blocked'],
  ['failed', { playing: true }, 'failed'],
  ['finished', { playing: true }, 'ended'],
  ['finished', { finished: true, at: 9 }, 'ended'],
  ['finished', { finished: true, at: 9 }, 'ready'],
  ['interrupted', { interrupted: true, at: 9 }, 'ready'],
  ['halted', { haltedAt: 0, at: 9 }, 'paused'],
  ['paused', { at: 9 }, 'paused'],
  ['paused', { at: 9 }, 'ready'],
  ['failed', { at: 9 }, 'failed'],
];

test.each(cases)('%s: %o, %s', (face, playback, state) => {
  expect(filmFace({ film, playback: { ...still, ...playback } }, state)).toBe(face);
});

test('a missing film is said before anything else', () => {
  const view = { film: { ...film, missing: true }, playback: { ...still, finished: true } };
  expect(filmFace(view, 'failed')).toBe('missing');
});
