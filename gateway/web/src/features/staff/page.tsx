/** Staff and teams: who may do what where, who answers for each team, and at which team escalations end. */
import { Button, Checkbox, NativeSelect } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { StaffMember } from "@/api/client";
import { useFacilities, useMay } from "@/api/queries";
import { Chips } from "@/ui/chips";
import { Page } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { useAllStaff, useAllTeams } from "./hooks";
import { People } from "./people";
import { PersonDialog } from "./person-dialog";
import styles from "./staff.module.css";
import { TeamDialog } from "./team-dialog";
import { Teams } from "./teams";

export function StaffPage() {
  const t = useTranslations("staff");
  const search = useSearch({ from: "/shell/staff" });
  const go = useNavigate({ from: "/staff" });
  const may = useMay("staff.write");
  const staff = useAllStaff();
  const teams = useAllTeams();
  const facilities = [...useFacilities().values()];
  const [isAdding, add] = useState(false);
  const [hasLeft, showLeft] = useState(false);
  const isTeams = search.show === "teams";
  const change = (to: typeof search) =>
    void go({ search: (old) => ({ ...old, ...to }), replace: true });
  const both = {
    data: staff.data && teams.data ? { staff: staff.data, teams: teams.data } : undefined,
    error: staff.error ?? teams.error,
    refetch: () => Promise.all([staff.refetch(), teams.refetch()]),
  };
  const wanted = (one: StaffMember) =>
    (hasLeft || one.state === "STATE_ACTIVE") && worksAt(one, search.facility);
  return (
    <Page
      title={t("title")}
      beside={
        <Chips
          label={t("show")}
          chosen={isTeams ? "teams" : "people"}
          choose={(show) => change({ show: show === "teams" ? "teams" : undefined })}
          options={[
            { key: "people", label: t("people") },
            { key: "teams", label: t("teams") },
          ]}
        />
      }
      actions={
        may && (
          <Button
            leftSection={<IconPlus size={16} stroke={1.9} aria-hidden="true" />}
            onClick={() => add(true)}
          >
            {isTeams ? t("addTeam") : t("add")}
          </Button>
        )
      }
    >
      <div className={styles.filters}>
        <NativeSelect
          size="xs"
          aria-label={t("facility")}
          value={search.facility ?? ""}
          onChange={(event) => change({ facility: event.currentTarget.value || undefined })}
          data={[
            { value: "", label: t("allFacilities") },
            ...facilities.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        {!isTeams && (
          <Checkbox
            size="xs"
            label={t("left")}
            checked={hasLeft}
            onChange={(event) => showLeft(event.currentTarget.checked)}
          />
        )}
      </div>
      <Loaded query={both} title={t("failed")}>
        {(data) =>
          isTeams ? (
            <Teams
              facilities={facilities.filter(({ id }) => !search.facility || id === search.facility)}
              {...data}
            />
          ) : (
            <People shown={data.staff.filter(wanted)} {...data} />
          )
        }
      </Loaded>
      {isAdding && !isTeams && <PersonDialog close={() => add(false)} />}
      {isAdding && isTeams && (
        <TeamDialog
          facilityId={search.facility}
          staff={staff.data ?? []}
          close={() => add(false)}
        />
      )}
    </Page>
  );
}

/** With a role at the facility, or in the whole network. */
function worksAt({ roles }: StaffMember, facilityId?: string): boolean {
  return !facilityId || roles.some((role) => !role.facilityId || role.facilityId === facilityId);
}
