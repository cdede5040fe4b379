/** Every address of the console. Screens are loaded when they are opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
} from "@tanstack/react-router";
import { useMe } from "@/api/queries";
import { STATE_KEYS, type StateKey } from "@/features/feeds/accounts";
import { STATUSES, type Status } from "@/features/measures/statuses";
import { SignedInPage } from "@/features/signin/page";
import { screensFor } from "@/navigation";
import { Broken } from "@/ui/broken";
import { Shell } from "@/ui/shell";
import { NoAccess } from "@/ui/states";

const root = createRootRoute({ notFoundComponent: () => <NoAccess /> });

const signedIn = createRoute({
  getParentRoute: () => root,
  path: "/signed-in",
  component: SignedInPage,
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: Shell,
  errorComponent: Broken,
});

function Home() {
  const [first] = screensFor(useMe().permissions);
  return first ? <Navigate to={first.path} replace /> : <NoAccess />;
}

const home = createRoute({ getParentRoute: () => shell, path: "/", component: Home });

const SCOPES = ["mine", "team", "unclaimed", "all"] as const;
export type WorklistScope = (typeof SCOPES)[number];
export interface WorklistSearch {
  scope?: WorklistScope;
  facility?: string;
  task?: string;
}

const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);

const worklist = createRoute({
  getParentRoute: () => shell,
  path: "/worklist",
  validateSearch: (search: Record<string, unknown>): WorklistSearch => ({
    scope: SCOPES.find((scope) => scope === search.scope),
    facility: text(search.facility),
    task: text(search.task),
  }),
  component: lazyRouteComponent(() => import("@/features/worklist/page"), "WorklistPage"),
});

const patients = createRoute({
  getParentRoute: () => shell,
  path: "/patients",
  component: lazyRouteComponent(() => import("@/features/patients/search-page"), "PatientsPage"),
});

const patient = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId",
  component: lazyRouteComponent(() => import("@/features/patients/page"), "PatientPage"),
});

export interface AppointmentsSearch {
  facility?: string;
  day?: string;
  appointment?: string;
}

const appointments = createRoute({
  getParentRoute: () => shell,
  path: "/appointments",
  validateSearch: (search: Record<string, unknown>): AppointmentsSearch => ({
    facility: text(search.facility),
    day: text(search.day),
    appointment: text(search.appointment),
  }),
  component: lazyRouteComponent(() => import("@/features/appointments/page"), "AppointmentsPage"),
});

const patientAppointments = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/appointments",
  component: lazyRouteComponent(
    () => import("@/features/appointments/of-patient"),
    "PatientAppointmentsPage",
  ),
});

export interface BookSearch {
  facility?: string;
  /** The appointment in whose place it is booked. */
  replaces?: string;
  /** Whoever came from the day of a facility goes back there. */
  back?: "day";
}

const book = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/book",
  validateSearch: (search: Record<string, unknown>): BookSearch => ({
    facility: text(search.facility),
    replaces: text(search.replaces),
    back: search.back === "day" ? "day" : undefined,
  }),
  component: lazyRouteComponent(() => import("@/features/appointments/book-page"), "BookPage"),
});

export interface DirectorySearch {
  service?: string;
}

const directory = createRoute({
  getParentRoute: () => shell,
  path: "/directory",
  validateSearch: (search: Record<string, unknown>): DirectorySearch => ({
    service: text(search.service),
  }),
  component: lazyRouteComponent(() => import("@/features/directory/page"), "DirectoryPage"),
});

export interface ClaimsSearch {
  facility?: string;
  loop?: string;
}

const claims = createRoute({
  getParentRoute: () => shell,
  path: "/claims",
  validateSearch: (search: Record<string, unknown>): ClaimsSearch => ({
    facility: text(search.facility),
    loop: text(search.loop),
  }),
  component: lazyRouteComponent(() => import("@/features/claims/page"), "ClaimsPage"),
});

export interface AccessSearch {
  show?: "why";
}

const access = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/access",
  validateSearch: (search: Record<string, unknown>): AccessSearch => ({
    show: search.show === "why" ? "why" : undefined,
  }),
  component: lazyRouteComponent(() => import("@/features/access/page"), "AccessPage"),
});

const plan = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/plan",
  component: lazyRouteComponent(() => import("@/features/careplans/page"), "PlanPage"),
});

