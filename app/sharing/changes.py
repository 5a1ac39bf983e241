"""What one policy gives and another does not, as values: figures, changes, comparisons."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.sharing.readers import Access, Bases, Named, Rule
from postern.vocabulary import Kind, PartyRole, Purpose, Tlp


@dataclass(frozen=True)
class Figure:
    """Numbers of live indicators."""

    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Figures:
    """One figure for each thing that a policy gives; a level counts what is seen at it or above."""

    presence: Figure = Figure()
    metadata: Figure = Figure()
    request: Figure = Figure()
    screen: Figure = Figure()
    feed: Figure = Figure()
    told_both: Figure = Figure()
    told_owner_only: Figure = Figure()
    told_requester_only: Figure = Figure()

    @property
    def gains(self) -> bool:
        """Whether a reader gets anything that it did not get before."""
        return any(each.gained for each in self._given)

    @property
    def loses(self) -> bool:
        """Whether a reader no longer gets something."""
        return any(each.lost for each in self._given)

    @property
    def _given(self) -> tuple[Figure, ...]:
        return self.presence, self.metadata, self.request, self.screen, self.feed


@dataclass(frozen=True)
class Example:
    """One of the indicators concerned, as far as its owner needs to recognise it."""

    id: UUID
    kind: Kind
    role: PartyRole
    tlp: Tlp
    age_band: int


@dataclass(frozen=True)
class Change:
    """Indicators of which a reader gets something else than before, and by which policies.

    `count` 0: share classes that exist but have no live indicator today.
    """

    before: Access
    after: Access
    count: int
    examples: tuple[Example, ...]
    rules_before: tuple[Rule, ...]
    rules_after: tuple[Rule, ...]


@dataclass(frozen=True)
class ReaderChange:
    """What changes for some organisations and a purpose; each of them gets what the figures say.

    `is_new` when they see none of the live indicators today, for no purpose, and would see some.
    """

    organisations: tuple[Named, ...]
    purpose: Purpose
    bases: Bases
    is_new: bool
    figures: Figures
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class AssetExample:
    """One of the patterns or barriers concerned."""

    id: UUID
    title: str


@dataclass(frozen=True)
class AssetReader:
    """What changes of assets for some organisations and a purpose; the figures hold for each.

    `known` counts those of which they may know, `whole` those of which they have all: of a pattern
    its rule, of a barrier there is nothing else. `gained` are some of which they would get more
    than before, and `lost` less, newest first.
    """

    organisations: tuple[Named, ...]
    purpose: Purpose
    bases: Bases
    known: Figure
    whole: Figure
    gained: tuple[AssetExample, ...]
    lost: tuple[AssetExample, ...]


@dataclass(frozen=True)
class AssetComparison:
    """What a text changes of the owner's patterns in force, or of the barriers it registered.

    `known` and `whole` count an asset once, when anybody at all gets it.
    """

    assets: int = 0  # in force, or registered
    concerned: int = 0  # of these, how many change for somebody
    known: Figure = Figure()
    whole: Figure = Figure()
    gaining: tuple[Named, ...] = ()
    losing: tuple[Named, ...] = ()
    readers: tuple[AssetReader, ...] = ()  # those for whom something changes, gainers first


@dataclass(frozen=True)
class Compared:
    """The version that the text is compared with; 0 when none was ever published."""

    version: int
    valid_from: datetime | None
    is_scheduled: bool


@dataclass(frozen=True)
class Comparison:
    """What the text changes against one version.

    `shared` counts an indicator once, when anybody at all gets it. `passing_on_differs` when rules
    about passing on are others than before; what they come to is not counted. Patterns and barriers
    are counted apart, in `patterns` and `barriers` alone.
    """

    against: Compared
    indicators: int  # live ones of the owner
    concerned: int  # of these, how many change for somebody
    shared: Figures
    gaining: tuple[Named, ...]
    losing: tuple[Named, ...]
    new_readers: tuple[Named, ...]
    lost_readers: tuple[Named, ...]
    readers: tuple[ReaderChange, ...]  # new readers first, those without a change last
    passing_on_differs: bool
    patterns: AssetComparison = AssetComparison()
    barriers: AssetComparison = AssetComparison()

    @property
    def is_nothing(self) -> bool:
        """Whether nothing changes for anybody, classes without a record included."""
        return not (self.changes_indicators or self.patterns.readers or self.barriers.readers)

    @property
    def changes_indicators(self) -> bool:
        """Whether anything changes beside assets, classes without a record included."""
        return any(each.changes for each in self.readers)

    @property
    def words(self) -> str:
        """The outcome in a few sentences."""
        if self.against.version == 0:
            version = "no policy at all"
        elif self.against.is_scheduled:
            version = f"version {self.against.version}, which is to take effect"
        else:
            version = f"version {self.against.version}, in force"
        found = [f"Compared with {version}."]
        if self.is_nothing:
            found.append("Nobody gains or loses anything.")
        elif self.changes_indicators and not self.concerned:
            found.append(
                "No live indicator is concerned: what changes is for kinds of records of which you"
                " have none today."
            )
        elif self.changes_indicators:
            found.append(
                f"Of {self.indicators} live indicators {self.concerned} are concerned;"
                f" organisations that gain: {len(self.gaining)}, that lose: {len(self.losing)},"
                f" that see something for the first time: {len(self.new_readers)}."
            )
        for assets, words in ((self.patterns, "patterns"), (self.barriers, "barriers")):
            if assets.readers:
                found.append(
                    f"Of {assets.assets} {words} {assets.concerned} are concerned;"
                    f" organisations that gain: {len(assets.gaining)},"
                    f" that lose: {len(assets.losing)}."
                )
        if self.passing_on_differs:
            found.append("Rules about passing on differ; what they come to is not counted here.")
        return " ".join(found)
