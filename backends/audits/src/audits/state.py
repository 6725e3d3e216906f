"""What is open while the audit trail runs, in the order in which it opens."""

from audits.insights.service import Reader
from audits.insights.wiring import open_reader
from audits.log.chain import Chains
from audits.log.service import Entries, Notary, Signing
from audits.log.wiring import open_chains, open_notary, open_signing
from audits.records.service import Trail
from audits.records.wiring import open_entries, open_trail
from audits.security import open_verifier
from audits.settings import AuditsSettings
from audits.streams.service import Streams
from audits.streams.wiring import open_streams
from audits.verification.service import Verifications
from audits.verification.wiring import open_verifications
from audits.witnesses.client import Witnesses
from audits.witnesses.wiring import open_witnesses
from bedplate.auth import Verifier
from bedplate.database_state import DatabaseState
from bedplate.state import opened


class AuditsState(DatabaseState):
    """The database and what every backend has, the keys, the chains and what signs them."""

    settings: AuditsSettings
    verifier: Verifier = opened(open_verifier)
    notary: Notary = opened(open_notary)
    witnesses: Witnesses = opened(open_witnesses)
    signing: Signing = opened(open_signing)
    chains: Chains = opened(open_chains)
    trail: Trail = opened(open_trail)
    entries: Entries = opened(open_entries)
    verifications: Verifications = opened(open_verifications)
    reader: Reader = opened(open_reader)
    streams: Streams = opened(open_streams)
