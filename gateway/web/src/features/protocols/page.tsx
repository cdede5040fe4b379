/** To come. */
import { NotBuilt } from "@/ui/states";

export function ProtocolsPage() {
  return <NotBuilt />;
}

export function ProtocolPage() {
  return <NotBuilt />;
}
