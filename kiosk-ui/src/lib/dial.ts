/** The link that dials a number as a telephone does. */
export function dial(tel: string): string {
  return `tel:${tel.replace(/[^\d+*#]/g, '')}`;
}
