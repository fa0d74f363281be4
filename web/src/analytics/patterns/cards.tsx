// Learning patterns: the week, and insights only where the data carry them.
import { QueryCard } from "../../shared/QueryCard";
import { minutes } from "../../shared/numbers";
import { habitLines, weekCells } from "./prepare";
import { usePatterns } from "./query";

export function PatternsCard() {
  return (
    <QueryCard title="Learning patterns" query={usePatterns()} className="third" minHeightPx={260}>
      {(data) => (
        <>
          <ol className="week" aria-label="This week, day by day">
            {weekCells(data.week.days).map((day) => (
              <li key={day.day} className={`heat heat-${day.heat}`} title={day.words}>
                <span aria-hidden="true">{day.letter}</span>
                <span className="visually-hidden">{day.words}</span>
              </li>
            ))}
          </ol>
          <p className="small muted">
            {data.consistency.active_days} of {data.consistency.window_days} days studied · this week{" "}
            {minutes(data.week.hours * 60)}
            {data.week.usual_hours != null && `, usually ${minutes(data.week.usual_hours * 60)}`}
          </p>
          {habitLines(data).map((line) => (
            <p key={line} className="small">
              {line}
            </p>
          ))}
          <ul className="ranked">
            {data.highlights.map((highlight) => (
              <li key={highlight.insight}>
                <span>{highlight.text}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </QueryCard>
  );
}
