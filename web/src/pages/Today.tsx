// Today: the one decision first, then the seven analytics that it rests on.
import { CohortCard } from "../analytics/cohort/cards";
import { EfficiencyCard } from "../analytics/efficiency/cards";
import { GapsCard } from "../analytics/gaps/cards";
import { MasteryCard } from "../analytics/mastery/cards";
import { PatternsCard } from "../analytics/patterns/cards";
import { PlanCard } from "../analytics/plan/cards";
import { ReadinessCard } from "../analytics/readiness/cards";
import { RetrievalCard } from "../analytics/retrieval/cards";

export function Today() {
  return (
    <main id="content" className="page">
      <title>What to study next · Osler</title>
      <h1 tabIndex={-1}>What to study next</h1>
      <div className="grid">
        <PlanCard />
        <ReadinessCard />
        <GapsCard />
        <RetrievalCard />
        <MasteryCard />
        <EfficiencyCard />
        <PatternsCard />
        <CohortCard />
      </div>
    </main>
  );
}
