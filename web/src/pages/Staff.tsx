// For those who do not study here: who they are, what they may ask, and where the class stands.
import { ClassCard, LearnersCard } from "../analytics/cohort/staff";
import { mayOf, nameOf, SEES_CLASS, SEES_LEARNERS } from "./roles";

export function Staff({ roles }: { roles: readonly string[] }) {
  const seesClass = roles.some((role) => SEES_CLASS.has(role));
  return (
    <main id="content" className="page">
      <title>{`${seesClass ? "How the class stands" : "Signed in"} · Osler`}</title>
      <h1 tabIndex={-1}>{seesClass ? "How the class stands" : "Signed in"}</h1>
      <div className="grid">
        {seesClass && <ClassCard />}
        {roles.some((role) => SEES_LEARNERS.has(role)) && <LearnersCard />}
        <section className="card wide" aria-labelledby="may">
          <header className="card-head">
            <h2 id="may">You are signed in as {roles.map(nameOf).join(" and ")}</h2>
          </header>
          <ul className="plain">
            {mayOf(roles).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
          <p className="small muted">
            The pages of a learner (mastery, due reviews, the day's plan) are for learners. What else the service answers is
            described at <a href="/api/docs">/api/docs</a>.
          </p>
        </section>
      </div>
    </main>
  );
}
