"""Words by kind, channel and language, and what an organisation says instead of the built-in ones.

A template is Jinja's, but only as far as texts need it: values, conditions and a few filters. Loops, calls and
arithmetic are refused, so that no template takes longer than its text. It is rendered in Jinja's sandbox all the same,
and a value that nobody gave is an error, never a gap.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound, StaleVersion
from cloud_api.kernel.registers import flush_unique
from cloud_api.notifications.letters import one_line
from cloud_api.notifications.models import NotificationTemplate
from cloud_api.notifications.schemas import TemplatePreview, TemplateRead
from cloud_api.notifications.segments import cut, plain, segments
from cloud_api.notifications.wording import KINDS, Kind, TemplateChannel, Words

#: what an SMS may cost
MOST_SEGMENTS = 2
#: of what is said in one value
_LONGEST_VALUE = 120
#: tried one after the other until an SMS has no more than its parts
_SHORTER = (_LONGEST_VALUE, 40, 24, 12)
#: half of one is none
_WHOLE = frozenset({"link", "code", "order", "amount"})
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
)
_FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim"})
_environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)


class TemplateRefused(Invalid):
    """What was sent cannot be rendered, or says what nobody knows."""

    code = "TEMPLATE_REFUSED"


class UnknownTemplate(NotFound):
    """There is no such kind of message."""

    code = "UNKNOWN_TEMPLATE"


@dataclass(frozen=True)
class Rendered:
    """A text, ready to be sent."""

    #: empty on an SMS
    subject: str
    body: str
    #: of the words that were used
    locale: str


@dataclass(frozen=True)
class Known:
    """One template as it is in force."""

    key: str
    channel: TemplateChannel
    locale: str
    words: Words
    #: None: the built-in one
    own_since: datetime | None
    #: 0: the built-in one
    version: int = 0


def kind_of(key: str) -> Kind:
    """One kind of message.

    Raises:
        UnknownTemplate: when there is none.
    """
    try:
        return KINDS[key]
    except KeyError:
        known = ", ".join(sorted(KINDS))
        raise UnknownTemplate(f"there is no message {one_line(key)!r}; there are {known}", field="key") from None


async def render(
    db: AsyncSession, key: str, locale: str, channel: TemplateChannel, values: Mapping[str, str]
) -> Rendered:
    """The message of a kind in the words that read best to somebody of this locale (BCP 47; empty: the organisation's).

    hi-IN falls back to hi, and that to English; of each, the organisation's own words come before the built-in ones.

    Raises:
        UnknownTemplate: when there is no such kind.
        ValueError: when the kind does not go out on this channel, or a value is missing.
    """
    kind = kind_of(key)
    if channel not in kind.channels:
        raise ValueError(f"{key} does not go out by {channel}")
    if missing := sorted(kind.values.keys() - values.keys()):
        raise ValueError(f"{key} needs the values {', '.join(missing)}")
    spoken = await _fallbacks(db, locale)
    mine = select(NotificationTemplate).where(
        NotificationTemplate.key == key,
        NotificationTemplate.channel == channel,
        NotificationTemplate.locale.in_(spoken),
    )
    own = {row.locale: Words(row.body, row.subject) for row in await db.scalars(mine)}
    for one in spoken:
        words = own.get(one) or kind.words.get((channel, one))
        if words is not None:
            return said(words, channel, one, values)
    raise AssertionError("every kind has English words")


async def list_templates(db: AsyncSession) -> Sequence[Known]:
    """Every template in force: the built-in ones, those that the organisation put in their place, and those beside."""
    rows = {(row.key, row.channel, row.locale): row for row in await db.scalars(select(NotificationTemplate))}
    found = {place: Known(*place, words, None) for place, words in _built_in()}
    for (key, channel, locale), row in rows.items():
        if key in KINDS and channel in KINDS[key].channels:
            place = key, next(one for one in KINDS[key].channels if one == channel), locale
            found[place] = Known(*place, Words(row.body, row.subject), row.updated_at, row.version)
    return [found[place] for place in sorted(found)]


def read(known: Known) -> TemplateRead:
    """With what may stand in it."""
    kind, words = KINDS[known.key], known.words
    parts = segments(plain(_fill(words.body, kind.values))) if known.channel == "sms" else None
    return TemplateRead(
        key=known.key,
        audience=kind.audience,
        channel=known.channel,
        locale=known.locale,
        subject=words.subject,
        body=words.body,
        values=dict(kind.values),
        is_own=known.own_since is not None,
        updated_at=known.own_since,
        version=known.version,
        segments=parts,
    )


async def put_template(
    db: AsyncSession,
    key: str,
    *,
    channel: TemplateChannel,
    locale: str,
    subject: str,
    body: str | None,
    version: int | None = None,
) -> Known:
    """Put the organisation's own words in the place of the built-in ones; a body of None takes them back.

    Args:
        version: the one that the change was made of, 0 of the built-in words; None: whatever it is now.

    Raises:
        UnknownTemplate: when there is no such kind.
        TemplateRefused: when the kind does not go out on this channel, or the words cannot be rendered; says why.
        NotFound: when own words in a language without built-in ones are taken back, and there are none.
        StaleVersion: when somebody else has changed them since they were read.
    """
    kind = _kind_by(key, channel)
    its = select(NotificationTemplate).where(
        NotificationTemplate.key == key,
        NotificationTemplate.channel == channel,
        NotificationTemplate.locale == locale,
    )
    row = (await db.scalars(its.with_for_update())).one_or_none()
    current = 0 if row is None else row.version
    if version is not None and version != current:
        raise StaleVersion("this text", seen=version, current=current)
    if body is None:
        return await _take_back(db, Known(key, channel, locale, Words(""), None), row)
    words = Words(body, subject)
    check(kind, channel, words)
    if row is None:
        row = NotificationTemplate(key=key, channel=channel, locale=locale)
        db.add(row)
    row.subject, row.body, row.updated_at, row.version = words.subject, words.body, clock.now(), current + 1
    await flush_unique(db, "somebody else changes this template at this moment: try again", field="key")
    return Known(key, channel, locale, words, row.updated_at, row.version)


def preview(key: str, *, channel: TemplateChannel, subject: str, body: str) -> TemplatePreview:
    """How words would read, with usual values.

    Raises:
        UnknownTemplate: when there is no such kind.
        TemplateRefused: when the kind does not go out on this channel, or the words cannot be rendered; says why.
    """
    kind, words = _kind_by(key, channel), Words(body, subject)
    check(kind, channel, words)
    shown = said(words, channel, "", kind.values)
    return TemplatePreview(
        subject=shown.subject, body=shown.body, segments=segments(shown.body) if channel == "sms" else None
    )


def _kind_by(key: str, channel: TemplateChannel) -> Kind:
    kind = kind_of(key)
    if channel not in kind.channels:
        raise TemplateRefused(f"{key} goes out by {' and '.join(kind.channels)}, not by {channel}", field="channel")
    return kind


def check(kind: Kind, channel: TemplateChannel, words: Words) -> None:
    """Whether these words can be sent.

    Raises:
        TemplateRefused: naming the field, and what is wrong with it.
    """
    if channel == "sms" and words.subject:
        raise TemplateRefused("an SMS has no subject: leave it empty", field="subject")
    if channel != "sms" and not words.subject:
        raise TemplateRefused("a mail and a push need a subject", field="subject")
    named = set[str]()
    for field, source in (("subject", words.subject), ("body", words.body)):
        named |= _checked(field, source, kind)
    if missing := sorted(kind.needed - named):
        raise TemplateRefused(f"without {{{{ {missing[0]} }}}} it says nothing", field="body")
    if channel == "sms":
        parts = segments(plain(_fill(words.body, kind.values)))
        if parts > MOST_SEGMENTS:
            raise TemplateRefused(
                f"with usual values this takes {parts} SMS, and {MOST_SEGMENTS} are the most: shorten it", field="body"
            )


def _checked(field: str, source: str, kind: Kind) -> set[str]:
    """The values it names."""
    try:
        tree = _environment.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateRefused(f"line {error.lineno}: {error.message}", field=field) from None
    except RecursionError:
        raise TemplateRefused("it is nested too deeply", field=field) from None
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            raise TemplateRefused(f"line {node.lineno}: {what} is not possible in a template", field=field)
        if isinstance(node, nodes.Filter) and (node.name not in _FILTERS or node.args or node.kwargs):
            known = ", ".join(sorted(_FILTERS))
            raise TemplateRefused(f"line {node.lineno}: there are the filters {known}", field=field)
    named = meta.find_undeclared_variables(tree)
    if unknown := sorted(named - kind.values.keys()):
        known = ", ".join(sorted(kind.values))
        raise TemplateRefused(f"nobody knows {', '.join(unknown)}; there are {known}", field=field)
    for values in (kind.values, dict.fromkeys(kind.values, "")):
        try:
            _fill(source, values)
        except (TemplateError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise TemplateRefused(f"it cannot be rendered: {error}", field=field) from None
    return named


def said(words: Words, channel: TemplateChannel, locale: str, values: Mapping[str, str]) -> Rendered:
    """With the values in it; an SMS is shortened until it has no more than its parts, at last by its link."""
    if channel != "sms":
        clean = _clean(values, _LONGEST_VALUE)
        return Rendered(one_line(_fill(words.subject, clean), longest=200), _fill(words.body, clean), locale)
    attempts = [_clean(values, longest) for longest in _SHORTER]
    if "link" in values:
        attempts.append({**attempts[-1], "link": ""})
    body = ""
    for clean in attempts:
        body = plain(_fill(words.body, clean))
        if segments(body) <= MOST_SEGMENTS:
            return Rendered("", body, locale)
    return Rendered("", cut(body, most=MOST_SEGMENTS), locale)


def _clean(values: Mapping[str, str], longest: int) -> dict[str, str]:
    """Each in one line without control characters, and cut: some come from people."""
    return {
        name: one_line(value, longest=_LONGEST_VALUE if name in _WHOLE else longest) for name, value in values.items()
    }


def _fill(source: str, values: Mapping[str, str]) -> str:
    try:
        return _compiled(source).render(values).strip()
    except UndefinedError as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return _environment.from_string(source)


def _built_in() -> Iterator[tuple[tuple[str, TemplateChannel, str], Words]]:
    for key, kind in KINDS.items():
        for (channel, language), words in kind.words.items():
            yield (key, channel, language), words


async def _take_back(db: AsyncSession, known: Known, row: NotificationTemplate | None) -> Known:
    words = KINDS[known.key].words.get((known.channel, known.locale))
    if row is None and words is None:
        raise NotFound(f"{known.key} has no words of yours in {known.locale}", field="locale")
    if row is not None:
        await db.delete(row)
        await db.flush()
    return Known(known.key, known.channel, known.locale, words or Words(""), None)


async def _fallbacks(db: AsyncSession, locale: str) -> list[str]:
    """hi-IN, hi, en."""
    spoken = locale or await configuration.value(db, definitions.LOCALE)
    parts = spoken.split("-")
    steps = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return list(dict.fromkeys([*steps, "en"]))
