// Which address shows which page. A page beyond the first is loaded when it is opened.
import { createRootRoute, createRoute, createRouter, Outlet } from "@tanstack/react-router";
import { createContext, use } from "react";
import { Home } from "../pages/Home";
import { Told } from "../shared/Told";
import { Header } from "./Header";

const SignOut = createContext<() => void>(() => undefined);
export const SignOutProvider = SignOut.Provider;

function Shell() {
  return (
    <>
      <a className="skip button" href="#content">
        Skip to the content
      </a>
      <Header onSignOut={use(SignOut)} />
      <Outlet />
      <Told />
    </>
  );
}

function NotFound() {
  return (
    <main id="content" className="page narrow">
      <title>No such page · Osler</title>
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>
        <a href="/">Go to today</a>
      </p>
    </main>
  );
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const today = createRoute({ getParentRoute: () => root, path: "/", component: Home });

export const router = createRouter({ routeTree: root.addChildren([today]) });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
