// Who is signed in: a bearer token that lives as long as the tab. It arrives in the address's fragment (which no server
// sees), is taken out of the address at once, and is never written anywhere but the tab's own storage.

const KEY = "osler.token";
const LOCAL_ISSUER = "urn:osler:local";

export interface Identity {
  roles: readonly string[];
  expiresAt: Date | null;
  /** The installation signed it itself, so its commands are at hand. */
  isLocal: boolean;
}

/** The token of this tab, taking one that has just arrived as `#token=…` out of the address. */
export function takeToken(location: Location, history: History, storage: Storage): string | null {
  const arrived = new URLSearchParams(location.hash.slice(1)).get("token");
  if (arrived) {
    storage.setItem(KEY, arrived);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return storage.getItem(KEY);
}

export function forgetToken(storage: Storage): void {
  storage.removeItem(KEY);
}

export function keepToken(storage: Storage, token: string): void {
  storage.setItem(KEY, token.trim());
}

/** What the token of this tab says of itself, if it says it where we would look. */
export function tokenIdentity(storage: Storage): Identity | null {
  const token = storage.getItem(KEY);
  return token ? readIdentity(token) : null;
}

/** What the token says of itself, for showing only: the server decides everything. Null when it is no token. */
export function readIdentity(token: string): Identity | null {
  const middle = token.split(".")[1];
  if (!middle) return null;
  try {
    const claims: unknown = JSON.parse(atob(middle.replaceAll("-", "+").replaceAll("_", "/")));
    if (typeof claims !== "object" || claims === null) return null;
    const { roles, exp, iss } = claims as { roles?: unknown; exp?: unknown; iss?: unknown };
    return {
      roles: Array.isArray(roles) ? roles.filter((r): r is string => typeof r === "string") : [],
      expiresAt: typeof exp === "number" ? new Date(exp * 1000) : null,
      isLocal: iss === LOCAL_ISSUER,
    };
  } catch {
    return null;
  }
}
