"""Say which facts are needed, and collect them through a port."""

from bot.evidence.aftermath import Aftermath as Aftermath, look_back as look_back
from bot.evidence.ahead import (
    needs_ahead as needs_ahead,
)
from bot.evidence.broken_policies import (
    Rules as Rules,
    tell_broken as tell_broken,
)
from bot.evidence.earlier import (
    Proposed as Proposed,
    ProposedOf as ProposedOf,
    Sibling as Sibling,
    Siblings as Siblings,
    SiblingsOf as SiblingsOf,
)
from bot.evidence.facts import (
    Asks as Asks,
    Fact as Fact,
    Ledger as Ledger,
    Need as Need,
    Source as Source,
    fact_of as fact_of,
)
from bot.evidence.files import (
    CiConfigOf as CiConfigOf,
    Commit as Commit,
    Commits as Commits,
    CommitsOf as CommitsOf,
    DefaultBranchOf as DefaultBranchOf,
    DiffsOf as DiffsOf,
    Exposure as Exposure,
    ExposureOf as ExposureOf,
    FileAt as FileAt,
    NotText as NotText,
    RenameOf as RenameOf,
    TipOf as TipOf,
)
from bot.evidence.gathering import (
    Evidence as Evidence,
    find_work as find_work,
    gather_evidence as gather_evidence,
)
from bot.evidence.history import Tenure as Tenure, revision_needs as revision_needs
from bot.evidence.needs import step_files as step_files
from bot.evidence.nominee import (
    ITSELF as ITSELF,
    MEANWHILE as MEANWHILE,
    Manager as Manager,
    Subject as Subject,
    evidence_key as evidence_key,
    find_subject as find_subject,
    manager_path as manager_path,
)
from bot.evidence.offers import (
    WITHDRAWN as WITHDRAWN,
    Offer as Offer,
    Offers as Offers,
    OffersOf as OffersOf,
    find_offers_of as find_offers_of,
    offer_branches as offer_branches,
)
from bot.evidence.people import (
    AccessOf as AccessOf,
    Member as Member,
    Members as Members,
    MembersOf as MembersOf,
    ProfileOf as ProfileOf,
)
from bot.evidence.present import Present as Present
from bot.evidence.proposals import (
    Proposal as Proposal,
    entry_paths as entry_paths,
    propose as propose,
)
from bot.evidence.records import (
    Deed as Deed,
    Deeds as Deeds,
    DeedsOf as DeedsOf,
    EarlierOf as EarlierOf,
    LabelsOf as LabelsOf,
    OfMergeRequest as OfMergeRequest,
    StandingOf as StandingOf,
    StateChangesOf as StateChangesOf,
    StatusChecksOf as StatusChecksOf,
    StatusesOf as StatusesOf,
    Version as Version,
    Versions as Versions,
    VersionsOf as VersionsOf,
)
from bot.evidence.shared import SharedFacts as SharedFacts
from bot.evidence.subjects import (
    choose_subjects as choose_subjects,
    gather_at_once as gather_at_once,
)
from bot.evidence.timing import (
    Timing as Timing,
    pushed_at as pushed_at,
)
from bot.evidence.work import (
    Act as Act,
    Course as Course,
    CoursesOf as CoursesOf,
    Listed as Listed,
    Merged as Merged,
    Tally as Tally,
    TallyOf as TallyOf,
    Threads as Threads,
    ThreadsOf as ThreadsOf,
    Work as Work,
    WorkOf as WorkOf,
)
