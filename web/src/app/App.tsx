// The page as a whole: signed in or not, one client, one cache, one router.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { makeClient, Problem } from "../api/client";
import { ClientProvider } from "../api/context";
import { SignIn } from "../pages/SignIn";
import { forgetToken, keepToken, takeToken } from "../shared/session";
import { router, SignOutProvider } from "./router";

const REFRESH_MS = 30_000;
const TRIES = 2;

function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: REFRESH_MS / 2,
        refetchInterval: REFRESH_MS,
        // A device that is offline is told so by the failed request; a paused one would show old numbers as fresh.
        networkMode: "always",
        retry: (failures, error) => failures < TRIES && !(error instanceof Problem && error.isFinal),
      },
    },
  });
}

export function App() {
  const [token, setToken] = useState(() => takeToken(window.location, window.history, sessionStorage));
  const [hasExpired, setHasExpired] = useState(false);
  const signOut = useCallback((expired: boolean) => {
    forgetToken(sessionStorage);
    setHasExpired(expired);
    setToken(null);
  }, []);
  // A sign-in link that is pasted into a tab which is open already changes the fragment alone: nothing is loaded anew.
  useEffect(() => {
    const arrived = () => setToken(takeToken(window.location, window.history, sessionStorage));
    window.addEventListener("hashchange", arrived);
    return () => window.removeEventListener("hashchange", arrived);
  }, []);
  const client = useMemo(() => (token ? makeClient(token, () => signOut(true)) : null), [token, signOut]);
  // Another sign-in never sees what the one before it had in memory: below, everything is made anew for it.
  const queries = useMemo(() => (client ? makeQueryClient() : null), [client]);
  if (!client || !queries) {
    return (
      <SignIn
        expired={hasExpired}
        onToken={(given) => {
          keepToken(sessionStorage, given);
          setToken(given);
        }}
      />
    );
  }
  return (
    <ClientProvider key={token} value={client}>
      <QueryClientProvider client={queries}>
        <SignOutProvider value={() => signOut(false)}>
          <RouterProvider router={router} />
        </SignOutProvider>
      </QueryClientProvider>
    </ClientProvider>
  );
}
