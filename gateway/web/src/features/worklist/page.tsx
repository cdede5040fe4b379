/** To come. */
import { NotBuilt } from "@/ui/states";

export function WorklistPage() {
  return <NotBuilt />;
}
