"""The commands that hold the model against something: its levers' stated effects, its targets, the patterns of the world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.faults import SETTING, Fault, ScenarioError, corrected, nearest, one_of, show
from sim.matching.defaults import MEMBERS, POINTS, REPLICATIONS, SMALL, WAVES
from sim.options import ClusterAddress, Out, Quiet, Replications, RetryFailed, Seed, Settings, Workers, whole
from sim.runner import carried_out, conclude, kept_if_interrupted, overrides_of, shipped, team, with_table

if TYPE_CHECKING:
    from sim.jobs import Failure

_SMALL_WORLD = f"{SMALL['population.users']:,} users, {SMALL['run.days']} days"


def levers(
    effects: Annotated[bool, typer.Option("--effects", help="Measure the effect of each lever from its standing strength to 1.")] = False,
    set_: Settings = None,
    replications: Replications = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """List the levers: meaning, standing strength, cost; with --effects, what each does."""
    from sim.screen import print_effects, print_levers

    if not effects:
        if set_ or replications or workers or cluster or retry_failed or out:
            options = "--set, --replications, --workers, --cluster, --retry-failed, --out"
            raise typer.BadParameter("only goes with --effects", param_hint=options)
        print_levers()
        return
    overrides = overrides_of(set_)
    from sim.effects import SHORTER, plan, table
    from sim.scenario import load_scenario

    baseline = load_scenario(shipped("baseline.toml", "abm levers --effects"), {**SHORTER, **overrides}, SETTING)
    measured = with_table(plan(baseline, replications or 6), out, workers, quiet, table, cluster, retry_failed)
    if not quiet:
        print_effects(measured)
    if not measured["holds"].all():
        raise typer.Exit(1)


def calibration(
    scenario: Annotated[Path | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file; the whole platform if not given.")] = None,
    set_: Settings = None,
    replications: Replications = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Hold the baseline against its targets; exit 1 if a hard one is missed."""
    from sim.scenario import load_scenario
    from sim.screen import print_targets

    file = scenario or shipped("wechat_full.toml", "abm calibration", "abm calibration SCENARIO")
    asked = load_scenario(file, overrides_of(set_), SETTING)
    from sim.calibration import plan, table

    measured = with_table(plan(asked, replications or 4), out, workers, quiet, table, cluster, retry_failed)
    if not quiet:
        print_targets(measured)
    if not measured.loc[measured["kind"] == "hard", "inside"].all():
        raise typer.Exit(1)


