// What each role may ask, in words; the server's table of policy decides, this only tells.
export const SEES_CLASS: ReadonlySet<string> = new Set(["educator", "program_admin", "analyst"]);
export const SEES_LEARNERS: ReadonlySet<string> = new Set(["educator", "program_admin"]);

const MAY: Readonly<Record<string, readonly string[]>> = {
  educator: [
    "The published figures of your classes: which topics many find hard, how the class moves from week to week.",
    "Who of your classes needs a look, and the analytics of single learners in them. Each such read is recorded, and the learner sees that it happened.",
  ],
  program_admin: [
    "The published figures of every class, who needs a look, and the analytics of any learner. Each read of a person is recorded, and the learner sees it.",
    "The bank of questions and materials, over the API. Curriculum and nightly jobs have commands of their own.",
  ],
  analyst: ["The published figures of every class: aggregates alone, never a person."],
  auditor: ["The record of who read whose data."],
  privacy_officer: ["Export and erasure of a learner's data, on their behalf."],
  service_ingest: ["Sending events on behalf of learners. This page has nothing for a service."],
};

/** "program_admin" as people say it. */
export function nameOf(role: string): string {
  return role.replaceAll("_", " ");
}

/** What these roles may ask, each line once; a sentence where they may ask nothing. */
export function mayOf(roles: readonly string[]): string[] {
  const lines = [...new Set(roles.flatMap((role) => MAY[role] ?? []))];
  return lines.length > 0 ? lines : ["Nothing: your token names no role that this service knows."];
}
