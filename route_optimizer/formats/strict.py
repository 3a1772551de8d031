"""Types that refuse unknown fields, made of those that do not; and what each field means, from the comment above it."""

import inspect
import re
from dataclasses import MISSING, is_dataclass
from dataclasses import fields as fields_of
from functools import cache, reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")

_FIELD = re.compile(r"^    (\w+): ")
_COMMENT = "    #: "


@cache
def strict(type_: type) -> type[msgspec.Struct]:
    """A struct with the fields of a dataclass or of another struct, all the way down, and no others.

    Its schema says of each field what stands above it in the source, where the source is at hand.
    """
    hints = get_type_hints(type_, include_extras=True)
    told = _comments(type_)
    required, optional = [], []
    for name, default in _defaults(type_).items():
        hint = _strict_hint(hints[name])
        if name in told:
            hint = Annotated[hint, msgspec.Meta(description=told[name])]
        if default is MISSING:
            required.append((name, hint))
        else:
            optional.append((name, hint, default))
    return msgspec.defstruct(
        type_.__name__,
        [*required, *optional],
        namespace={"__doc__": inspect.getdoc(type_)},
        module=__name__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )


def _defaults(type_: type) -> dict[str, object]:
    """Of each field; `MISSING` is none."""
    if is_dataclass(type_):
        return {field.name: field.default for field in fields_of(type_)}
    return {field.name: _default(field) for field in msgspec.structs.fields(type_)}


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return MISSING if field.default is msgspec.NODEFAULT else field.default


def _strict_hint(hint: object) -> object:
    if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
        return strict(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated or not arguments:
        return hint
    inner = tuple(_strict_hint(each) for each in arguments)
    if origin in (UnionType, Union):
        return reduce(or_, inner)
    return GenericAlias(origin, inner) if isinstance(origin, type) else hint


def _comments(type_: type) -> dict[str, str]:
    try:
        lines = inspect.getsource(type_).splitlines()
    except OSError:
        return {}
    told: dict[str, str] = {}
    before: list[str] = []
    for line in lines:
        if line.startswith(_COMMENT):
            before.append(line.removeprefix(_COMMENT))
        else:
            if before and (found := _FIELD.match(line)):
                told[found[1]] = " ".join(before)
            before = []
    return told
