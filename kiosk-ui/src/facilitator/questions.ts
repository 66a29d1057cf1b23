import type { FacilitatorView, QuestionRow, Step } from '../lib/protocol';

/** The steps in which questions can be asked, in the order of the evening. */
export const questionSteps = ['poll_before', 'film', 'discussion'] as const;
export type QuestionStep = (typeof questionSteps)[number];

export function mayAsk(step: Step): step is QuestionStep {
  return (questionSteps as readonly Step[]).includes(step);
}

export interface Group {
  step: QuestionStep;
  /** Those that the run of the evening asks in this step. */
  rows: QuestionRow[];
  /** The rest, which can be asked all the same. */
  others: QuestionRow[];
}

export function groups(view: FacilitatorView): Group[] {
  const inFilm = view.film.pausePoints.map((point) => point.question);
  return questionSteps.map((step) => {
    const planned = (q: QuestionRow) =>
      q.ask.includes(step) || (step === 'film' && inFilm.includes(q.id));
    return {
      step,
      rows: view.questions.filter(planned),
      others: view.questions.filter((q) => !planned(q)),
    };
  });
}

/** How a question stands in one step; rounds of other steps do not count. */
export function standing(
  question: QuestionRow,
  step: QuestionStep,
): { phase: QuestionRow['phase'] | 'asked'; ballots: number } {
  const here = question.rounds.filter((round) => round.step === step);
  const newest = here.at(-1);
  if (!newest) return { phase: 'unasked', ballots: 0 };
  const isNewest = question.rounds.at(-1)?.n === newest.n;
  return { phase: isNewest ? question.phase : 'asked', ballots: newest.ballots };
}