const messages = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/messages",
  component: lazyRouteComponent(() => import("@/features/messaging/page"), "MessagesPage"),
});

export interface TelephoneSearch {
  patient?: string;
}

const telephone = createRoute({
  getParentRoute: () => shell,
  path: "/telephone",
  validateSearch: (search: Record<string, unknown>): TelephoneSearch => ({
    patient: text(search.patient),
  }),
  component: lazyRouteComponent(() => import("@/features/messaging/telephone"), "TelephonePage"),
});

export interface HelpSearch {
  loop?: string;
  /** A service of the directory that was chosen before. */
  service?: string;
}

const help = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/help",
  validateSearch: (search: Record<string, unknown>): HelpSearch => ({
    loop: text(search.loop),
    service: text(search.service),
  }),
  component: lazyRouteComponent(() => import("@/features/referrals/page"), "HelpPage"),
});

const consents = createRoute({
  getParentRoute: () => shell,
  path: "/patients/$patientId/consents",
  component: lazyRouteComponent(() => import("@/features/consents/page"), "ConsentsPage"),
});

const reviews = createRoute({
  getParentRoute: () => shell,
  path: "/emergencies",
  component: lazyRouteComponent(() => import("@/features/emergency/reviews"), "ReviewsPage"),
});

const protocols = createRoute({
  getParentRoute: () => shell,
  path: "/protocols",
  component: lazyRouteComponent(() => import("@/features/protocols/page"), "ProtocolsPage"),
});

export interface ProtocolSearch {
  step?: string;
  view?: "text";
  version?: number;
}

const protocol = createRoute({
  getParentRoute: () => shell,
  path: "/protocols/$protocolId",
  validateSearch: (search: Record<string, unknown>): ProtocolSearch => ({
    step: text(search.step),
    view: search.view === "text" ? "text" : undefined,
    version: Number(search.version) || undefined,
  }),
  component: lazyRouteComponent(() => import("@/features/protocols/page"), "ProtocolPage"),
});

export interface FeedsSearch {
  feed?: string;
  state?: StateKey;
  message?: string;
}

const feeds = createRoute({
  getParentRoute: () => shell,
  path: "/feeds",
  validateSearch: (search: Record<string, unknown>): FeedsSearch => ({
    feed: text(search.feed),
    state: STATE_KEYS.find((state) => state === search.state),
    message: text(search.message),
  }),
  component: lazyRouteComponent(() => import("@/features/feeds/page"), "FeedsPage"),
});

export interface MeasuresSearch {
  facility?: string;
  measure?: string;
  status?: Status;
}

const measures = createRoute({
  getParentRoute: () => shell,
  path: "/measures",
  validateSearch: (search: Record<string, unknown>): MeasuresSearch => ({
    facility: text(search.facility),
    measure: text(search.measure),
    status: STATUSES.find((status) => status === search.status),
  }),
  component: lazyRouteComponent(() => import("@/features/measures/page"), "MeasuresPage"),
});

export interface StaffSearch {
  show?: "teams";
  facility?: string;
}

const staff = createRoute({
  getParentRoute: () => shell,
  path: "/staff",
  validateSearch: (search: Record<string, unknown>): StaffSearch => ({
    show: search.show === "teams" ? "teams" : undefined,
    facility: text(search.facility),
  }),
  component: lazyRouteComponent(() => import("@/features/staff/page"), "StaffPage"),
});

export interface OperationsSearch {
  service?: string;
}

const operations = createRoute({
  getParentRoute: () => shell,
  path: "/operations",
  validateSearch: (search: Record<string, unknown>): OperationsSearch => ({
    service: text(search.service),
  }),
  component: lazyRouteComponent(() => import("@/features/operations/page"), "OperationsPage"),
});

const tree = root.addChildren([
  signedIn,
  shell.addChildren([
    home,
    worklist,
    patients,
    patient,
    appointments,
    patientAppointments,
    book,
    directory,
    claims,
    access,
    plan,
    messages,
    telephone,
    help,
    consents,
    reviews,
    protocols,
    protocol,
    feeds,
    measures,
    staff,
    operations,
  ]),
]);

export const router = createRouter({ routeTree: tree, defaultPreload: "intent" });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
  interface HistoryState {
    /** What is needed, from one screen to the next: never in an address. */
    need?: string;
  }
}
