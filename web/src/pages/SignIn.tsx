// No token, or one that is no longer good: how to get one, and a place to put it.
import { type FormEvent, useId, useState } from "react";
import { readIdentity } from "../shared/session";

export function SignIn({ expired, onToken }: { expired: boolean; onToken: (token: string) => void }) {
  const field = useId();
  const hint = useId();
  const [fault, setFault] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget).get("token") ?? "").trim();
    if (readIdentity(token)) onToken(token);
    else setFault("That is not a token: three parts with two dots between them are expected.");
  }

  return (
    <main id="content" className="page narrow">
      <title>Sign in · Osler</title>
      <h1 tabIndex={-1}>{expired ? "Your sign-in has ended" : "Sign in"}</h1>
      <p>
        Osler takes a token from your identity provider. On your own machine, this makes one for you, good for eight hours:
      </p>
      <pre className="command">
        <code>osler token --role learner</code>
      </pre>
      <form className="card" onSubmit={submit}>
        <label htmlFor={field}>Token</label>
        <textarea id={field} name="token" rows={4} autoComplete="off" spellCheck={false} aria-describedby={hint} required />
        <p id={hint} className="small muted">
          It stays in this tab and is forgotten when the tab is closed.
        </p>
        {fault && (
          <p role="alert" className="badge badge-error">
            {fault}
          </p>
        )}
        <button type="submit" className="button primary">
          Sign in
        </button>
      </form>
    </main>
  );
}
