import type { HealthColor } from '../api/types';
import type { IAppEntry } from '../apps/model';

export const SORTS = ['name', 'recent', 'busiest', 'troubled'] as const;
export type Sort = (typeof SORTS)[number];

const TROUBLE: Record<HealthColor, number> = { red: 0, yellow: 1, green: 2, asleep: 3, grey: 4 };

/** The apps whose name or title holds every word of the search, in order. Those that are alike, by title, as they are shown. */
export function arrange(apps: ReadonlyArray<IAppEntry>, search: string, sort: Sort): IAppEntry[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = apps.filter(({ view }) => {
    const text = `${view.id} ${view.title}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
  const key = KEYS[sort];
  return found.sort((a, b) => key(a) - key(b) || byTitle(a, b));
}

function byTitle({ view: a }: IAppEntry, { view: b }: IAppEntry): number {
  return a.title.localeCompare(b.title) || a.id.localeCompare(b.id);
}

const KEYS: Record<Sort, (entry: IAppEntry) => number> = {
  name: () => 0,
  recent: ({ view }) => -Math.max(time(view.updated_at), time(view.last_request_at)),
  busiest: ({ numbers }) => -(numbers?.requests ?? 0),
  troubled: ({ view, numbers }) => {
    const color = TROUBLE[view.health?.color ?? 'grey'];
    const errors = numbers?.requests ? (numbers.server_errors ?? 0) / numbers.requests : 0;
    return color - Math.min(errors, 0.99);
  }
};

function time(moment: string | null | undefined): number {
  return moment ? new Date(moment).getTime() : 0;
}
