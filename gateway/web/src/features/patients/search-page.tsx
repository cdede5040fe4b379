/** To come. */
import { NotBuilt } from "@/ui/states";

export function PatientsPage() {
  return <NotBuilt />;
}
