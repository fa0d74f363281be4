// The first page of whoever is signed in: a learner's own day, or for staff what they may ask and how the class stands.
import { lazy, Suspense } from "react";
import { useMe } from "../api/me";
import { tokenIdentity } from "../shared/session";
import { Today } from "./Today";

// Most who come are learners: what only staff see is loaded when one of them signs in.
const Staff = lazy(() => import("./Staff").then((module) => ({ default: module.Staff })));

export function Home() {
  const me = useMe();
  // The token tells at once; where a provider names its roles otherwise, the server tells a moment later.
  const roles = me.data?.roles ?? tokenIdentity(sessionStorage)?.roles ?? [];
  if (roles.includes("learner") || me.error) return <Today />;
  return <Suspense fallback={<Waiting />}>{me.data ? <Staff roles={me.data.roles} /> : <Waiting />}</Suspense>;
}

function Waiting() {
  return <main id="content" className="page" aria-busy="true" />;
}
