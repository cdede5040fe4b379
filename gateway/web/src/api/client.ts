/** The one way to the API: types from OpenAPI, errors as Failure, a key on every change so that it happens once. */
import createClient, { type Middleware } from "openapi-fetch";
import { inEmergency } from "./emergency";
import { onHubTime } from "./hub-time";
import type { components, paths } from "./schema.gen";
import { inTrace } from "./trace";

export type Problem = components["schemas"]["Problem"];

/** An answer of the API that is an error, or no answer at all (status 0). */
export class Failure extends Error {
  readonly status: number;
  readonly reason: string;
  readonly requestId: string;
  readonly fields: Problem["fieldViolations"];

  constructor(status: number, problem?: Partial<Problem>) {
    super(problem?.detail ?? "");
    this.status = status;
    this.reason = problem?.reason ?? (status ? "UNKNOWN" : "NO_ANSWER");
    this.requestId = problem?.requestId ?? "";
    this.fields = problem?.fieldViolations ?? [];
  }

  /** The few characters that a person can read out on the telephone. */
  get code(): string {
    return this.requestId.replaceAll("-", "").slice(-6).toUpperCase();
  }

  get isSignedOut(): boolean {
    return this.status === 401;
  }

  get isHidden(): boolean {
    return this.status === 403 || this.status === 404;
  }

  /** Whether the same request may work in a moment. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

const once: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    }
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: location.origin });
api.use(once, inEmergency, inTrace, onHubTime);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; anything else is thrown as a Failure. */
export async function read<T>(asked: Promise<Answer<T>>): Promise<Filled<T>> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Failure(0);
  }
  if (!answer.response.ok || answer.data === undefined) {
    throw new Failure(answer.response.status, answer.error as Partial<Problem>);
  }
  return answer.data as Filled<T>;
}

/** The fields that an answer leaves out when there is nothing to say. */
type Sometimes =
  | `${string}Time`
  | `${string}Date`
  | "time"
  | "date"
  | "priority"
  | "owner"
  | "before"
  | "after"
  | "review"
  | "consent"
  | "wishes"
  | "capacity"
  | "quantity"
  | "readBack";

/** As the API answers: every field is there, but for times, dates and parts that do not exist. */
export type Filled<T> = T extends (infer U)[]
  ? Filled<U>[]
  : T extends object
    ? {
        [K in keyof T as K extends Sometimes ? K : never]?: Filled<T[K]>;
      } & {
        [K in keyof T as K extends Sometimes ? never : K]-?: Filled<NonNullable<T[K]>>;
      }
    : T;

type Schemas = components["schemas"];
export type Me = Filled<Schemas["identity.GetMeResponse"]>;
export type Facility = Filled<Schemas["identity.Facility"]>;
export type StaffMember = Filled<Schemas["identity.StaffMember"]>;
export type Team = Filled<Schemas["identity.Team"]>;
export type Organization = Filled<Schemas["identity.Organization"]>;
export type Task = Filled<Schemas["tasking.Task"]>;
export type Loop = Filled<Schemas["tasking.Loop"]>;
export type Protocol = Filled<Schemas["tasking.Protocol"]>;
export type CarePlan = Filled<Schemas["careplans.CarePlan"]>;
export type Reconciliation = Filled<Schemas["careplans.Reconciliation"]>;
export type Preferences = Filled<Schemas["careplans.Preferences"]>;
export type Patient = Filled<Schemas["registry.Patient"]>;
export type Encounter = Filled<Schemas["registry.Encounter"]>;
export type Observation = Filled<Schemas["registry.Observation"]>;
export type Feed = Filled<Schemas["interop.Feed"]>;
export type FeedMessage = Filled<Schemas["interop.FeedMessage"]>;
export type BreakGlass = Filled<Schemas["identity.BreakGlass"]>;
export type Explanation = Filled<Schemas["identity.AccessExplanation"]>;
export type Thread = Filled<Schemas["messaging.Thread"]>;
export type Contact = Filled<Schemas["messaging.Contact"]>;
export type PatientMessage = Filled<Schemas["messaging.PatientMessage"]>;
export type TelephoneEntry = Filled<Schemas["messaging.TelephoneEntry"]>;
export type Referral = Filled<Schemas["referrals.Referral"]>;
export type Match = Filled<Schemas["referrals.Match"]>;
export type Appointment = Filled<Schemas["scheduling.Appointment"]>;
export type Slot = Filled<Schemas["scheduling.Slot"]>;
export type Schedule = Filled<Schemas["scheduling.Schedule"]>;
type Candidate = Filled<Schemas["tasking.ClaimCandidate"]>;
export type ClaimCandidate = Omit<Candidate, "decision"> & Partial<Pick<Candidate, "decision">>;
export type TimeEntry = Filled<Schemas["tasking.TimeEntry"]>;
export type Day = Schemas["google.type.Date"];
