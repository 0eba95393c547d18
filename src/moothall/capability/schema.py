"""Code made from annotations: validation of arguments and results, their JSON, and their JSON Schema.

Everything is built once per capability (pydantic's validators and serializers); nothing is looked up per call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import ConfigDict, Field, PydanticUserError, TypeAdapter
from pydantic import ValidationError as Refusal
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError

from moothall.capability import jsonschema, values
from moothall.capability.entry import Arguments
from moothall.capability.options import OptionError
from moothall.capability.refusals import refused
from moothall.capability.shape import MISSING, Parameter, Shape
from moothall.capability.spec import JsonObject

_CONFIG: Final = ConfigDict(allow_inf_nan=False, ser_json_inf_nan="constants")
_EXACT: Final = frozenset({int, str, bool})
_SCALARS: Final = frozenset({int, str, bool, float})
_MOST_ADAPTERS: Final = 4096
_adapters: Final[dict[int, tuple[Any, TypeAdapter[Any]]]] = {}


class Misfit(Exception):
    """A result does not fit its annotation; ``where`` says what is wrong, without the value."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def bind(shape: Shape) -> Callable[[Mapping[str, Any] | Sequence[Any]], Arguments]:
    """Code that validates arguments by name or by position.

    Raises:
        OptionError: an annotation is of a type that has no JSON form.
    """
    names = tuple(parameter.name for parameter in shape.parameters)
    first = tuple(parameter.name for parameter in shape.parameters if parameter.positional_only)
    validate = _arguments(shape).validator.validate_python
    unset = frozenset(id(parameter.default) for parameter in shape.parameters)
    simple = all(parameter.annotation in _SCALARS for parameter in shape.parameters)

    def bound(params: Mapping[str, Any] | Sequence[Any]) -> Arguments:
        handed = frozenset[int]() if simple else values.within_depth(params)
        try:
            positional, named = validate(params if type(params) in {dict, list, tuple} else _plain(params))
        except Refusal as refusal:
            raise refused(refusal, names) from None
        if positional:
            named = {**dict(zip(names, positional, strict=False)), **named}
        if not simple:
            values.finite(named, handed, unset)
        if first:
            return Arguments(tuple(named.pop(name) for name in first), named)
        return Arguments((), named)

    return bound


def wire(shape: Shape) -> Callable[[Arguments], JsonObject]:
    """Code that writes validated arguments as JSON, under the names that a caller uses.

    It raises ValidationError for an integer of more digits than Python writes, `Misfit` for what has no JSON form.
    """
    first = tuple(parameter.name for parameter in shape.parameters if parameter.positional_only)
    writers = tuple(
        (parameter.name, _outer_name(parameter), to_json(_unnamed(parameter.annotation)))
        for parameter in shape.parameters
    )

    def written(arguments: Arguments) -> JsonObject:
        named = arguments.named
        if first:
            named = {**dict(zip(first, arguments.positional, strict=True)), **named}
        try:
            return {outer: write(named[name]) for name, outer, write in writers}
        except Misfit as misfit:
            if not isinstance(misfit.__cause__, values.TooLong):
                raise
        raise values.misplaced("int_too_long", "Input should be an integer of at most 4300 digits")

    return written


