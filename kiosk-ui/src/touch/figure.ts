import type { TouchView } from '../lib/protocol';

const known: Record<string, string> = {
  'female 18+': 'person-woman',
  'male 18+': 'person-man',
  'female 0-17': 'person-girl',
  'male 0-17': 'person-boy',
  'female ': 'person-woman',
  'male ': 'person-man',
  ' 0-17': 'parent-child',
};

/** The picture of a group of people; its sex and age are as the configuration has them. */
export function figure({ sex, age }: Pick<TouchView['categories'][number], 'sex' | 'age'>): string {
  return known[`${sex} ${age}`] ?? 'person';
}
