"""Tables and statements of referrals: the only place of the service with SQL in it."""

from services.referrals.store.directory import DirectoryStore
from services.referrals.store.feeds import FeedStore
from services.referrals.store.neighbors import NeighborStore
from services.referrals.store.partners import Letter, LinkStore
from services.referrals.store.referrals import FIRST, ReferralFilter, ReferralStore

__all__ = [
    "FIRST",
    "DirectoryStore",
    "FeedStore",
    "Letter",
    "LinkStore",
    "NeighborStore",
    "ReferralFilter",
    "ReferralStore",
]
