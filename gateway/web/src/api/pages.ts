/** Lists come in pages: how one is read to its end, so that what is missing is never taken for what is not there. */
import { type QueryKey, type UseQueryOptions, useQuery } from "@tanstack/react-query";

/** As many as the API gives at once. */
export const MOST = 500;
/** No list of one patient is so long. One that is says that it is cut. */
const MOST_PAGES = 20;

export interface PageOf<T> {
  rows: T[];
  next: string;
}

/** How a page is asked for. */
export interface Paging {
  pageSize: number;
  pageToken: string | undefined;
}

type Ask<T> = (paging: Paging, signal: AbortSignal) => Promise<PageOf<T>>;
interface Row {
  id: string;
}

/** All rows of a list, or as many as are read at most: `isCut`. */
export interface Whole<T> {
  rows: T[];
  isCut: boolean;
}

/** A row that moves to another page while the pages are read is there once, as it was seen last. */
async function everyPage<T extends Row>(
  ask: (pageToken: string | undefined) => Promise<PageOf<T>>,
  mostPages: number,
): Promise<Whole<T>> {
  const rows = new Map<string, T>();
  let next = "";
  for (let page = 0; page < mostPages; page++) {
    const found = await ask(next || undefined);
    for (const row of found.rows) rows.set(row.id, row);
    if (found.next && found.next === next) throw new Error("the list does not go on");
    next = found.next;
    if (!next) break;
  }
  return { rows: [...rows.values()], isCut: Boolean(next) };
}

/** What a query asks for a list about one patient: all of it, since what matters may stand on the last page. */
export function whole<T extends Row>(ask: Ask<T>, pageSize = MOST) {
  return ({ signal }: { signal: AbortSignal }) =>
    everyPage((pageToken) => ask({ pageSize, pageToken }, signal), MOST_PAGES);
}

/** What a query asks for a list of the network itself: every row, as it ends with the network. */
export function every<T extends Row>(ask: Ask<T>) {
  return async ({ signal }: { signal: AbortSignal }) => {
    const asked = (pageToken: string | undefined) => ask({ pageSize: MOST, pageToken }, signal);
    return (await everyPage(asked, Number.POSITIVE_INFINITY)).rows;
  };
}

/** The state of a list that is read whole, as `Loaded` shows it. */
export interface WholeQuery<T> {
  data: T[] | undefined;
  isCut: boolean;
  error: unknown;
  refetch: () => Promise<unknown>;
}

interface Asked<T> {
  data: Whole<T> | undefined;
  error: unknown;
  refetch: () => Promise<unknown>;
}

export const shownOf = <T>({ data, error, refetch }: Asked<T>): WholeQuery<T> => ({
  data: data?.rows,
  isCut: data?.isCut ?? false,
  error,
  refetch,
});

/** A list of which `whole` makes the `queryFn`. */
export function useWhole<T, Key extends QueryKey>(
  options: UseQueryOptions<Whole<T>, Error, Whole<T>, Key>,
): WholeQuery<T> {
  return shownOf(useQuery(options));
}
