"""Whether the new files do everything in the order of the old one, as far as anybody could tell."""

from __future__ import annotations

from collections.abc import Iterator

from gofastapi_ext.core.convert.effects import Effect, must_keep_order
from gofastapi_ext.core.convert.kinds import Kind
from gofastapi_ext.core.convert.layout import Layout, sequence
from gofastapi_ext.core.convert.paths import overlap
from gofastapi_ext.core.convert.place import GENERAL, MAIN, Decisions, Placement
from gofastapi_ext.core.convert.routes import Registration
from gofastapi_ext.core.convert.source import Source


def later_routes(source: Source, placement: Placement) -> Iterator[tuple[Registration, Registration]]:
    """Pairs whose order changes: routes of a router come where its first route was, before what stood between."""
    told = list(source.routes.registrations(source.units))
    first: dict[str, int] = {}
    for each in told:
        module = placement.modules[each.unit]
        if module != MAIN:
            first.setdefault(module, each.unit)
    at = [first.get(placement.modules[each.unit], each.unit) for each in told]
    for late, one in enumerate(told):
        for early, other in enumerate(told[:late]):
            if at[late] < at[early]:
                yield other, one


def in_the_way(source: Source, placement: Placement) -> Iterator[tuple[int, str]]:
    """Routes that would be asked too early, each with the reason."""
    for other, one in later_routes(source, placement):
        if any(overlap(ours, theirs) for ours in one.paths for theirs in other.paths):
            name = source.name_of(other.unit)
            yield one.unit, f"`{source.name_of(one.unit)}` has to come after `{name}`, which matches some of its URLs"
        elif one.name and one.name == other.name:
            yield one.unit, f"there are two routes called `{one.name}`"
        elif placement.routers.get(placement.modules[one.unit]) == GENERAL:
            # With so little in common, they are not worth another order in /docs.
            yield one.unit, "in a router they would stand elsewhere in /docs"


def settle(source: Source, placement: Placement, layout: Layout, decisions: Decisions) -> bool:
    """Decide about what would be done in another order than before; whether there was any such thing.

    An import can be kept where it was, and a statement can go to the shared module, before anything has to stay.
    """
    staying = decisions.stays.keys() | placement.because.keys()
    swapped = list(_swapped(source, layout))
    kept = {early for early, _ in swapped if source.kinds[early] is Kind.IMPORT} - decisions.kept
    shared = {early for early, _ in swapped if source.kinds[early] is Kind.STATEMENT} - staying - decisions.shared
    decisions.kept |= kept
    decisions.shared |= shared
    if not kept and not shared:
        for early, late in swapped:
            for unit in _to_pin(source, early, late, staying):
                decisions.stays.setdefault(unit, f"{_told(source, early)} has to be done first")
    return bool(swapped)


def _swapped(source: Source, layout: Layout) -> Iterator[tuple[int, int]]:
    """Pairs of units that would be run the other way round, and where that could matter."""
    place_of = {unit: place for place, unit in enumerate(sequence(source, layout))}
    active = [index for index, effect in enumerate(source.effects) if effect and index in place_of]
    for position, late in enumerate(active):
        for early in active[:position]:
            if place_of[late] < place_of[early] and must_keep_order(source.effects[early], source.effects[late]):
                yield early, late
    # What is done to an object counts for whatever looks at it when it is imported: a model that a route is made of.
    doers = [
        index for index in active if Effect.DOES in source.effects[index] and source.kinds[index] is not Kind.IMPORT
    ]
    for doer in doers:
        touched = {name for name in source.uses[doer].needs if _is_own(source, name)}
        for user, use in enumerate(source.uses):
            early, late = min(doer, user), max(doer, user)
            if user not in place_of or user == doer or not touched & use.needs_at_once:
                continue
            if place_of[late] < place_of[early]:
                yield early, late


def _is_own(source: Source, name: str) -> bool:
    """Whether the name is bound here, and not imported: a class, a constant, a client."""
    found = source.bound_by.get(name, ())
    return bool(found) and all(source.kinds[index] is not Kind.IMPORT for index in found) and name != source.app


def _told(source: Source, unit: int) -> str:
    return f"`{source.name_of(unit)}`" if source.uses[unit].binds else f"line {source.units[unit].line}"


def _to_pin(source: Source, early: int, late: int, staying: set[int]) -> list[int]:
    """What has to stay, so that `late` is not run before `early` any more."""
    if source.kinds[late] is Kind.IMPORT:
        names = source.uses[late].binds
        users = [index for index, use in enumerate(source.uses) if use.needs & names and index not in staying]
        return users or [early]
    return [late] if late not in staying else [early]
