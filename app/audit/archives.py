"""Reading what stands in sealed archives: the places below the border, which left the database."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.archive_file import ArchiveDamagedError, ArchiveFile, fingerprint
from app.audit.models import AuditArchive
from app.runtime import runtime
from postern.tlog.tiles import TILE_WIDTH


def border(session: Session) -> int:
    """The first place that stands in no archive: 0 while there is none."""
    end = func.coalesce(func.max(AuditArchive.first + AuditArchive.count), 0)
    return session.execute(select(end)).scalar_one()


def all_archives(session: Session) -> Sequence[AuditArchive]:
    """Every sealed archive, by its first place."""
    return session.scalars(select(AuditArchive).order_by(AuditArchive.first)).all()


def archive_at(session: Session, place: int) -> AuditArchive | None:
    """The archive in which a place stands; None when it stands in the database."""
    return session.scalar(
        select(AuditArchive).where(
            AuditArchive.first <= place, AuditArchive.first + AuditArchive.count > place
        )
    )


def path_of(archive: AuditArchive) -> Path:
    """Where the file of an archive lies, by the settings."""
    return Path(runtime().settings.audit.archive) / archive.name


def archived_leaves(session: Session, first: int, count: int) -> list[bytes] | None:
    """The leaves of places of one bundle, if they stand in an archive; ArchiveDamagedError."""
    archive = archive_at(session, first)
    if archive is None:
        return None
    number, start = divmod(first - archive.first, TILE_WIDTH)
    return ArchiveFile(path_of(archive)).leaves(number)[start : start + count]


def check_archives(session: Session) -> None:
    """Every file has the SHA-256 that was noted when it was sealed; ArchiveDamagedError if not."""
    for archive in all_archives(session):
        check_archive(archive, path_of(archive))


def check_archive(archive: AuditArchive, path: Path) -> None:
    """The file has the SHA-256 that was noted when it was sealed; ArchiveDamagedError if not."""
    found = fingerprint(path)
    if (found.sha256, found.length) != (bytes(archive.sha256), archive.length):
        raise ArchiveDamagedError(
            f"The archive {path.name} was changed after it was sealed. Restore it from its backup;"
            " its SHA-256 stands in the log."
        )
