import type { Attendance, Question, Round, ScreeningInfo, Text } from '../lib/protocol';

/** What /api/summary gives. */
export interface Summary {
  screening: ScreeningInfo & { startedAt: string; endedAt: string | null };
  attendance: Attendance;
  /** Attendance as it may be shown: small groups are merged, with the names of all in them. */
  shown: { labels: Text[]; total: number }[];
  /** A group of fewer people is so small that a number would say who they are. */
  fewest: number;
  questions: {
    id: string;
    kind: Question['kind'];
    text: Text;
    options: Question['options'];
    explanation?: Text;
    rounds: Round[];
    /** Its right answer was shown before the film had ended: no figures before and after. */
    answerShownEarly?: boolean;
  }[];
  /** How it went, as the facilitator noted it. */
  note: { title: Text; said: Text[] }[];
  film: { title: Text; finished: boolean; at: number; duration: number };
}

/** Sums of the groups by sex and by age, of those groups that say it. */
export function sums(attendance: Attendance): {
  sex: Record<string, number>;
  age: Record<string, number>;
} {
  const out = { sex: {} as Record<string, number>, age: {} as Record<string, number> };
  for (const { sex, age, total } of attendance.categories) {
    if (sex) out.sex[sex] = (out.sex[sex] ?? 0) + total;
    if (age) out.age[age] = (out.age[age] ?? 0) + total;
  }
  return out;
}
