import { expect, test } from 'vitest';
import { summary } from '../../test/faces';
import { sums } from './summary';

test('sums by sex and by age, of the groups that say them', () => {
  const { categories } = summary.attendance;
  const elder = { ...categories[0], id: 'elder', sex: '', age: '60+', total: 5 };
  const attendance = { ...summary.attendance, categories: [...categories, elder] };
  const found = sums(attendance as typeof summary.attendance);
  expect(found.sex).toEqual({ female: 27, male: 20 });
  expect(found.age['60+']).toBe(5);
  expect(Object.values(found.age).reduce((a, b) => a + b)).toBe(52);
});
