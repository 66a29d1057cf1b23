import type { StageView } from '../lib/protocol';
import type { FilmState } from './film';

/** What stands over the picture of the film; 'none' is the film alone. */
export type FilmFace =
  | 'none'
  | 'missing'
  | 'waiting' // to begin
  | 'halted' // at a pause point
  | 'paused' // by the facilitator
  | 'interrupted' // the power failed
  | 'finished'
  | 'loading'
  | 'blocked'
  | 'failed';

export function filmFace(
  { film, playback }: Pick<StageView, 'film' | 'playback'>,
  state: FilmState,
): FilmFace {
  if (film.missing) return 'missing';
  if (playback.playing) {
    if (state === 'ended') return 'finished';
    if (state === 'failed' || state === 'blocked' || state === 'paused') return state;
    return state === 'loading' ? 'loading' : 'none';
  }
  if (playback.finished) return 'finished';
  if (playback.interrupted) return 'interrupted';
  if (playback.haltedAt !== undefined) return 'halted';
  if (state === 'failed') return 'failed';
  return playback.at === 0 ? 'waiting' : 'paused';
}
