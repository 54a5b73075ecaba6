"""Say which facts are needed, and collect them through a port."""

from bot.evidence.aftermath import Aftermath as Aftermath, look_back as look_back
from bot.evidence.ahead import (
    needs_ahead as needs_ahead,
)
from bot.evidence.broken_policies import (
    Rules as Rules,
    tell_broken as tell_broken,
)
from bot.evidence.facts import (
    AccessOf as AccessOf,
    Account as Account,
    Act as Act,
    Activity as Activity,
    ActivityOf as ActivityOf,
    CiConfigOf as CiConfigOf,
    Commit as Commit,
    Commits as Commits,
    CommitsOf as CommitsOf,
    Course as Course,
    CoursesOf as CoursesOf,
    Deed as Deed,
    Deeds as Deeds,
    DeedsOf as DeedsOf,
    DefaultBranchOf as DefaultBranchOf,
    DiffsOf as DiffsOf,
    EarlierOf as EarlierOf,
    Exposure as Exposure,
    ExposureOf as ExposureOf,
    Fact as Fact,
    FileAt as FileAt,
    Joined as Joined,
    JoinedOf as JoinedOf,
    LabelsOf as LabelsOf,
    Ledger as Ledger,
    Listed as Listed,
    Member as Member,
    Members as Members,
    MembersOf as MembersOf,
    Merged as Merged,
    MovedOf as MovedOf,
    Need as Need,
    NotText as NotText,
    Offer as Offer,
    Offers as Offers,
    OffersOf as OffersOf,
    Profile as Profile,
    ProfileOf as ProfileOf,
    Proposed as Proposed,
    ProposedOf as ProposedOf,
    RenameOf as RenameOf,
    Renames as Renames,
    Sibling as Sibling,
    Siblings as Siblings,
    SiblingsOf as SiblingsOf,
    Source as Source,
    StandingOf as StandingOf,
    StateChangesOf as StateChangesOf,
    StatusChecksOf as StatusChecksOf,
    StatusesOf as StatusesOf,
    Tally as Tally,
    Threads as Threads,
    ThreadsOf as ThreadsOf,
    TipOf as TipOf,
    Version as Version,
    Versions as Versions,
    VersionsOf as VersionsOf,
    Work as Work,
    WorkOf as WorkOf,
    fact_of as fact_of,
)
from bot.evidence.gathering import (
    Evidence as Evidence,
    Manager as Manager,
    Subject as Subject,
    evidence_key as evidence_key,
    find_subject as find_subject,
    find_work as find_work,
    gather_evidence as gather_evidence,
    manager_path as manager_path,
    step_files as step_files,
)
from bot.evidence.history import Tenure as Tenure, revision_needs as revision_needs
from bot.evidence.offers import (
    WITHDRAWN as WITHDRAWN,
    find_offers_of as find_offers_of,
    offer_branches as offer_branches,
)
from bot.evidence.present import Present as Present
from bot.evidence.proposals import (
    Proposal as Proposal,
    entry_paths as entry_paths,
    propose as propose,
)
from bot.evidence.shared import SharedFacts as SharedFacts
from bot.evidence.subjects import (
    choose_subjects as choose_subjects,
    gather_at_once as gather_at_once,
)
from bot.evidence.timing import (
    Timing as Timing,
    pushed_at as pushed_at,
    versions_of as versions_of,
)
