// One screen for both: which of the two pages has it now.

import type { StageView, TouchView } from '../lib/protocol';

export type Turn = 'stage' | 'touch';

/**
 * Hands are wanted at the door and while a question is open: the touch screen's page. All
 * else is looked at from afar: film, results, codes, welcome.
 */
export function turn(
  stage: Pick<StageView, 'scene' | 'question'> | null,
  touch: Pick<TouchView, 'scene'> | null,
): Turn {
  if (stage?.scene === 'question') return stage.question?.phase === 'open' ? 'touch' : 'stage';
  if (stage?.scene === 'welcome' && touch?.scene === 'doors') return 'touch';
  return 'stage';
}
