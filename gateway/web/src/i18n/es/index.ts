/** Spanish, formal. Loaded when it is chosen. */
import type { Messages } from "../en";
import access from "./access.json";
import appointments from "./appointments.json";
import careplans from "./careplans.json";
import claims from "./claims.json";
import consents from "./consents.json";
import directory from "./directory.json";
import emergency from "./emergency.json";
import feeds from "./feeds.json";
import measures from "./measures.json";
import messaging from "./messaging.json";
import operations from "./operations.json";
import own from "./own.json";
import patients from "./patients.json";
import protocols from "./protocols.json";
import referrals from "./referrals.json";
import shell from "./shell.json";
import staff from "./staff.json";
import worklist from "./worklist.json";

const messages: Messages = {
  shell,
  worklist,
  patients,
  protocols,
  feeds,
  measures,
  staff,
  operations,
  access,
  careplans,
  appointments,
  directory,
  claims,
  messaging,
  referrals,
  consents,
  emergency,
  own,
};
export default messages;
