/** Tasks, loops and visits as the API answers them, for tests. Invented. */
import type { Encounter, Loop, Task } from "@/api/client";

type Owner = NonNullable<Task["owner"]>;

export function anOwner(fields: Partial<Owner> = {}): Owner {
  return {
    teamId: "nurses",
    staffId: "",
    accountableStaffId: "lead",
    displayName: "Nurses · lead D. Reyes",
    teamName: "Nurses",
    leadName: "D. Reyes",
    ...fields,
  };
}

export function aTask(fields: Partial<Task> = {}): Task {
  return {
    id: "task-1",
    etag: '"1"',
    facilityId: "mercy",
    patientId: "patient-1",
    patientName: "Marisol Ejemplo",
    loopId: "loop-1",
    step: "contact",
    title: "Call the patient or caregiver",
    description: "",
    role: "nurse",
    state: "STATE_OPEN",
    owner: anOwner(),
    startTime: "2026-09-04T22:40:00Z",
    dueTime: "2026-09-10T04:59:59Z",
    dueDate: { year: 2026, month: 9, day: 9 },
    dueExplanation: "",
    priority: { score: 37, terms: [] },
    why: "Discharge transition: Call the patient or caregiver",
    doneWhen: [],
    escalationLevel: 0,
    attempts: [],
    comments: [],
    outcome: "",
    outcomes: ["done"],
    closeReason: "",
    completedById: "",
    declineReason: "",
    labels: ["LABEL_NORMAL"],
    takesAttempts: false,
    ...fields,
  };
}

export function aLoop(fields: Partial<Loop> = {}): Loop {
  return {
    id: "loop-1",
    etag: '"1"',
    facilityId: "mercy",
    patientId: "patient-1",
    protocol: "discharge-transition",
    protocolVersion: 1,
    title: "Discharge transition",
    encounterId: "visit-1",
    breakGlassId: "",
    appointmentId: "",
    referralId: "",
    replyId: "",
    questionId: "",
    state: "STATE_OPEN",
    owner: anOwner(),
    clockTime: "2026-09-10T04:59:59Z",
    why: "",
    closesWhen: [],
    keyDates: [],
    evidence: [],
    closeReason: "",
    openTime: "2026-08-30T07:14:00Z",
    escalationLevel: 0,
    labels: ["LABEL_NORMAL"],
    ...fields,
  };
}

export function aVisit(fields: Partial<Encounter> = {}): Encounter {
  return {
    id: "visit-1",
    etag: '"1"',
    patientId: "patient-1",
    facilityId: "mercy",
    visitNumber: "V1",
    class: "CLASS_INPATIENT",
    state: "STATE_FINISHED",
    admitTime: "2026-08-30T07:14:00Z",
    dischargeTime: "2026-09-04T22:40:00Z",
    dischargeDisposition: "01",
    locations: [],
    diagnoses: [],
    attending: "",
    admitReason: "",
    admissionType: "",
    labels: ["LABEL_NORMAL"],
    labelVersion: 1,
    ...fields,
  };
}
