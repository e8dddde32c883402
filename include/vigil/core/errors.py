"""One exception tree. Each message says where, what, and the next step.

VigilError
├── MonitorError        a monitor's YAML is wrong (file, line, suggestion)
├── DataError           stored rows cannot be used as they are
│   ├── MismatchedEdges profiles with different bin edges were merged
│   └── NoFiles         an address of a log that others write names no file
├── LedgerError
│   ├── Conflict        somebody else appended first: read again, decide again
│   └── BrokenChain     a stored event does not match its hash
├── DeliveryError
│   ├── Refused         the service answered, and said no
│   └── Ambiguous       no answer: it may or may not have happened; reconcile before a retry
├── RegistryError       the model registry does not have what is asked for
│   ├── NotRegistered   no version of the model was ever registered
│   └── TamperedArtifact a file differs from the manifest recorded at registration
├── LeaseLost           another holder has the lease, or ours expired
└── ReplayError         a version could not score the night's inputs
"""


class VigilError(Exception):
    """Anything that Vigil itself raises."""


class MonitorError(VigilError):
    """A monitor's YAML is wrong; the text is `file:line: problem; remedy`, one line a problem."""


class DataError(VigilError):
    """Stored rows cannot be used as they are."""


class MismatchedEdges(DataError):
    """Profiles counted on different bin edges do not add up."""


class NoFiles(DataError):
    """An address of a log that others write names no file: a wrong address, or nothing was written yet."""


class LedgerError(VigilError):
    """The ledger refused."""


class Conflict(LedgerError):
    """Somebody else appended to the stream first: read it again and decide again."""


class BrokenChain(LedgerError):
    """A stored event does not match its hash, its number, or its predecessor."""


class DeliveryError(VigilError):
    """An outward action did not certainly succeed."""


class Refused(DeliveryError):
    """The service answered, and said no. A retry with the same arguments will not help."""


class Ambiguous(DeliveryError):
    """No answer arrived: the action may have happened. Reconcile before sending again."""


class RegistryError(VigilError):
    """The model registry does not have, or will not do, what is asked."""


class NotRegistered(RegistryError):
    """The registry knows no model of that name: it can be watched, but nothing can be rolled back."""


class TamperedArtifact(RegistryError):
    """A model file differs from the manifest recorded when the version was registered."""


class LeaseLost(VigilError):
    """Another holder has the lease, or ours has expired."""


class ReplayError(VigilError):
    """A version could not score the night's stored inputs."""
