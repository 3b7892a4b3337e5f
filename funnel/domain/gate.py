"""Whether this process may claim mails at all: its database and its clock must be trusted first."""

from threading import Lock


class Gate:
    """Closed for as long as there is a reason. One for each process; safe to share by threads."""

    def __init__(self, *reasons: str) -> None:
        self._reasons = set(reasons)
        self._generation = 0
        self._lock = Lock()

    def close(self, reason: str) -> bool:
        """Close for this reason; True when it was not closed for it already."""
        with self._lock:
            is_new = reason not in self._reasons
            self._reasons.add(reason)
            return is_new

    def open(self, reason: str) -> bool:
        """Drop this reason; True when it stood."""
        with self._lock:
            stood = reason in self._reasons
            self._reasons.discard(reason)
            return stood

    def is_closed_for(self, reason: str) -> bool:
        """Whether this reason stands."""
        with self._lock:
            return reason in self._reasons

    def passes(self, generation: int) -> bool:
        """Whether mails may be claimed from a database of this generation.

        A generation lower than one seen before is another database under the same address, put
        there while this process runs.
        """
        with self._lock:
            is_older = generation < self._generation
            self._generation = max(generation, self._generation)
            return not self._reasons and not is_older

    def trust(self, generation: int) -> None:
        """Take this generation as the right one, whatever was seen before."""
        with self._lock:
            self._generation = generation
