/** Tasks, loops and visits as the API answers them, for tests. Invented. */
import type { Encounter, Loop, Observation, Task } from "@/api/client";

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
    readBackOutcomes: [],
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
    resultId: "",
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

export function aResult(fields: Partial<Observation> = {}): Observation {
  return {
    id: "result-1",
    etag: '"1"',
    patientId: "patient-1",
    facilityId: "mercy",
    number: "F-1",
    code: "2823-3",
    codeSystem: "LN",
    subId: "",
    name: "Potassium",
    panel: "Basic panel",
    state: "STATE_FINAL",
    value: "6.8",
    quantity: 6.8,
    unit: "mmol/L",
    referenceRange: "3.5-5.1",
    flags: ["HH"],
    criticality: "CRITICALITY_HIGH",
    criticalVersion: 1,
    analyte: "potassium",
    observedTime: "2026-09-04T07:00:00Z",
    reportTime: "2026-09-04T07:10:00Z",
    orderer: "",
    laboratory: "Main",
    note: "",
    labels: ["LABEL_NORMAL"],
    labelVersion: 1,
    ...fields,
  };
}