def validate(
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="PATTERN", help="One of P1 to P9; repeatable; all if not given.")
    ] = None,
    set_: Settings = None,
    replications: Replications = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Test the patterns P1 to P9 seen in the world; exit 1 if one fails."""
    from sim.pattern_titles import PATTERN_TITLES

    wrong = [name for name in only or () if name.upper() not in PATTERN_TITLES]
    if wrong:
        problem = corrected(nearest(wrong[0].upper(), PATTERN_TITLES), f"it must be {one_of(PATTERN_TITLES)}")
        raise ScenarioError([Fault("", "--only", show(wrong[0]), problem)])
    overrides = overrides_of(set_)
    from sim import patterns
    from sim.patterns import PATTERNS
    from sim.patterns.watching import WatchError
    from sim.plots.gallery import rendered
    from sim.plots.scorecard import scorecard
    from sim.scenario import load_scenario
    from sim.scorecard_text import print_scorecard
    from sim.screen import say
    from sim.store import replacing, write_csv, write_text

    chosen = tuple(name for name in PATTERNS if not only or name in [one.upper() for one in only])
    base = load_scenario(shipped("baseline.toml", "abm validate"), {**patterns.SHORTER, **overrides}, SETTING)
    plan = patterns.plan(base, replications or 8, chosen)
    target = out or Path("results") / plan.name
    done = carried_out(plan, target, workers, quiet, cluster, retry_failed)
    if done.failures:
        conclude(done, target, quiet)
    for name in ("scorecard.csv", "scorecard.md", "scorecard.html", "scorecard.png", "curves.csv"):
        (target / name).unlink(missing_ok=True)

    def tell(made: int, total: int) -> None:
        if not quiet and (made % max(1, total // 10) == 0 or made == total):
            say(f"{made} of {total} watched runs done")

    try:
        with team(workers, cluster) as hands:
            seen = patterns.gathered(done, chosen, hands, tell)
        table = patterns.judged(seen, chosen)
        note = f"n = {plan.replications} replications on common seeds; {base.population.users:,} users."
        curves = patterns.curves(seen, chosen)
        figure = scorecard(curves, patterns.tallies(table), note)
        with replacing(target / "scorecard.png") as temporary:
            temporary.write_bytes(rendered(figure, "png"))
        write_csv(target / "scorecard.csv", table)
        write_csv(target / "curves.csv", curves)
        write_text(target / "scorecard.md", patterns.markdown(table))
        write_text(target / "scorecard.html", patterns.page(table, rendered(figure, "svg").decode()))
    except KeyboardInterrupt:
        say(f"abm: interrupted; finished runs are kept in {target}; the same command goes on from there")
        raise
    except WatchError as error:
        say(f"abm: {error}")
        raise typer.Exit(1) from None
    if not quiet:
        print_scorecard(table)
        say(f"the scorecard as a page is {target / 'scorecard.html'}")
    if (table["verdict"] == patterns.FAIL).any():
        raise typer.Exit(1)


def calibrate(
    targets: Annotated[Path | None, typer.Argument(metavar="[TARGETS]", help="A file of targets; the shipped one if not given.")] = None,
    scenario: Annotated[Path | None, typer.Option(metavar="SCENARIO", help="What is simulated; the baseline if not given.")] = None,
    set_: Settings = None,
    users: Annotated[int | None, typer.Option(parser=whole("--users", 1_000, 2_000_000_000), metavar="N", help="Users of a run.")] = None,
    waves: Annotated[int, typer.Option(parser=whole("--waves", 1, 20), metavar="N", help="Waves at most.")] = WAVES,
    points: Annotated[int, typer.Option(parser=whole("--points", 16, 10_000), metavar="N", help="New vectors a wave.")] = POINTS,
    replications: Annotated[
        int, typer.Option(parser=whole("--replications", 1, 1_000), metavar="N", help="Runs of a vector.")
    ] = REPLICATIONS,
    members: Annotated[
        int, typer.Option(parser=whole("--members", 0, 1_000), metavar="N", help="Members of the set; 0 for none.")
    ] = MEMBERS,
    recovery: Annotated[
        int,
        typer.Option(
            parser=whole("--recovery", 2, 10_000, "one world has no coverage"),
            metavar="N",
            help="Synthetic worlds with known parameters to recover; 0 for none. They are small, whatever --users and --set say: "
            f"{_SMALL_WORLD}.",
        ),
    ] = 0,
    seed: Seed = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    retry_failed: RetryFailed = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Match the model with its targets: what is ruled out, and the set that is left; exit 1 if the set is not full."""
    from sim.matching.targets import read_problem
    from sim.reporter import Reporter
    from sim.scenario import load_scenario
    from sim.screen import say, show

    problem = read_problem(targets)
    overrides = {**overrides_of(set_, None, seed), **({} if users is None else {"population.users": users})}
    file = scenario or shipped("baseline.toml", "abm calibrate", "abm calibrate --scenario SCENARIO")
    base = load_scenario(file, overrides, SETTING)
    from sim.matching import RunsFailedError, TooFewError
    from sim.matching import calibrate as match

    def tell(failures: Sequence[Failure], words: str) -> None:
        for failure in failures[:3]:
            say(f"abm: run {failure.run_id} failed ({failure.scenario}): {failure.traceback.strip().splitlines()[-1]}")
        if failures:
            say(f"abm: {words}; their tracebacks are in {target / 'manifest.json'}")

    target, reporter = out or Path("results") / "calibrate", Reporter(quiet)
    try:
        with kept_if_interrupted(reporter, target), team(workers, cluster) as hands:
            done = match(
                problem,
                base,
                waves,
                points,
                replications,
                members,
                recovery,
                out=target,
                workers=hands,
                progress=reporter,
                retry_failed=retry_failed,
            )
    except RunsFailedError as error:
        tell(error.failures, str(error))
        raise typer.Exit(1) from None
    except TooFewError as error:
        say(f"abm: {error}; the runs are kept in {target}")
        raise typer.Exit(1) from None
    tell(done.failures, f"{len(done.failures)} runs failed and count as implausible")
    if not quiet:
        show("\n".join(done.sentences))
        say(f"tables are in {target}")
    if not (done.feasible and done.complete):
        raise typer.Exit(1)


COMMANDS = (levers, calibration, validate, calibrate)
