import { beforeEach, expect, test } from "vitest";
import { forgetToken, readIdentity, takeToken } from "./session";

beforeEach(() => sessionStorage.clear());

test("a token in the fragment is kept for the tab and taken out of the address", () => {
  history.replaceState(null, "", "/topics?sort=weight#token=a.b.c");
  expect(takeToken(location, history, sessionStorage)).toBe("a.b.c");
  expect(location.href).toMatch(/\/topics\?sort=weight$/);
  expect(takeToken(location, history, sessionStorage)).toBe("a.b.c");
  forgetToken(sessionStorage);
  expect(takeToken(location, history, sessionStorage)).toBeNull();
});

test("what is no token has no identity, and does not throw", () => {
  for (const text of ["", "abc", "a.b.c", "a.bnVsbA.c"]) expect(readIdentity(text)).toBeNull();
  const claims = btoa(JSON.stringify({ roles: ["learner", 7], exp: 1_800_000_000 }));
  expect(readIdentity(`x.${claims}.y`)).toEqual({ roles: ["learner"], expiresAt: new Date(1_800_000_000_000), isLocal: false });
});

test("a token that the installation signed itself is known as such", () => {
  expect(readIdentity(`x.${btoa(JSON.stringify({ iss: "urn:osler:local" }))}.y`)?.isLocal).toBe(true);
});
