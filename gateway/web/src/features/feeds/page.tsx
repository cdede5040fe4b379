/** To come. */
import { NotBuilt } from "@/ui/states";

export function FeedsPage() {
  return <NotBuilt />;
}
