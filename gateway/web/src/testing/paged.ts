/** An API that gives a list page by page, for tests. */
type Rows = { id: string }[];

interface Answer {
  [field: string]: unknown;
}

/** What `fetch` answers for addresses that begin so: `size` rows at a time, whatever is asked for. */
export class PagedApi {
  readonly asked: string[] = [];
  private readonly lists = new Map<string, { field: string; rows: Rows; size: number }>();

  list(path: string, field: string, rows: Rows, size: number) {
    this.lists.set(path, { field, rows, size });
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    this.asked.push(`${pathname}?${searchParams}`);
    const found = this.lists.get(pathname);
    if (!found) return Response.json({}, { status: 404 });
    const from = Number(searchParams.get("pageToken") ?? 0);
    const to = from + found.size;
    const answer: Answer = {
      [found.field]: found.rows.slice(from, to),
      nextPageToken: to < found.rows.length ? String(to) : "",
    };
    return Response.json(answer);
  };
}

export const rowsOf = (count: number): Rows =>
  Array.from({ length: count }, (_, place) => ({ id: `row-${place}` }));

let answering: PagedApi | undefined;

/** From now on this API is asked. */
export function answer(api: PagedApi) {
  answering = api;
}

/** What the client of the API takes for `fetch` when it is made: no unit test goes to a network. */
export const asked: typeof fetch = (request) =>
  answering?.fetch(request as Request) ?? Promise.reject(new Error("Nobody answers."));
