/** What the protocol screens ask for and change. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, type Protocol, read } from "@/api/client";
import { every } from "@/api/pages";
import { type DryRun, type Example, requestOf } from "./dry-run";
import { parseProtocol, type Shape } from "./parse";

export function useProtocols() {
  return useQuery({
    queryKey: ["protocols"],
    queryFn: every<Protocol>(async (query, signal) => {
      const page = await read(api.GET("/v1/protocols", { params: { query }, signal }));
      return { rows: page.protocols, next: page.nextPageToken };
    }),
  });
}

/** One version of a protocol; 0 is the newest. */
export function useProtocol(protocolId: string, version: number) {
  return useQuery({
    queryKey: ["protocols", protocolId, version],
    queryFn: ({ signal }) => {
      const params = { path: { protocolId }, query: { version: version || undefined } };
      return read(api.GET("/v1/protocols/{protocolId}", { params, signal }));
    },
    placeholderData: keepPreviousData,
  });
}

export function useShape(text: string): Shape | null {
  return useMemo(() => parseProtocol(text), [text]);
}

/** What a text would do for an example. Asked once for each; nothing is written. */
export function useDryRun(asked: { text: string; example: Example } | null) {
  return useQuery({
    queryKey: ["dry-run", asked],
    queryFn: async ({ signal }): Promise<DryRun> => {
      if (!asked) throw new Error("Nothing was asked.");
      const body = requestOf(asked.text, asked.example);
      return read(api.POST("/v1/protocols:dryRun", { body, signal }));
    },
    enabled: asked !== null,
    staleTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
  });
}

export function usePublish() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (text: string) => {
      // The server reads the key from the text; the id says only which resource is meant.
      const body = { id: "", text };
      return read(api.POST("/v1/protocols", { body }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["protocols"] }),
  });
}

const place = (protocolId: string) => `carehub-draft-${protocolId}`;

function kept(protocolId: string): string | null {
  try {
    return sessionStorage.getItem(place(protocolId));
  } catch {
    return null; // a browser that keeps nothing
  }
}

/** A text that is being written: kept for this window, null when there is none. It never names a patient. */
export function useDraft(protocolId: string): [string | null, (text: string | null) => void] {
  const [draft, set] = useState(() => kept(protocolId));
  const write = (text: string | null) => {
    set(text);
    try {
      if (text === null) sessionStorage.removeItem(place(protocolId));
      else sessionStorage.setItem(place(protocolId), text);
    } catch {
      // It stays in memory.
    }
  };
  return [draft, write];
}
