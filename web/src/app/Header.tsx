// The head of every page: exam and days left, whether the data are a sample, theme, sign out.
import { lazy, Suspense, useState } from "react";
import { useReadiness } from "../analytics/readiness/query";
import { useMe } from "../api/me";
import { nameOf } from "../pages/roles";
import { applyTheme, currentTheme, nextTheme } from "../shared/theme";
import { examWhen } from "./exam";

// Opened seldom: loaded when it is.
const ExamDialog = lazy(() => import("./ExamDialog").then((module) => ({ default: module.ExamDialog })));

export function Header({ onSignOut }: { onSignOut: () => void }) {
  const { data: me, isPending } = useMe();
  const [isChoosing, setIsChoosing] = useState(false);
  const [isSaved, setIsSaved] = useState(false);
  const isLearner = me?.roles.includes("learner") ?? false;
  const [theme, setTheme] = useState(() => currentTheme(localStorage));
  const choose = () => {
    setIsSaved(false);
    setIsChoosing(true);
  };
  return (
    <header className="top">
      <a className="brand" href="/">
        <img src="/icon.svg" alt="" width={28} height={28} /> Osler
      </a>
      <div className="facts" aria-busy={isPending}>
        {me?.exam && (
          <span>
            <ExamName id={me.exam.exam_id} />
            {` ${examWhen(me)}`}
          </span>
        )}
        {me && !me.exam && <span>{isLearner ? "No exam set" : me.roles.map(nameOf).join(", ")}</span>}
        {isLearner && (
          <button type="button" className="button quiet" aria-haspopup="dialog" onClick={choose}>
            {me?.exam ? "Change exam" : "Set your exam"}
          </button>
        )}
        {me && isChoosing && (
          <Suspense>
            <ExamDialog me={me} onClose={() => setIsChoosing(false)} onSaved={() => setIsSaved(true)} />
          </Suspense>
        )}
        <output className="visually-hidden">{isSaved && "Your exam is saved; the figures follow it."}</output>
        {me?.is_sample && <span className="sample">Sample data</span>}
      </div>
      <div className="tools">
        <button
          type="button"
          className="button quiet"
          onClick={() => {
            const next = nextTheme(theme);
            applyTheme(next, localStorage, document.documentElement);
            setTheme(next);
          }}
        >
          Theme: {theme}
        </button>
        <button type="button" className="button quiet" onClick={onSignOut}>
          Sign out
        </button>
      </div>
    </header>
  );
}

/** The exam's name as the readiness page says it; only where there is an exam, as staff have none to ask about. */
function ExamName({ id }: { id: string }) {
  return <strong>{useReadiness().data?.exam_name ?? id}</strong>;
}
