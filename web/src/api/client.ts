// The one way to the API: base address, bearer token, problems as errors. Types come from the API's own description.
import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema";

/** An RFC 9457 problem, or what stood in for one when the server could not be reached. */
export class Problem extends Error {
  override readonly name = "Problem";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null,
  ) {
    super(message);
  }

  /** Trying again cannot help: the caller is not allowed, or asked for what is not there. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

export function problemOf(status: number, body: unknown): Problem {
  const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === "string" ? said[name] : null);
  return new Problem(
    status,
    text("code") ?? "unknown",
    text("detail") ?? text("title") ?? `The server answered ${status}.`,
    text("request_id"),
  );
}

export function makeClient(token: string, onSignedOut: () => void) {
  const client = createClient<paths>({ baseUrl: window.location.origin });
  const bearer: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token}`);
      return request;
    },
    onResponse({ response }) {
      if (response.status === 401) onSignedOut();
      return response;
    },
  };
  client.use(bearer);
  return client;
}

export type Client = ReturnType<typeof makeClient>;

/** The data of an answer, or the problem as an error for the query to hold. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result: Awaited<typeof call>;
  try {
    result = await call;
  } catch {
    throw new Problem(0, "offline", "The server cannot be reached. What you see may be old.", null);
  }
  if (result.data === undefined) throw problemOf(result.response.status, result.error);
  return result.data;
}
