"""The tables of a scenario file: keys, types, ranges and defaults, and faults in words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from sim.faults import MISSING, Fault, Key, corrected, nearest, one_of, unknown
from sim.levers import CHANNELS, LEARNING, LEVERS, SEGMENTS
from sim.parameters import LEDGER
from sim.scenario_file import Source

_MAX_DAYS = 20_000
_MAX_FAULTS = 50  # of one table; a longer list helps nobody

DEFAULT_SHARES = {"student": 0.07, "stay_at_home_parent": 0.03, "freelancer": 0.16, "other": 0.74}
"""Shares of the segments where a file gives none."""


def known(names: Collection[str]) -> Callable[[str], str]:
    """Return a check that a text is one of some names."""

    def check(value: str) -> str:
        if value not in names:
            raise ValueError(value)
        return value

    return check


Strength = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Day = Annotated[int, Field(ge=0, le=_MAX_DAYS)]
SegmentName = Annotated[str, AfterValidator(known(SEGMENTS)), Field(json_schema_extra={"enum": list(SEGMENTS)})]
ChannelName = Annotated[str, AfterValidator(known(CHANNELS)), Field(json_schema_extra={"enum": list(CHANNELS)})]
LearningRule = Annotated[str, AfterValidator(known(LEARNING)), Field(json_schema_extra={"enum": list(LEARNING)})]
LeverName = Annotated[str, AfterValidator(known(LEVERS)), Field(json_schema_extra={"enum": list(LEVERS)})]


class Table(BaseModel):
    """A table of a file: unknown keys are faults, a bool is not a number, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Head(Table):
    """What a scenario says of itself."""

    name: str = Field(
        default="scenario", pattern=r"^[a-z0-9_]{1,64}$", description="the scenario's name in tables; the file's name if not given"
    )
    title: str = Field(default="", max_length=200, description="the name as figures show it")
    description: str = Field(default="", max_length=5000, description="what the scenario asks")
    targets: list[ChannelName] = Field(default=[], description="channels that the scenario aims at, for the displacement index")


class Run(Table):
    """How long, from when, with which luck and how often."""

    days: int = Field(default=540, ge=1, le=_MAX_DAYS, description="days simulated; day 0 is the first")
    burn_in_days: Day = Field(default=180, description="policies start here unless they say otherwise")
    settle_days: Day = Field(default=60, description="outcomes are averaged over [burn_in_days + settle_days, days)")
    seed: int = Field(default=1, ge=0, le=2**53, description="replication k has seed + k")
    replications: int = Field(default=20, ge=1, le=100_000, description="runs with a seed of their own")

    @property
    def window(self) -> tuple[int, int]:
        """Return the first day over which outcomes are averaged, and the day after the last."""
        return self.burn_in_days + self.settle_days, self.days


class Segment(Table):
    """One segment of users."""

    share: Strength


class People(Table):
    """How many users there are."""

    users: int = Field(default=12_000_000, ge=1_000, le=2_000_000_000, description="ordinary users of the platform")


class Population(People):
    """The users and their segments."""

    segments: dict[str, Segment]


class Policy(Table):
    """A change of one lever.

    A policy ramps linearly from the standing strength on `start_day` to `strength` on `start_day + ramp_days`, and is
    over from `end_day`. A purge acts on its `days` only and has no start.
    """

    lever: LeverName = Field(description="the lever that changes; may be left out where the policy's id is a lever's name")
    strength: Strength = Field(description="strength that the policy reaches")
    start_day: Day | None = Field(default=None, description="first day; burn_in_days if not given")
    ramp_days: Day = Field(default=0, description="days of linear ramp from the standing strength; 0 is at once")
    end_day: Day | None = Field(default=None, description="first day on which the standing strength is back")
    segments: list[SegmentName] | None = Field(default=None, min_length=1, description="segments aimed at; all if not given")
    days: list[Day] | None = Field(default=None, min_length=1, description="days of a purge; start_day if not given")

    @property
    def first_day(self) -> int:
        """Return the day on which the policy begins."""
        return min(self.days) if self.days else self.start_day or 0


