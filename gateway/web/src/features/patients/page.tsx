/** To come. */
import { NotBuilt } from "@/ui/states";

export function PatientPage() {
  return <NotBuilt />;
}
