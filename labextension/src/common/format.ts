/** Figures as people read them. Pure, in the browser's language where that matters. */

/** `950`, `1.2 k`, `3.4 M`. */
export function count(value: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k']
  ] as const) {
    // What rounds up to the next unit is written in it.
    if (value >= size * 0.9995) {
      return `${short(value / size)} ${unit}`;
    }
  }
  return String(Math.round(value));
}

/** `512 B`, `1.5 kB`, `20 MB`; powers of 1000, as the service counts and the limits are set. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${short(value)} ${units[unit]}`;
}

/** A latency: `0.4 ms`, `12 ms`, `1.2 s`. */
export function milliseconds(value: number): string {
  if (value >= 999.5) {
    return seconds(value / 1000);
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** A duration: `0.12 s`, `4.2 s`, `3 min`, `2 h`, `5 d`. */
export function seconds(value: number): string {
  if (value < 0.995) {
    return `${value.toFixed(2)} s`;
  }
  if (value < 59.5) {
    return `${short(value)} s`;
  }
  if (value < 3570) {
    return `${Math.round(value / 60)} min`;
  }
  return value < 84_600 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86_400)} d`;
}

/** How much of something, as `0.3 %`, `12 %`. */
export function percent(part: number, whole: number): string {
  const value = whole > 0 ? (100 * part) / whole : 0;
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** A moment from now: `3 minutes ago`, in the browser's language. */
export function ago(moment: string | Date, now: Date = new Date(), locale?: string): string {
  const past = (new Date(moment).getTime() - now.getTime()) / 1000;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  for (const [size, unit] of [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute']
  ] as const) {
    if (Math.abs(past) >= size) {
      return format.format(Math.round(past / size), unit);
    }
  }
  return format.format(Math.round(past), 'second');
}

/** A moment in full, for a tooltip. */
export function moment(value: string | Date, locale?: string): string {
  return new Date(value).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'medium' });
}

function short(value: number): string {
  return value < 9.95 ? String(Number(value.toFixed(1))) : String(Math.round(value));
}
