// How numbers are said. Probabilities are 0 to 1 until they reach these functions.

const whole = new Intl.NumberFormat("en");

/** "68 %"; a dash where nothing is known. */
export function percent(share: number | null | undefined): string {
  return share == null ? "–" : `${Math.round(share * 100)} %`;
}

/** "61 to 74": the likely range of a share, in percent. */
export function percentRange(low: number | null | undefined, high: number | null | undefined): string {
  return low == null || high == null ? "" : `${Math.round(low * 100)} to ${Math.round(high * 100)}`;
}

const CERTAIN = 0.995;

/** A forecast in percent: no rounding makes it certain. "68 %", "over 99 %", "under 1 %". */
export function chance(share: number | null | undefined): string {
  if (share == null) return "–";
  if (share >= CERTAIN) return "over 99 %";
  return share < 1 - CERTAIN ? "under 1 %" : percent(share);
}

/** "61 to 74"; "over 61" and "under 74" where the range reaches an end, "" where there is none to tell. */
export function chanceRange(low: number | null | undefined, high: number | null | undefined): string {
  if (low == null || high == null) return "";
  const [reachesNothing, reachesAll] = [low < 1 - CERTAIN, high >= CERTAIN];
  if (reachesNothing && reachesAll) return "0 to 100";
  if (reachesAll) return `over ${Math.min(99, Math.round(low * 100))}`;
  return reachesNothing ? `under ${Math.max(1, Math.round(high * 100))}` : percentRange(low, high);
}

/** "1,204"; a dash where nothing is known. */
export function count(n: number | null | undefined): string {
  return n == null ? "–" : whole.format(n);
}

/** "45 min", "1 h 20 min". */
export function minutes(value: number | null | undefined): string {
  if (value == null) return "–";
  const total = Math.round(value);
  if (total < 60) return `${total} min`;
  const rest = total % 60;
  return rest ? `${Math.floor(total / 60)} h ${rest} min` : `${total / 60} h`;
}

/** "1 card", "3 cards". */
export function plural(n: number, one: string, many: string): string {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}

/** How old a figure is: "now", "12 min ago", "yesterday 14:05", "on 4 March". */
export function age(asOf: string, now: Date, timeZone?: string): string {
  const then = new Date(asOf);
  const elapsedMinutes = Math.floor((now.getTime() - then.getTime()) / 60_000);
  if (elapsedMinutes < 1) return "now";
  if (elapsedMinutes < 60) return `${elapsedMinutes} min ago`;
  const zone = timeZone ? { timeZone } : {};
  const day = new Intl.DateTimeFormat("en-CA", zone);
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", ...zone }).format(then);
  if (day.format(then) === day.format(now)) return `today ${clock}`;
  const yesterday = new Date(now.getTime() - 86_400_000);
  if (day.format(then) === day.format(yesterday)) return `yesterday ${clock}`;
  return `on ${new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", ...zone }).format(then)}`;
}

/** "9 November": a calendar day, which no zone shifts. */
export function dayOf(day: string): string {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
}
