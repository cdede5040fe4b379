"""Who may call what: one line for every RPC, written down by hand, sharing nothing with the contracts nor the table of roles.

An RPC that is not here has no expected answers, and fails the matrix.
"""

from tests.reference.facts import words

ROLES = words(
    "network_admin facility_admin coordinator nurse physician pharmacist social_worker community_health_worker "
    "scheduler analyst privacy_officer integration operator"
)
# Those whom no role makes.
NOBODY, NO_ROLE, LEFT = "nobody", "somebody without a role", "somebody who was deactivated"
# As which identity lets in whoever asks for their own record, or for that of somebody they act for.
PATIENT = "a patient"
SERVICES = words(
    "analytics careplans identity interop messaging referrals registry scheduling tasking"
)
CALLERS = [
    *sorted(ROLES),
    NOBODY,
    NO_ROLE,
    LEFT,
    PATIENT,
    *(f"service {name}" for name in sorted(SERVICES)),
]

GROUPS = {
    "ANYBODY": frozenset(CALLERS),
    "SIGNED_IN": ROLES | {NO_ROLE, PATIENT},
    # They see how their record is used, and nothing else.
    "PATIENTS": frozenset({PATIENT}),
    "EVERY_ROLE": ROLES,
    # They arrange care, and see patients.
    "CARE": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker scheduler privacy_officer"
    ),
    "PLANS": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker"
    ),
    "RECONCILERS": words("nurse physician pharmacist"),
    "RISKS_SEEN": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker scheduler"
    ),
    # Numbers, of which some open to patients for whom may see those.
    "MEASURES_SEEN": words("analyst coordinator facility_admin network_admin physician"),
    # They care for the patient: they write to them, and about them among themselves.
    "TALK": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker scheduler"
    ),
    "RECORDS": words("coordinator nurse physician"),
    "CONSENTS": words("coordinator nurse physician social_worker"),
    "CONSENTS_SEEN": words("coordinator nurse physician social_worker privacy_officer"),
    "CLINICAL": words("nurse physician pharmacist"),
    "GLASS_SEEN": words("nurse physician pharmacist privacy_officer"),
    "PHYSICIAN": words("physician"),
    # They refer to partners, and keep what is known of them.
    "DIRECTORY_SEEN": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker scheduler analyst"
    ),
    "DIRECTORY": words("coordinator social_worker network_admin"),
    "REFERRALS_SEEN": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker scheduler"
    ),
    "REFERRERS": words(
        "coordinator nurse physician social_worker community_health_worker scheduler"
    ),
    "PRIVACY": words("privacy_officer"),
    # They run the network, its places and its systems.
    "NETWORK": words("network_admin"),
    "ADMINS": words("network_admin facility_admin"),
    "STAFF_SEEN": words(
        "network_admin facility_admin coordinator nurse physician pharmacist social_worker privacy_officer"
    ),
    "BILLING_SEEN": words("coordinator physician"),
    "EXPLAINERS": words("facility_admin privacy_officer"),
    "AGREEMENTS": words("network_admin privacy_officer"),
    "AGREEMENTS_SEEN": words("network_admin facility_admin privacy_officer"),
    "AUDITORS": words("network_admin privacy_officer"),
    "PROTOCOLS_SEEN": words(
        "network_admin coordinator nurse physician pharmacist social_worker analyst privacy_officer operator"
    ),
    "FEEDS_SEEN": words("network_admin facility_admin coordinator integration operator"),
    "FEEDS": words("network_admin integration"),
    "RAW": words("integration"),
    "WATCH": words("network_admin integration operator"),
    "OPERATE": words("network_admin operator"),
    # Who comes when.
    "APPOINTMENTS": words("coordinator nurse physician social_worker community_health_worker scheduler"),
    "APPOINTMENTS_SEEN": words(
        "coordinator nurse physician pharmacist social_worker community_health_worker scheduler"
    ),
    "SCHEDULES": words("network_admin facility_admin scheduler"),
    "SCHEDULES_SEEN": words(
        "network_admin facility_admin coordinator nurse physician pharmacist social_worker community_health_worker "
        "scheduler"
    ),
    # Machines.
    "HOLDERS": frozenset({"service analytics", "service careplans", "service messaging", "service referrals", "service registry", "service scheduling", "service tasking"}),
    "SENDERS": frozenset({"service referrals"}),
    "IDENTITY": frozenset({"service identity"}),
}  # fmt: skip

