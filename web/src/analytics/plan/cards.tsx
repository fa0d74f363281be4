// Today's one decision: start this block, or swap it.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";
import { useMe } from "../../api/me";
import { newEventId } from "../../shared/eventId";
import { QueryCard } from "../../shared/QueryCard";
import { tokenIdentity } from "../../shared/session";
import { blockText, choices, suretyText } from "./prepare";
import { usePlan } from "./query";

export function PlanCard() {
  const query = usePlan();
  const [at, setAt] = useState(0);
  const [taken, setTaken] = useState<string | null>(null);
  const record = useRecordChoice();
  return (
    <QueryCard title="Today" query={query} className="wide decision-place" minHeightPx={190} saysFinding renderAction={(plan) => plan.state === "first_use" && <BringRecords />}>
      {(plan) => {
        const blocks = choices(plan);
        const block = blocks[at % Math.max(1, blocks.length)];
        if (!block) return <p className="decision">{plan.finding.text}</p>;
        // How sure is said of the first topic; reviews are due or not.
        const isFirst = at % blocks.length === 0;
        return (
          <div className="decision-body">
            <p className="decision">{blockText(block)}</p>
            <p className="muted">
              {isFirst ? plan.finding.text : block.reason.text} {isFirst && block.kind !== "review" && suretyText(plan.surety)}
            </p>
            <div className="card-action">
              <button
                type="button"
                className="button primary"
                disabled={taken === block.name || record.isPending}
                onClick={() => record.mutate({ block, rank: (at % blocks.length) + 1, action: "accepted" }, { onSuccess: () => setTaken(block.name) })}
              >
                {taken === block.name ? "Noted" : "I'll do this now"}
              </button>
              {blocks.length > 1 && (
                <button
                  type="button"
                  className="button"
                  onClick={() => {
                    record.mutate({ block, rank: (at % blocks.length) + 1, action: "dismissed" });
                    setAt(at + 1);
                  }}
                >
                  Another instead
                </button>
              )}
            </div>
            {plan.review_plan && <p className="small muted">{plan.review_plan.finding.text}</p>}
            <output className="small">
              {taken === block.name && "Saved. Your answers will show here as you study."}
              {record.isError && `It could not be saved: ${record.error.message}`}
            </output>
          </div>
        );
      }}
    </QueryCard>
  );
}

/** Where the first answers come from. On an installation of one's own the command is at hand; elsewhere an application sends them. */
function BringRecords() {
  const me = useMe().data;
  if (!me || !tokenIdentity(sessionStorage)?.isLocal) return null;
  return (
    <div className="bring">
      <p>On the machine that runs Osler, this reads an Anki collection; <code>osler import --help</code> lists what else can be read:</p>
      <pre className="command">
        <code>osler import anki collection.anki2 --user {me.user_id}</code>
      </pre>
    </div>
  );
}

interface Choice {
  block: ReturnType<typeof choices>[number];
  rank: number;
  action: "accepted" | "dismissed";
}

/** What was taken or left is an event like any other: it goes the same way in. */
function useRecordChoice() {
  const client = useClient();
  return useMutation({
    mutationFn: ({ block, rank, action }: Choice) => {
      const now = new Date();
      const target = block.kind === "review" ? ("review" as const) : ("topic" as const);
      const body = {
        id: newEventId(now.getTime()),
        type: "recommendation" as const,
        schema: 1,
        occurred_at: now.toISOString(),
        tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
        data: { recommendation_id: `today.${block.topic_id ?? "due"}`.slice(0, 64), action, target, target_id: block.topic_id ?? "due", rank },
      };
      return answered(client.POST("/api/events", { body }));
    },
  });
}
