// Which exam, on which day, with how much time: what readiness and plan rest on, entered where the exam stands.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useId, useRef } from "react";
import { answered } from "../api/client";
import { type Schemas, useClient } from "../api/context";
import { choiceOf, sameMinutes } from "./exam";

type Me = Schemas["Me"];

export function ExamDialog({ me, onClose, onSaved }: { me: Me; onClose: () => void; onSaved: () => void }) {
  const client = useClient();
  const queries = useQueryClient();
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  const exams = useQuery({ queryKey: ["exams"], queryFn: () => answered(client.GET("/api/exams")), refetchInterval: false });
  const save = useMutation({
    mutationFn: (body: Schemas["ExamChoice"]) => answered(client.PUT("/api/me/exam", { body })),
    onSuccess: () => {
      close();
      onSaved();
      return queries.invalidateQueries();
    },
  });
  useEffect(() => place.current?.showModal(), []);
  // Closed before it is taken away, as only closing gives the focus back to what opened it.
  const close = () => place.current?.close();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    save.mutate(choiceOf(new FormData(event.currentTarget), me.exam));
  }

  const minutes = sameMinutes(me.exam?.minutes_per_day);
  return (
    <dialog ref={place} className="card dialog" aria-labelledby={`${id}-title`} onClose={onClose}>
      <h2 id={`${id}-title`}>Your exam</h2>
      {/* What is entered starts from what is stored, so the fields wait for the list. */}
      {exams.data && (
        <form onSubmit={submit}>
          <label htmlFor={`${id}-exam`}>Exam</label>
          <select id={`${id}-exam`} name="exam_id" defaultValue={me.exam?.exam_id} required>
            {exams.data.exams.map((exam) => (
              <option key={exam.exam_id} value={exam.exam_id}>
                {exam.name}
              </option>
            ))}
          </select>
          <label htmlFor={`${id}-day`}>Day</label>
          <input id={`${id}-day`} name="exam_on" type="date" min={me.today} defaultValue={me.exam?.exam_on ?? undefined} required />
          <label htmlFor={`${id}-minutes`}>Minutes a day{me.exam?.minutes_per_day && minutes == null && " (empty: as planned by weekday)"}</label>
          <input id={`${id}-minutes`} name="minutes" type="number" min={0} max={1440} defaultValue={minutes ?? undefined} />
          <label htmlFor={`${id}-goal`}>Goal, % of points (may stay empty)</label>
          <input id={`${id}-goal`} name="goal" type="number" min={0} max={100} defaultValue={goalOf(me)} />
          {save.isError && (
            <p role="alert" className="badge badge-error">
              It could not be saved: {save.error.message}
            </p>
          )}
          <div className="card-action">
            <button type="submit" className="button primary" disabled={save.isPending}>
              Save
            </button>
            <button type="button" className="button" onClick={close}>
              Cancel
            </button>
          </div>
        </form>
      )}
      {exams.isError && (
        <>
          <p role="alert">{exams.error.message}</p>
          <button type="button" className="button" onClick={close}>
            Close
          </button>
        </>
      )}
    </dialog>
  );
}

function goalOf(me: Me): number | undefined {
  return me.exam?.goal_score == null ? undefined : Math.round(me.exam.goal_score * 100);
}
