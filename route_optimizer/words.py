"""What a reason says, rule by rule. Instants are seconds, as the caller counts them; durations are minutes too."""

from dataclasses import replace

from route_optimizer.plan import Reason, Route, Rule
from route_optimizer.problem import Stop
from route_optimizer.remedies import OF_A_STOP, START, WHOLE_DAY, Case, Remedy, span
from route_optimizer.schedule import opening

#: what stands in the way, and what would help; of a stop among others
_WORDS: dict[tuple[Rule, str], tuple[str, str]] = {
    (Rule.SKILL, ""): ("it needs the skill {subject}, which {van} lacks", "a vehicle with the skill {subject}"),
    (Rule.COMPARTMENT, ""): (
        "its goods need a {part} compartment, which {van} lacks",
        "a vehicle with a {part} compartment for {needed} {subject}",
    ),
    (Rule.CAPACITY, ""): (
        "with it {van} carries {needed}{part} {subject}, it holds {now}",
        "room for {by}{part} {subject} more in {van}",
    ),
    (Rule.MAX_STOPS, ""): (
        "with it {van} makes {needed} stops, {now} are allowed",
        "{needed} stops allowed for {van}",
    ),
    (Rule.APART, ""): ("it may not go with {subject}, which {van} serves", "that it may go with {subject} after all"),
    (Rule.ON_BOARD, ""): (
        "its goods are not in {van}, and {van} does not load before it",
        "its goods handed over to {van}",
    ),
    (Rule.RELOAD, ""): ("with it {van} reloads {needed} times, {now} are allowed", "{needed} reloads of {van}"),
    (Rule.UNREACHABLE, ""): (
        "no road leads {van} there and back",
        "a correct address, or a vehicle that starts on its side",
    ),
    (Rule.RIDE, ""): (
        "its goods would be in {van} for {needed} s, {now} s are allowed",
        "{needed} s allowed in a vehicle, {span} longer",
    ),
    (Rule.RELEASE, ""): (
        "its goods are ready at {now} s, {span} too late for {van}",
        "goods that are ready at {needed} s",
    ),
    (Rule.SHIFT, ""): (
        "with it {van} is done at {needed} s, its shift ends at {now} s",
        "a shift of {van} until {needed} s, {span} longer",
    ),
    (Rule.SHIFT, START): (
        "{van} leaves at {now} s at the earliest, {span} too late for it",
        "a shift of {van} from {needed} s, {span} sooner",
    ),
    (Rule.MAX_DISTANCE, ""): (
        "with it {van} drives {needed} m, {now} m are allowed",
        "a maximum distance of at least {needed} m",
    ),
    (Rule.MAX_DURATION, ""): (
        "with it {van} is under way for {needed} s, {now} s are allowed",
        "a maximum duration of at least {needed} s, {span} longer",
    ),
    (Rule.DRIVING, ""): (
        "{van} may drive {now} s without a rest, {span} too little for it",
        "{needed} s of driving without a rest",
    ),
    (Rule.DRIVING, WHOLE_DAY): (
        "with it {van} drives for {needed} s, {now} s are allowed",
        "{needed} s of driving, {span} more",
    ),
    (Rule.BREAK, ""): ("the breaks of {van} leave no time for it", "breaks that may begin {span} sooner or later"),
}
#: the same where the vehicle has nothing else to do
_ALONE: dict[Rule, tuple[str, str]] = {
    Rule.CAPACITY: (
        "it takes {needed}{part} {subject}, {van} holds {now}",
        "a vehicle that holds {needed}{part} {subject}, or the order split in two",
    ),
    Rule.MAX_STOPS: ("{van} may make {now} stops", "at least {needed} allowed"),
    Rule.MAX_DISTANCE: (
        "there and back is {needed} m, {van} may drive {now} m",
        "a maximum distance of at least {needed} m",
    ),
    Rule.MAX_DURATION: (
        "there and back takes {needed} s, {van} may be under way {now} s",
        "a maximum duration of at least {needed} s, {span} longer",
    ),
    Rule.SHIFT: (
        "{van} would be back at {needed} s, its shift ends at {now} s",
        "a shift of {van} until {needed} s, {span} longer",
    ),
}


def told(remedy: Remedy, by: int, case: Case, route: Route | None, stop: str, vehicle: str) -> Reason:
    """A stretch as the reason it is for.

    Args:
        remedy: the rule.
        by: how far it is stretched.
        case: as it is without any stretch.
        route: what becomes of it with all of them.
        stop: the one that is left out.
        vehicle: whom the reason is told of.
    """
    of_partner = remedy.rule in OF_A_STOP and remedy.stop != stop
    subject = remedy.stop if of_partner else "" if remedy.rule in OF_A_STOP else remedy.subject
    if remedy.subject == stop:
        # of two that go together and may not
        remedy, subject = replace(remedy, subject=remedy.stop), remedy.stop
    if remedy.rule is Rule.WINDOW:
        needed, (words, cure) = _window(case.problem.stop_by_id[remedy.stop], route, vehicle)
    else:
        needed = _needed(remedy, by)
        alone = sum(name is not None for name in case.order) == 1 and remedy.subject != START
        words, cure = _ALONE.get(remedy.rule) if alone and remedy.rule in _ALONE else _template(remedy)  # type: ignore[misc]
        part = f" {remedy.compartment}" if remedy.compartment else ""
        if remedy.rule is Rule.COMPARTMENT:
            part = part.strip()
        fields = {"van": vehicle, "subject": remedy.subject, "part": part, "now": remedy.now, "needed": needed}
        words, cure = (each.format(**fields, by=by, span=span(by)) for each in (words, cure))
    if of_partner:
        words, cure = f"{remedy.stop}, which goes with it: {words}", f"for {remedy.stop}: {cure}"
    return Reason(remedy.rule, vehicle, words, cure, subject, remedy.compartment, needed)


def _template(remedy: Remedy) -> tuple[str, str]:
    return _WORDS.get((remedy.rule, remedy.subject)) or _WORDS[remedy.rule, ""]


def _needed(remedy: Remedy, by: int) -> int:
    if remedy.rule in (Rule.SKILL, Rule.APART, Rule.ON_BOARD, Rule.UNREACHABLE):
        return 0
    if remedy.rule is Rule.RELEASE or remedy.subject == START:
        return remedy.now - by
    return by if remedy.rule is Rule.BREAK else remedy.now + by


def _window(stop: Stop, route: Route | None, van: str) -> tuple[int, tuple[str, str]]:
    start_s = next((each.start_s for each in route.visits if each.stop == stop.id), 0) if route else 0
    windows = opening(stop.windows)
    late_s = min((start_s - each.closes_s for each in windows if each.closes_s < start_s), default=None)
    early_s = min((each.opens_s - start_s for each in windows if each.opens_s > start_s), default=None)
    if early_s is not None and (late_s is None or early_s < late_s):
        words = f"{van} would have to serve it at {start_s} s, {span(early_s)} before its window opens"
        return start_s, (words, f"a window that is open at {start_s} s, {span(early_s)} sooner")
    which = "last window" if early_s is None else "window"
    words = f"{van} is there at {start_s} s at the earliest, {span(late_s or 0)} after its {which} closes"
    return start_s, (words, f"a window that is open at {start_s} s, {span(late_s or 0)} longer")
