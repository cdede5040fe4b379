/** The screens: where they are, who may open them, and how the menu shows them. */
import {
  IconCalendar,
  IconChartLine,
  IconHeartHandshake,
  IconHeartRateMonitor,
  IconListCheck,
  IconPlugConnected,
  IconReceipt,
  IconRoute,
  IconUrgent,
  IconUserPlus,
  IconUsers,
} from "@tabler/icons-react";

export const SCREENS = [
  { key: "worklist", path: "/worklist", needs: "tasks.read", icon: IconListCheck, isCare: true },
  { key: "patients", path: "/patients", needs: "patients.read", icon: IconUsers, isCare: true },
  {
    key: "appointments",
    path: "/appointments",
    needs: "appointments.read",
    icon: IconCalendar,
    isCare: true,
  },
  {
    key: "directory",
    path: "/directory",
    needs: "directory.read",
    icon: IconHeartHandshake,
    isCare: true,
  },
  { key: "claims", path: "/claims", needs: "billing.read", icon: IconReceipt, isCare: true },
  {
    key: "emergencies",
    path: "/emergencies",
    needs: "glass.review",
    icon: IconUrgent,
    isCare: true,
  },
  {
    key: "measures",
    path: "/measures",
    needs: "measures.read",
    icon: IconChartLine,
    isCare: false,
  },
  { key: "protocols", path: "/protocols", needs: "protocols.read", icon: IconRoute, isCare: false },
  { key: "feeds", path: "/feeds", needs: "feeds.read", icon: IconPlugConnected, isCare: false },
  { key: "staff", path: "/staff", needs: "staff.read", icon: IconUserPlus, isCare: false },
  {
    key: "operations",
    path: "/operations",
    needs: "operations.read",
    icon: IconHeartRateMonitor,
    isCare: false,
  },
] as const;

export type Screen = (typeof SCREENS)[number];

export function screensFor(permissions: readonly string[]): Screen[] {
  return SCREENS.filter(({ needs }) => permissions.includes(needs));
}
