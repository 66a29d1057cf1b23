// What was found of the kiosk, by what it means for the evening. The kiosk decides the
// class of a finding (internal/health); it is advice, never a lock.

import type { Class, PartHealth } from './protocol';

const order: Class[] = ['cannot_begin', 'should_not_begin', 'good_to_know'];

/** The class of a part that is not ok; one that this page does not know is good to know. */
export function classOf(part: PartHealth): Class {
  return part.class && order.includes(part.class) ? part.class : 'good_to_know';
}

/** The parts that are not ok, in groups: what matters most comes first. */
export function groups(health: PartHealth[]): { class: Class; parts: PartHealth[] }[] {
  const found = health.filter((part) => part.level !== 'ok');
  return order
    .map((name) => ({ class: name, parts: found.filter((part) => classOf(part) === name) }))
    .filter((group) => group.parts.length > 0);
}

/** Whether the evening can and should begin. */
export function verdict(health: PartHealth[]): 'cannot_begin' | 'should_not_begin' | 'ready' {
  const worst = groups(health)[0]?.class;
  return worst === undefined || worst === 'good_to_know' ? 'ready' : worst;
}

// What nobody can mend once people sit in the hall: it must not hide what can be.
const beforeOnly = ['pack_places', 'help_numbers', 'pin_set'];

/** The finding that stands above the next thing to do. */
export function foremost(health: PartHealth[], begun: boolean): PartHealth | undefined {
  const problems = health.filter((part) => part.level === 'problem');
  if (begun) return problems.find((part) => !beforeOnly.includes(part.part));
  return groups(problems)[0]?.parts[0];
}