def check(annotation: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a type
    """Code that returns a result as its annotation has it (a tuple as list, a model as object) or raises `Misfit`."""
    if annotation is MISSING or annotation is Any:
        return _same
    adapter = _adapter(annotation)
    validate = adapter.validator.validate_python
    strict = annotation in _SCALARS
    exact = annotation if annotation in _EXACT else None

    def checked(value: Any) -> Any:  # noqa: ANN401
        if type(value) is exact:
            return value
        try:
            return validate(value, strict=strict or None)
        except Refusal as refusal:
            plain = values.plain(value)
            if plain is value:
                raise Misfit(_where(refusal)) from None
        try:
            return validate(plain)
        except Refusal as refusal:
            raise Misfit(_where(refusal)) from None

    return checked


def restore(annotation: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a type
    """Code that reads a result from JSON: decimal strings become integers, ISO texts times, where the type says so."""
    if annotation is MISSING or annotation is Any:
        return _same
    validate = _adapter(annotation).validator.validate_python

    def restored(value: Any) -> Any:  # noqa: ANN401
        try:
            return validate(value)
        except Refusal as refusal:
            raise Misfit(_where(refusal)) from None

    return restored


def to_json(annotation: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a type
    """Code that writes a value of this type as JSON; it raises `Misfit` where that cannot be."""
    if annotation in {str, bool, type(None)}:
        return _same
    if annotation is int:
        return _integer
    serialize = _adapter(Any if annotation is MISSING else annotation).serializer.to_python

    def written(value: Any) -> Any:  # noqa: ANN401
        try:
            return values.narrow(serialize(value, mode="json", by_alias=True, warnings=False))
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            raise Misfit(f"{type(value).__name__} has no JSON form") from error

    return written


def _integer(value: int) -> int | str:
    try:
        return values.safe_integer(value)
    except values.TooLong as error:
        raise Misfit("an integer with too many digits") from error


def input_schema(shape: Shape) -> JsonObject:
    """JSON Schema 2020-12 of the arguments: an object, nothing beside what is named."""
    made: JsonObject | None = shape.made.get("input")
    if made is None:
        made = shape.made["input"] = _arguments(shape).json_schema(schema_generator=jsonschema.Inputs)
    return _copied(made)


def output_schema(shape: Shape) -> JsonObject | None:
    """JSON Schema 2020-12 of the result; None where nothing is declared."""
    if shape.returns is MISSING:
        return None
    made: JsonObject | None = shape.made.get("output")
    if made is None:
        made = _adapter(shape.returns).json_schema(schema_generator=jsonschema.Outputs, mode="serialization")
        if shape.result:
            made.setdefault("description", shape.result)
        shape.made["output"] = made
    return _copied(made)


def _copied(made: JsonObject) -> JsonObject:
    """A copy all through; `copy.deepcopy`, which also looks for what occurs twice, takes ten times as long."""
    return {name: _copied_value(value) for name, value in made.items()}


def _copied_value(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return _copied(value)
    if isinstance(value, list):
        return [_copied_value(each) for each in value]
    return value


def _arguments(shape: Shape) -> TypeAdapter[Any]:
    made: TypeAdapter[Any] | None = shape.made.get("arguments")
    if made is None:
        made = shape.made["arguments"] = _collecting(shape)
    return made


def _collecting(shape: Shape) -> TypeAdapter[Any]:
    def collect(*positional: object, **named: object) -> tuple[tuple[object, ...], dict[str, object]]:
        return positional, named

    kinds = inspect.Parameter
    parameters = [
        kinds(
            parameter.name,
            kinds.KEYWORD_ONLY if parameter.keyword_only else kinds.POSITIONAL_OR_KEYWORD,
            default=parameter.default,
            annotation=_described(parameter),
        )
        for parameter in shape.parameters
    ]
    collect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    collect.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return _adapter(collect)


def _adapter(annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type
    """The adapter of a type, made once: it takes long. Types are told apart by identity: ``int | str == str | int``."""
    known = _adapters.get(id(annotation))
    if known is not None and known[0] is annotation:
        return known[1]
    made = _adapted(annotation)
    if len(_adapters) >= _MOST_ADAPTERS:
        _adapters.clear()
    _adapters[id(annotation)] = annotation, made
    return made


def _adapted(annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type
    try:
        try:
            return TypeAdapter(annotation, config=_CONFIG)
        except PydanticUserError as error:
            if error.code != "type-adapter-config-unused":
                raise
            return TypeAdapter(annotation)
    except PydanticUserError as error:
        raise OptionError(f"a type of the signature has no JSON form: {error.message.splitlines()[0]}") from error


def _described(parameter: Parameter) -> Any:  # noqa: ANN401 - a type
    own = get_args(parameter.annotation)[1:] if get_origin(parameter.annotation) is Annotated else ()
    if not parameter.description or any(isinstance(item, FieldInfo) and item.description for item in own):
        return parameter.annotation
    return Annotated[parameter.annotation, Field(description=parameter.description)]


def _outer_name(parameter: Parameter) -> str:
    own = get_args(parameter.annotation)[1:] if get_origin(parameter.annotation) is Annotated else ()
    return next((item.alias for item in own if isinstance(item, FieldInfo) and item.alias), parameter.name)


def _unnamed(annotation: Any) -> Any:  # noqa: ANN401 - a type
    """A type without what only a parameter can have: another name for callers."""
    if get_origin(annotation) is not Annotated:
        return annotation
    kind, *said = get_args(annotation)
    for item in said:
        if not (isinstance(item, FieldInfo) and item.alias):
            kind = Annotated[kind, item]
    return kind


def _plain(params: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any] | list[Any]:
    return dict(params) if isinstance(params, Mapping) else list(params)


def _where(refusal: Refusal) -> str:
    first = refusal.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{first['type']} at {place}" if place else first["type"]


def _same(value: Any) -> Any:  # noqa: ANN401
    return value
