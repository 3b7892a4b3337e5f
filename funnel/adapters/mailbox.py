"""The local mailbox of the embedded mode: one .eml file for each mail, and their reader."""

import heapq
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path
from uuid import UUID

from funnel.adapters.durable import settle, settle_folder, written_aside
from funnel.adapters.mime import build_mime
from funnel.domain.errors import MailRefused
from funnel.domain.ports import (
    MailboxItem,
    MailboxMessage,
    Outcome,
    OutgoingEmail,
    SendResult,
)

HEAD_OCTETS = 16 * 1024
_STAMP = "%Y%m%dT%H%M%S%fZ"
_KEY = re.compile(r"(\d{8}T\d{12}Z)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{1,6})")


class FileMailbox:
    """Writes mails into a folder and reads them back.

    A file is named for the mail's own time, its message id and a count. Sending the same message
    twice makes a second file with the count 2: nothing is overwritten, so a duplicate shows.
    """

    name = "mailbox"
    batch_size = 50
    answer_seconds = 60.0
    knows_at_once = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def send(self, emails: Sequence[OutgoingEmail]) -> list[SendResult]:
        return [self._send(email) for email in emails]

    def was_accepted(self, message_id: UUID, to_address: str, since: datetime) -> bool:
        """Whether the folder holds that message."""
        del to_address, since
        return any(self._folder.glob(f"*-{message_id}-*.eml"))

    def erase(self, addresses: Sequence[str]) -> None:
        """Remove every mail to these addresses, for good."""
        gone = {address.lower() for address in addresses}
        for _, key in list(self._arrivals()):
            item = self._item(key)
            if item is not None and item.to_address.lower() in gone:
                self._file(key).unlink(missing_ok=True)
        settle_folder(self._folder)

    def close(self) -> None:
        """Nothing is held open."""

    def items(self, limit: int = 200) -> list[MailboxItem]:
        """The newest mails, by their arrival."""
        newest = heapq.nlargest(limit, self._arrivals())
        return [item for _, key in newest if (item := self._item(key)) is not None]

    def message(self, key: str) -> MailboxMessage | None:
        """One mail, opened; None for an absent or malformed key."""
        content = self._read(key)
        if content is None:
            return None
        message = message_from_bytes(content, policy=default)
        return MailboxMessage(
            item=_as_item(key, message),
            html=_part(message, "html"),
            text=_part(message, "plain"),
            headers=tuple((name, str(value)) for name, value in message.items()),
        )

    def _send(self, email: OutgoingEmail) -> SendResult:
        try:
            key = self._write(email, build_mime(email))
        except MailRefused as refused:
            return SendResult(email.message_id, Outcome.REFUSED, str(refused))
        except OSError as error:
            why = f"The mailbox folder could not be written ({type(error).__name__})."
            return SendResult(email.message_id, Outcome.NOT_SENT_RETRY, why)
        return SendResult(email.message_id, Outcome.ACCEPTED, "In the mailbox.", provider_id=key)

    def _write(self, email: OutgoingEmail, content: bytes) -> str:
        with written_aside(self._folder) as (file, path):
            file.write(content)
            settle(file)
            key = self._link(email, path)
        settle_folder(self._folder)
        return key

    def _link(self, email: OutgoingEmail, path: Path) -> str:
        """Give the file the first free name; a hard link never replaces another file."""
        stamp = email.created_at.astimezone(UTC).strftime(_STAMP)
        count = 1
        while True:
            key = f"{stamp}-{email.message_id}-{count}"
            try:
                self._file(key).hardlink_to(path)
            except FileExistsError:
                count += 1
            else:
                return key

    def _arrivals(self) -> Iterator[tuple[int, str]]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                key = entry.name.removesuffix(".eml")
                if key != entry.name and _KEY.fullmatch(key):
                    with suppress(FileNotFoundError):  # removed while we look
                        yield entry.stat().st_mtime_ns, key

    def _item(self, key: str) -> MailboxItem | None:
        head = self._read(key, HEAD_OCTETS)
        return (
            None
            if head is None
            else _as_item(key, BytesHeaderParser(policy=default).parsebytes(head))
        )

    def _read(self, key: str, octets: int = -1) -> bytes | None:
        if not _KEY.fullmatch(key):
            return None
        try:
            with self._file(key).open("rb") as file:
                return file.read(octets)
        except FileNotFoundError:
            return None

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.eml"


def _as_item(key: str, message: EmailMessage) -> MailboxItem:
    stamp = key.partition("-")[0]
    return MailboxItem(
        key=key,
        to_address=str(message["To"]),
        subject=str(message["Subject"]),
        sent_at=datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
