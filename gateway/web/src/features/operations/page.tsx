/** To come. */
import { NotBuilt } from "@/ui/states";

export function OperationsPage() {
  return <NotBuilt />;
}
