// The class for those who teach it: hard topics as published, and on request who needs a look.
import { useState } from "react";
import type { Schemas } from "../../api/context";
import { TableBelow } from "../../charts/ChartFrame";
import { dayOf } from "../../shared/numbers";
import { QueryCard } from "../../shared/QueryCard";
import { HardTopics } from "./HardTopics";
import { LEARNER_COLUMNS, needLine } from "./prepare";
import { useCohort, useLearners } from "./query";

const MOST_TOPICS = 8;
const MOST_LEARNERS = 10;

export function ClassCard() {
  return (
    <QueryCard title="The class" query={useCohort()} className="two-thirds" minHeightPx={260}>
      {(data) => (
        <>
          {data.name && (
            <p className="small muted">
              {data.name}
              {data.week_on && `, week of ${dayOf(data.week_on)}`}. Figures are rounded, and left out where too few stand behind them.
            </p>
          )}
          <HardTopics topics={data.topics} most={MOST_TOPICS} />
        </>
      )}
    </QueryCard>
  );
}

/** Names single learners, so it is asked for by hand and once: each read is on record with every one of them. */
export function LearnersCard() {
  const [isAsked, setIsAsked] = useState(false);
  if (isAsked) return <Learners />;
  return (
    <div className="third">
      <section className="card" aria-labelledby="look">
        <header className="card-head">
          <h2 id="look">Who needs a look</h2>
        </header>
        <p>Few active days, or a forecast that is surely low. Opening the list is recorded with each learner in it.</p>
        <div>
          <button type="button" className="button" onClick={() => setIsAsked(true)}>
            Open the list
          </button>
        </div>
      </section>
    </div>
  );
}

function Learners() {
  return (
    <QueryCard title="Who needs a look" query={useLearners()} className="third" minHeightPx={260} takesFocus>
      {(data) => (
        <>
          {needing(data.learners).length > 0 && (
            <ul className="ranked" aria-label="Learners who need a look">
              {needing(data.learners).map((learner) => (
                <li key={learner.user_id}>
                  <span>
                    <code>{learner.user_id.slice(0, 8)}</code>
                  </span>
                  <span>{needLine(learner)}</span>
                </li>
              ))}
            </ul>
          )}
          {data.learners.length > 0 && (
            <TableBelow columns={LEARNER_COLUMNS} rows={data.learners} caption="Learners of the class" name="learners" />
          )}
        </>
      )}
    </QueryCard>
  );
}

function needing(learners: readonly Schemas["LearnerOfClass"][]) {
  return learners.filter((learner) => learner.needs_a_look).slice(0, MOST_LEARNERS);
}