class Dealers(Table):
    """How dealers behave."""

    adaptive: bool = Field(default=True, description="false freezes plans and evasion at burn_in_days")
    learning: LearningRule = Field(default="logit", description="how dealers learn where to put their effort")


LeverTable: type[Table] = create_model(
    "LeverTable",
    __base__=Table,
    **{  # type: ignore[call-overload]  # fields by name, one a lever
        row.name: (Strength, Field(row.standing, description=row.meaning)) for row in LEVERS.values() if not row.only_policy
    },
)
"""The standing regime: a number a lever; `purge` is a policy only."""

ParameterTables: dict[str, type[Table]] = {
    group: create_model(
        f"{group.title()}Parameters",
        __base__=Table,
        **{  # type: ignore[call-overload]  # fields by name, one a parameter
            name: (
                Annotated[float, Field(ge=entry.low, le=entry.high, allow_inf_nan=False)],
                Field(entry.value, description=f"{entry.note} [{entry.unit}; {entry.source}]"),
            )
            for name, entry in rows.items()
        },
    )
    for group, rows in LEDGER.items()
}
"""Overrides of the ledger, by group."""


Model = TypeVar("Model", bound=Table)


def checked(
    model: type[Model],
    source: Source,
    key: Key,
    faults: list[Fault],
    table: dict[str, Any] | None,
    noun: str = "key",
    extra: Collection[str] = (),
) -> Model | None:
    """Validate one flat table of a source; note every fault and return None if there is one.

    `table` is None where it was no table, which `Source.table` has noted; `extra` names keys that are allowed beside the
    model's own and read elsewhere.
    """
    if table is None:
        return None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        schema = model.model_json_schema()["properties"]
        names = [*schema, *extra]
        for row in error.errors(include_url=False, include_input=False, include_context=False)[:_MAX_FAULTS]:
            name = str(row["loc"][0])
            path, place = (*key, name), row["loc"][1] if len(row["loc"]) > 1 else None
            if row["type"] == "extra_forbidden":
                faults.append(source.fault(path, table[name], unknown(noun, name, names, _elsewhere(name, key))))
            elif row["type"] == "missing":
                faults.append(source.fault(path, MISSING, f"is missing; it must be {allowed(schema[name])}"))
            else:
                value = table[name][place] if isinstance(place, int) else table[name]
                inner = _inner(schema[name])["items"] if isinstance(place, int) else schema[name]
                hint = nearest(value, _inner(inner).get("enum", ())) if isinstance(value, str) else ""
                problem = f"{'each entry ' if inner is not schema[name] else ''}must be {allowed(inner)}"
                faults.append(
                    source.fault(path, value, corrected(hint, problem if problem.startswith("each") or not hint else f"it {problem}"))
                )
    return None


def _elsewhere(name: str, key: Key) -> str:
    """Return where a key would be valid that stands in the wrong table."""
    homes = [
        f"{table}.{name}" for table, model in (("run", Run), ("population", People), ("levers", LeverTable)) if name in model.model_fields
    ]
    homes += [f"parameters.{group}.{name}" for group, rows in LEDGER.items() if name in rows]
    return homes[0] if homes and ".".join((*key, name)) not in homes else ""


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a value that may also be left out."""
    return next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)


def allowed(schema: dict[str, Any]) -> str:
    """Say in words what a JSON schema allows."""
    inner = _inner(schema)
    kind = inner.get("type")
    if kind == "array":
        return f"a list{' of at least one entry' if inner.get('minItems') else ''}, each entry {allowed(inner['items'])}"
    if "enum" in inner:
        return one_of(inner["enum"], inner.get("listed_by", ""))
    if kind in ("number", "integer"):
        return f"{'a number' if kind == 'number' else 'a whole number'} from {inner['minimum']} to {inner['maximum']}"
    if kind in ("boolean", "object"):
        return "true or false" if kind == "boolean" else "a table"
    if "pattern" in inner:
        return "1 to 64 of the characters a-z, 0-9 and _"
    return f"text of at most {inner['maxLength']} characters" if "maxLength" in inner else "text"
