"""A bundle: contents under a signed manifest."""

from dataclasses import dataclass, field
from typing import Self

from workseal_protocol.bundle.archive import read_archive, write_archive
from workseal_protocol.bundle.contents import Contents
from workseal_protocol.bundle.readme import README
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Signer
from workseal_protocol.records import BundleManifest, ManifestEntry, read_record, sign
from workseal_protocol.statement import Kind, Statement

README_ENTRY = "README.txt"
MANIFEST_ENTRY = "manifest.cose"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Hold contents and the manifest over them, neither verified yet."""

    manifest: Statement
    contents: Contents
    _listed: tuple[ManifestEntry, ...] | None = field(
        default=None, init=False, repr=False, compare=False
    )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a bundle, or raise `MalformedError`."""
        entries = read_archive(data)
        left = dict(entries)
        if left.pop(README_ENTRY, None) != README:
            raise MalformedError("the bundle lacks its README.txt, or it is another one")
        manifest = left.pop(MANIFEST_ENTRY, None)
        if manifest is None:
            raise MalformedError("the bundle lacks the entry manifest.cose")
        bundle = cls(Statement.parse(manifest), Contents.read(left))
        if bundle.manifest.kind is not Kind.BUNDLE_MANIFEST:
            raise MalformedError("the entry manifest.cose is another kind of statement")
        # One bundle, one spelling: order of the entries, absent ones, sizes in the proof.
        if bundle._entries() != entries:
            raise MalformedError("the entries of the bundle are not in canonical form")
        # They are what writing them again would give: listed now, they are written once.
        listed = (_listed_entry(name, data) for name, data in entries if name != MANIFEST_ENTRY)
        object.__setattr__(bundle, "_listed", tuple(listed))
        return bundle

    def encode(self) -> bytes:
        """Write the ZIP file; `parse` is its inverse."""
        return write_archive(self._entries())

    def manifest_record(self) -> BundleManifest:
        """Read what the manifest says, or raise `MalformedError`."""
        record = read_record(self.manifest)
        if not isinstance(record, BundleManifest):
            raise MalformedError("the entry manifest.cose is another kind of statement")
        return record

    def check_manifest(self) -> BundleManifest:
        """Check that the manifest names exactly the entries, or raise `VerificationError`.

        Whose signature it bears is not checked here.
        """
        record = self.manifest_record()
        given = _listed(self.contents) if self._listed is None else self._listed
        told = {item.name: item for item in record.entries}
        for item in given:
            if told.pop(item.name, None) != item:
                raise VerificationError(f"the manifest does not name {item.name} as it is")
        if told:
            raise VerificationError(f"the manifest names {len(told)} entries that are not there")
        if record.entries != given:
            raise VerificationError("the manifest names the entries in another order")
        return record

    def _entries(self) -> tuple[tuple[str, bytes], ...]:
        readme, *others = _covered(self.contents)
        return (readme, (MANIFEST_ENTRY, self.manifest.encode()), *others)


def seal_bundle(
    contents: Contents, *, engagement: bytes, claimed_at: int, signer: Signer
) -> Bundle:
    """Sign a manifest over the contents; `claimed_at` is in Unix milliseconds."""
    record = BundleManifest(engagement=engagement, claimed_at=claimed_at, entries=_listed(contents))
    return Bundle(sign(record, signer), contents)


def _covered(contents: Contents) -> tuple[tuple[str, bytes], ...]:
    return ((README_ENTRY, README), *contents.entries())


def _listed(contents: Contents) -> tuple[ManifestEntry, ...]:
    return tuple(_listed_entry(name, data) for name, data in _covered(contents))


def _listed_entry(name: str, data: bytes) -> ManifestEntry:
    return ManifestEntry(name, Digest.of(data), len(data))
