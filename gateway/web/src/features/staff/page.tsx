/** To come. */
import { NotBuilt } from "@/ui/states";

export function StaffPage() {
  return <NotBuilt />;
}