_TABLE = """
analytics.AnalyticsService ListRisks RISKS_SEEN
analytics.AnalyticsService ListMeasures MEASURES_SEEN
analytics.AnalyticsService ListMeasureUnits CARE
analytics.AnalyticsService ApplyAccess IDENTITY
analytics.AnalyticsService ListAudit AUDITORS
analytics.AnalyticsService ListLooks CARE
analytics.AnalyticsService GetStatus WATCH
analytics.AnalyticsService ListParked WATCH
analytics.AnalyticsService ReplayParked OPERATE
analytics.AnalyticsService DiscardParked OPERATE
careplans.CareplansService GetCarePlan PLANS
careplans.CareplansService ListCarePlans PLANS
careplans.CareplansService OpenCarePlan PLANS
careplans.CareplansService CompleteCarePlan PLANS
careplans.CareplansService NameCoordinator PLANS
careplans.CareplansService AddGoal PLANS
careplans.CareplansService UpdateGoal PLANS
careplans.CareplansService MeetGoal PLANS
careplans.CareplansService DropGoal PLANS
careplans.CareplansService AddActivity PLANS
careplans.CareplansService UpdateActivity PLANS
careplans.CareplansService CompleteActivity PLANS
careplans.CareplansService DropActivity PLANS
careplans.CareplansService ListTemplates PLANS
careplans.CareplansService GetPreferences PLANS
careplans.CareplansService UpdatePreferences PLANS
careplans.CareplansService ApplyAccess IDENTITY
careplans.CareplansService ListAudit AUDITORS
careplans.CareplansService ListLooks CARE
careplans.CareplansService GetStatus WATCH
careplans.CareplansService ListParked WATCH
careplans.CareplansService ReplayParked OPERATE
careplans.CareplansService DiscardParked OPERATE
careplans.ReconciliationService EnterMedicines RECONCILERS
careplans.ReconciliationService ListMedicineLists PLANS
careplans.ReconciliationService ParseMedicines RECONCILERS
careplans.ReconciliationService OpenReconciliation RECONCILERS
careplans.ReconciliationService GetReconciliation PLANS
careplans.ReconciliationService ListReconciliations PLANS
careplans.ReconciliationService DecideLine RECONCILERS
careplans.ReconciliationService KeepSame RECONCILERS
careplans.ReconciliationService SignReconciliation RECONCILERS
careplans.ReconciliationService AnswerLine RECONCILERS
identity.AccessService ExplainAccess EXPLAINERS
identity.AccessService ExplainMyAccess SIGNED_IN
identity.AccessService CheckDisclosure SENDERS
identity.AccessService ListDisclosures AUDITORS
identity.AccessService NamePeople CARE
identity.AgreementService CreateAgreement AGREEMENTS
identity.AgreementService ChangeAgreement AGREEMENTS
identity.AgreementService EndAgreement AGREEMENTS
identity.AgreementService GetAgreement AGREEMENTS_SEEN
identity.AgreementService ListAgreements AGREEMENTS_SEEN
identity.BreakGlassService BreakGlass CLINICAL
identity.BreakGlassService EndBreakGlass CLINICAL
identity.BreakGlassService ReviewBreakGlass PRIVACY
identity.BreakGlassService GetBreakGlass GLASS_SEEN
identity.BreakGlassService ListBreakGlass GLASS_SEEN
identity.CareTeamService JoinCareTeam RECORDS
identity.CareTeamService LeaveCareTeam RECORDS
identity.CareTeamService ListCareTeam CARE
identity.CareTeamService RecordReferral RECORDS
identity.CareTeamService EndReferral RECORDS
identity.ConsentService GiveConsent CONSENTS
identity.ConsentService ChangeConsent CONSENTS
identity.ConsentService WithdrawConsent CONSENTS
identity.ConsentService GetConsent CONSENTS_SEEN
identity.ConsentService ListConsents CONSENTS_SEEN
identity.ConsentService PreviewConsent CONSENTS
identity.HoldService HoldRelease PHYSICIAN
identity.HoldService EndHold PHYSICIAN
identity.HoldService ListHolds CONSENTS_SEEN
identity.HolderService ListAccess HOLDERS
identity.ProxyService AddProxy CONSENTS
identity.ProxyService RevokeProxy CONSENTS
identity.ProxyService BarProxy CONSENTS
identity.ProxyService ListProxies CONSENTS_SEEN
identity.ProxyService LinkPatientAccount CONSENTS
identity.ProxyService UnlinkPatientAccount CONSENTS
identity.IdentityService ExchangeToken ANYBODY
identity.IdentityService GetCallerKeys ANYBODY
identity.IdentityService GetMe SIGNED_IN
identity.IdentityService FilterVisible CARE
identity.IdentityService ListOrganizations EVERY_ROLE
identity.IdentityService CreateOrganization NETWORK
identity.IdentityService GetFacility EVERY_ROLE
identity.IdentityService ListFacilities EVERY_ROLE
identity.IdentityService CreateFacility ADMINS
identity.IdentityService UpdateFacility ADMINS
identity.IdentityService GetStaffMember STAFF_SEEN
identity.IdentityService ListStaff STAFF_SEEN
identity.IdentityService CreateStaffMember ADMINS
identity.IdentityService UpdateStaffMember ADMINS
identity.IdentityService DeactivateStaffMember ADMINS
identity.IdentityService GetTeam STAFF_SEEN
identity.IdentityService ListTeams STAFF_SEEN
identity.IdentityService CreateTeam ADMINS
identity.IdentityService UpdateTeam ADMINS
identity.IdentityService ListAudit AUDITORS
identity.IdentityService ListLooks CARE
identity.IdentityService ListOwnLooks PATIENTS
identity.OwnRecordService GetOwnRecords PATIENTS
identity.OwnRecordService GetOwnEmergencies PATIENTS
identity.OwnRecordService GetOwnLookNames PATIENTS
identity.IdentityService GetStatus WATCH
identity.IdentityService ListParked WATCH
identity.IdentityService ReplayParked OPERATE
identity.IdentityService DiscardParked OPERATE
interop.InteropService GetFeed FEEDS_SEEN
interop.InteropService ListFeeds FEEDS_SEEN
interop.InteropService CreateFeed FEEDS
interop.InteropService UpdateFeed FEEDS
interop.InteropService MuteFeed FEEDS
interop.InteropService SendMessage FEEDS
interop.InteropService ListMessages FEEDS_SEEN
interop.InteropService GetMessage RAW
interop.InteropService ReplayMessage FEEDS
interop.InteropService ReplayMessages FEEDS
interop.InteropService TryMessage FEEDS_SEEN
interop.InteropService ListRefusals FEEDS_SEEN
interop.InteropService ListAudit AUDITORS
interop.InteropService ListLooks CARE
interop.InteropService ListOwnLooks PATIENTS
interop.InteropService GetStatus WATCH
interop.InteropService ListParked WATCH
interop.InteropService ReplayParked OPERATE
interop.InteropService DiscardParked OPERATE
referrals.PartnerService OpenRequest ANYBODY
referrals.PartnerService AnswerRequest ANYBODY
referrals.PartnerService FinishRequest ANYBODY
referrals.ReferralsService ImportDirectory DIRECTORY
referrals.ReferralsService ExportDirectory DIRECTORY_SEEN
referrals.ReferralsService ListOrganizations DIRECTORY_SEEN
referrals.ReferralsService GetService DIRECTORY_SEEN
referrals.ReferralsService SearchServices DIRECTORY_SEEN
referrals.ReferralsService SetCapacity DIRECTORY
referrals.ReferralsService CreateReferral REFERRERS
referrals.ReferralsService SendReferral REFERRERS
referrals.ReferralsService CancelReferral REFERRERS
referrals.ReferralsService RecordAnswer REFERRERS
referrals.ReferralsService AskNext REFERRERS
referrals.ReferralsService CreatePartnerLink REFERRERS
referrals.ReferralsService GetReferral REFERRALS_SEEN
referrals.ReferralsService ListReferrals REFERRALS_SEEN
referrals.ReferralsService ApplyAccess IDENTITY
referrals.ReferralsService ListAudit AUDITORS
referrals.ReferralsService ListLooks CARE
referrals.ReferralsService GetStatus WATCH
referrals.ReferralsService ListParked WATCH
referrals.ReferralsService ReplayParked OPERATE
referrals.ReferralsService DiscardParked OPERATE
messaging.MessagingService GetContact TALK
messaging.MessagingService UpdateContact TALK
messaging.MessagingService ListMessages TALK
messaging.MessagingService SendMessage TALK
messaging.MessagingService StartThread TALK
messaging.MessagingService GetThread TALK
messaging.MessagingService ListThreads TALK
messaging.MessagingService PostMessage TALK
messaging.MessagingService AcceptThread TALK
messaging.MessagingService CloseThread TALK
messaging.MessagingService MarkRead TALK
messaging.MessagingService ListTelephone TALK
messaging.MessagingService AnswerAsPatient TALK
messaging.MessagingService ApplyAccess IDENTITY
messaging.MessagingService ListAudit AUDITORS
messaging.MessagingService ListLooks CARE
messaging.MessagingService GetStatus WATCH
messaging.MessagingService ListParked WATCH
messaging.MessagingService ReplayParked OPERATE
messaging.MessagingService DiscardParked OPERATE
registry.RegistryService GetPatient CARE
registry.RegistryService GetOwnRecord PATIENTS
registry.RegistryService CreatePatient RECORDS
registry.RegistryService UpdatePatient RECORDS
registry.RegistryService SearchPatients CARE
registry.RegistryService FindForEmergency CLINICAL
registry.RegistryService GetEncounter CARE
registry.RegistryService ListEncounters CARE
registry.RegistryService ListObservations CARE
registry.RegistryService ApplyAccess IDENTITY
registry.RegistryService ListAudit AUDITORS
registry.RegistryService ListLooks CARE
registry.RegistryService ListOwnLooks PATIENTS
registry.RegistryService GetStatus WATCH
registry.RegistryService ListParked WATCH
registry.RegistryService ReplayParked OPERATE
registry.RegistryService DiscardParked OPERATE
scheduling.SchedulingService CreateSchedule SCHEDULES
scheduling.SchedulingService UpdateSchedule SCHEDULES
scheduling.SchedulingService ListSchedules SCHEDULES_SEEN
scheduling.SchedulingService GetSchedule SCHEDULES_SEEN
scheduling.SchedulingService ListFreeSlots APPOINTMENTS_SEEN
scheduling.SchedulingService BookAppointment APPOINTMENTS
scheduling.SchedulingService RebookAppointment APPOINTMENTS
scheduling.SchedulingService CancelAppointment APPOINTMENTS
scheduling.SchedulingService CheckInAppointment APPOINTMENTS
scheduling.SchedulingService CompleteAppointment APPOINTMENTS
scheduling.SchedulingService MarkMissed APPOINTMENTS
scheduling.SchedulingService GetAppointment APPOINTMENTS_SEEN
scheduling.SchedulingService ListAppointments APPOINTMENTS_SEEN
scheduling.SchedulingService ApplyAccess IDENTITY
scheduling.SchedulingService ListAudit AUDITORS
scheduling.SchedulingService ListLooks CARE
scheduling.SchedulingService GetStatus WATCH
scheduling.SchedulingService ListParked WATCH
scheduling.SchedulingService ReplayParked OPERATE
scheduling.SchedulingService DiscardParked OPERATE
tasking.TaskingService GetLoop CARE
tasking.TaskingService ListLoops CARE
tasking.TaskingService GetTask CARE
tasking.TaskingService ListTasks CARE
tasking.TaskingService CountTasks CARE
tasking.TaskingService ClaimTask CARE
tasking.TaskingService AssignTask CARE
tasking.TaskingService DeclineTask CARE
tasking.TaskingService CommentOnTask CARE
tasking.TaskingService RecordContactAttempt CARE
tasking.TaskingService CompleteTask CARE
tasking.TaskingService RecordTime CARE
tasking.TaskingService CorrectTime CARE
tasking.TaskingService ListTime CARE
tasking.TaskingService GetClaimCandidate BILLING_SEEN
tasking.TaskingService ListClaimCandidates BILLING_SEEN
tasking.TaskingService RecordMedicalDecision PHYSICIAN
tasking.TaskingService GetProtocol PROTOCOLS_SEEN
tasking.TaskingService ListProtocols PROTOCOLS_SEEN
tasking.TaskingService ValidateProtocol PROTOCOLS_SEEN
tasking.TaskingService DryRunProtocol PROTOCOLS_SEEN
tasking.TaskingService PublishProtocol NETWORK
tasking.TaskingService ApplyAccess IDENTITY
tasking.TaskingService ListAudit AUDITORS
tasking.TaskingService ListLooks CARE
tasking.TaskingService ListOwnLooks PATIENTS
tasking.TaskingService GetStatus WATCH
tasking.TaskingService ListParked WATCH
tasking.TaskingService ReplayParked OPERATE
tasking.TaskingService DiscardParked OPERATE
"""

# By the path of the RPC: who is let through. Everybody else is refused before a line of the service has run.
LET_THROUGH: dict[str, frozenset[str]] = {
    f"/carehub.{contract.replace('.', '.v1.')}/{rpc}": GROUPS[group]
    for contract, rpc, group in (line.split() for line in _TABLE.split("\n") if line)
}
