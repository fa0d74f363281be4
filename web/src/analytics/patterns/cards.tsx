// Learning patterns: the week, and insights only where the data carry them.
import { ChartFrame } from "../../charts/ChartFrame";
import { QueryCard } from "../../shared/QueryCard";
import { habitLines, WEEK_COLUMNS, weekCells } from "./prepare";
import { usePatterns } from "./query";

export function PatternsCard() {
  return (
    <QueryCard title="Learning patterns" query={usePatterns()} className="third" minHeightPx={260}>
      {(data) => (
        <>
          <ChartFrame finding="Minutes of study, day by day." name="week" columns={WEEK_COLUMNS} rows={data.week.days}>
            <ol className="week" aria-label="This week, day by day">
              {weekCells(data.week.days).map((day) => (
                <li key={day.day} className={`heat heat-${day.heat}`}>
                  <span aria-hidden="true">{day.letter}</span>
                  <strong aria-hidden="true">{day.minutes}</strong>
                  <span className="visually-hidden">{day.words}</span>
                </li>
              ))}
            </ol>
          </ChartFrame>
          <p className="small muted">
            {data.consistency.active_days} of {data.consistency.window_days} days with ten minutes of study, or ten answers
          </p>
          {habitLines(data, data.state !== "too_little").map((line) => (
            <p key={line} className="small">
              {line}
            </p>
          ))}
          {data.highlights.length > 0 && (
            <ul className="ranked" aria-label="What goes with better answers">
              {data.highlights.map((highlight) => (
                <li key={highlight.insight}>
                  <span>{highlight.text}</span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </QueryCard>
  );
}
