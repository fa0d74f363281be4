// The signed-in client, handed down; every query of the page asks through it.
import { createContext, use } from "react";
import type { Client } from "./client";
import type { components } from "./schema";

export type Schemas = components["schemas"];

const ClientContext = createContext<Client | null>(null);

export const ClientProvider = ClientContext.Provider;

export function useClient(): Client {
  const client = use(ClientContext);
  if (!client) throw new Error("useClient outside of ClientProvider");
  return client;
}
