"""What each shipped experiment answers, in sentences with the numbers of its committed tables."""

from __future__ import annotations

from pathlib import Path

from sim.analysis.uncertain import share_interval
from sim.exhibits.numbers import Row, Table, borne_out, ends, per_cent, plain, share
from sim.exploring.sentences import is_above
from sim.headlines import Changes
from sim.levers import CHANNELS

HARM, RENTED, SUPPLY, COST = "expected_harm_yuan", "stock_rented", "supply_account_days", "enforcement_cost_yuan"
INNOCENTS = "innocents_sanctioned"


def strength(results: Path) -> str:
    """Say what the audit of sign-ups does from none to the hardest."""
    changes = Changes(results / "policy_strength" / "dose_response.csv")
    none, some, full = (f"registration_audit_{level}" for level in ("0", "0p4", "1"))
    for outcome in (RENTED, HARM):
        steps = [changes.up(f"registration_audit_{level}", outcome).value for level in ("0p4", "0p6", "0p8", "1")]
        borne_out(steps == sorted(steps), f"{outcome} rises with every step")
    times = 1.0 + changes.up(full, "signups_blocked").value
    return (
        "renting rises with every step above the strength of today, .3: by"
        f" {share(changes.up(some, RENTED))} at .4 and by {share(changes.up(full, RENTED))} at 1. Expected harm never falls on the way,"
        f" it rises by {share(changes.up(full, HARM))} at 1, where {times:.0f} times as many honest"
        f" sign-ups are blocked. Only *less* audit than today lowers it, by {share(changes.down(none, HARM))} with none at all."
    )


def squeeze(results: Path) -> str:
    """Say what the flow and the moving picture of the supply squeeze show."""
    path, name = results / "policy_comparison" / "comparison.csv", "supply_squeeze"
    changes, table = Changes(path), Table(path)
    fewer = [share(changes.down(name, f"inflow_{channel}"), -1) for channel in ("registered", "unsealed")]
    more = [share(changes.up(name, f"{part}_rented"), 1) for part in ("inflow", "detected")]
    gone = share(changes.down(name, "detected_registered"), -1)
    rows = [table.one(scenario=name, outcome=f"detected_{channel}") for channel in CHANNELS]
    before, after = (sum(float(row[mean]) for row in rows) for mean in ("baseline_mean", "mean"))
    borne_out(after < 0.5 * before, "most sanctions on accounts go")
    return (
        f"Under the supply squeeze dealers get {fewer[0]} fewer registered and {fewer[1]} fewer unsealed accounts a day, but {more[0]} more"
        f" rented ones. Most sanctions on accounts go with those that were thrown away, {gone} fewer of the registered, while {more[1]}"
        f" more a day hit accounts of lured owners. Supply shrinks by only {share(changes.down(name, SUPPLY), -1)}, since a"
        " rented account does the work of several fresh ones."
    )


def luck(results: Path) -> str:
    """Say how many independent runs a pair on one seed is worth."""
    table = Table(results / "paired_variance" / "comparison.csv")
    rows = [row for row in table.rows if row["outcome"] in {RENTED, SUPPLY, HARM}]
    borne_out(all(ends(row, "variance_ratio")[1] > 1.0 for row in rows), "shared luck always saves runs")

    def times(row: Row) -> str:
        value, low, high = (f"{end:.2g}" for end in ends(row, "variance_ratio"))
        return f"{value} ({low} to {high})"

    ordered = sorted(rows, key=lambda row: ends(row, "variance_ratio")[0])
    return (
        "to know as well what a lever stronger by .1 does to rented accounts, supply and expected harm, it takes from"
        f" {times(ordered[0])} to {times(ordered[-1])} times as many independent runs as pairs on the same seeds, by lever and outcome."
    )


def levers(results: Path) -> str:
    """Say which levers on supply drive dealers to real people, and which are more or less than their sum."""
    shapley, pairs = (Table(results / "supply_levers_factorial" / f"{name}.csv") for name in ("shapley", "interactions"))

    def part(label: str, side: int) -> str:
        return share(ends(shapley.one(outcome=RENTED, label=label), "relative"), side)

    audit = ends(shapley.one(outcome=RENTED, label="registration audit"), "relative")
    others = [ends(row, "relative") for row in shapley.rows if row["outcome"] == RENTED and row["label"] != "registration audit"]
    borne_out(audit[1] > max(high for _, _, high in others), "the audit of sign-ups drives dealers to real people most")

    def pair(label: str, side: int) -> str:
        row = pairs.one(outcome=SUPPLY, first_label="registration audit", second_label=label)
        return share(ends(row, "relative"), side)

    return (
        "the audit of sign-ups drives dealers to real people most. Of what all four do to rented accounts its share is"
        f" {part('registration audit', 1)} of today's more, that of strict unsealing {part('unsealing strictness', 1)} and that of auditing"
        f" live accounts {part('account audit', 1)}; takedown of adverts takes {part('ad takedown', -1)} away. Two levers are not their"
        f" sum: takedown beside the audit of sign-ups takes out {pair('ad takedown', -1)} of the supply *more* than the two apart, since it"
        f" bars the way out, and the two audits overlap by {pair('account audit', 1)}."
    )


def package(results: Path) -> str:
    """Say what each lever of the package contributes to what it does to harm."""
    bundle, shapley = (Table(results / "package_shares" / f"{name}.csv") for name in ("bundle", "shapley"))
    whole = bundle.one(outcome=HARM)
    alone = float(whole["sum_alone"]) / float(whole["baseline_mean"])
    borne_out(-0.1 < alone < 0.0, "alone the levers hardly do anything")

    def part(label: str, side: int) -> str:
        return share(ends(shapley.one(outcome=HARM, label=label), "of_bundle"), side)

    return (
        f"the package cuts expected harm by {share(ends(whole, 'relative'), -1)}. Ad takedown alone has a share of {part('ad takedown', 1)}"
        f" in that; the audit of sign-ups *works against it* by {part('registration audit', -1)}, since it sends dealers to rented"
        f" accounts, and so does strict unsealing by {part('unsealing strictness', -1)}. Alone, the five effects add up to"
        f" {per_cent(alone)} %: what the package does is that takedown bars the way out which the squeezes open."
    )


def worlds(results: Path) -> str:
    """Say in which worlds both squeezes together fail."""
    tried, boxes = (Table(results / "combined_discovery" / f"{name}.csv") for name in ("worlds", "boxes"))
    rows = [row for row in tried.rows if row["world"] != "0"]
    box = boxes.one(restricted="True")
    borne_out(box["factor"] == "parameters.market.demand_elasticity", "one limit, on demand, describes the worlds")
    borne_out(float(box["boxes_found"]) * float(box["reproduced"]) == 1.0, "worlds drawn again have it in every draw")
    unsure = sum(row["uncertain"] == "True" for row in rows) / len(rows)
    inside, again = (per_cent(float(box[name])) for name in ("density", "unseen_density"))
    return (
        "both squeezes together do *not* bring harm down by 30 % in"
        f" {share(share_interval(sum(row['failed'] == 'True' for row in rows), len(rows)))} of the worlds; chance leaves the verdict open"
        f" in {per_cent(unsure)} %. {per_cent(float(box['coverage']))} % of the failing worlds have a demand elasticity below"
        f" {plain(float(box['high']))}, and {inside} % of the {box['worlds']} worlds so described fail ({again} % of such worlds to which"
        " the limit was not fitted; worlds drawn again have it in every draw): where abusers pay nearly any price, raising it does not"
        " drive them out."
    )


def mix(results: Path) -> str:
    """Say what the search for a mix of levers found, and how it stands against the shipped policies."""
    winners, duels = (Table(results / "cheapest_mix" / f"{name}.csv") for name in ("winners", "equal_cost"))
    held = [row for row in duels.rows if row["winner"]]
    all_beaten = all(row["beats"] == "True" and float(row["harm_high_simultaneous"]) < 0.0 for row in held)
    borne_out(all_beaten, "each rival that costs as much as a mix is beaten")
    cheaper = sum(float(row["cost_high_simultaneous"]) <= 0.0 for row in held)
    best = {row["outcome"]: row for row in winners.rows if "least harm" in row["roles"].split("; ")}
    base = {row["outcome"]: float(row["fresh"]) for row in winners.rows if row["kind"] == "baseline"}

    def change(outcome: str, side: int) -> str:
        return share([end / base[outcome] for end in ends(best[outcome], "difference")], side)

    takedown, login, audit = (float(best[HARM][lever]) for lever in ("ad_takedown", "login_check", "registration_audit"))
    borne_out(audit < 0.3, "the mix audits sign-ups less than today")
    borne_out("awareness_campaign" not in best[HARM], "the mix has no campaign")
    lure = duels.one(rival="lure_squeeze")
    gain = share([float(lure[f"harm_{end}"]) / float(lure["harm_rival"]) for end in ("difference", "low", "high")], -1)
    part = (float(lure["cost_winner"]) - base[COST]) / (float(lure["cost_rival"]) - base[COST])
    curse = max(abs(float(row["curse"])) for row in winners.rows if row["kind"] == "winner" and row["outcome"] == HARM) / base[HARM]
    borne_out(curse < 0.01, "the search did not promise too much")
    return (
        f"at equal cost or less the search beats {len(held)} of the {len(duels.rows)} shipped policies in expected harm, also with"
        f" intervals that hold for all at once ({cheaper} of them with such intervals of cost too); the others are cheaper than any mix"
        " that keeps the guardrails. The mix of least harm"
        f" (takedown of adverts at {plain(takedown)}, login checks at {plain(login)}, *less* audit of sign-ups than today) cuts harm by"
        f" {change(HARM, -1)} for {change(COST, 1)} more cost and {change(INNOCENTS, 1)} more innocents sanctioned. Against the lure"
        f" squeeze the gain is small, {gain} less harm, but at {per_cent(part)} % of its extra cost: it spares the campaign. The search did"
        f" not promise too much: on fresh seeds the harm of no winner differs by more than {per_cent(curse)} % of the baseline's."
    )


_MEANS = {
    "account: quality rented": "how much more a rented account is worth than a fresh one",
    "market: demand elasticity": "how demand reacts to price",
    "dealer: choice weight": "how sharply dealers follow profit",
    "dealer: evasion cost": "what evasion costs",
    "renting: quit per day": "how soon owners quit",
    "trading: supply elasticity": "how many users sell at a higher price",
}
"""What the unknown numbers are, by their labels."""

_NAMED = 3  # numbers that a sentence names


def screening(results: Path) -> str:
    """Say which unknown number moves most what each policy does, and whether their order holds."""
    indices, ranking = (Table(results / "screening_morris" / f"{name}.csv") for name in ("sensitivity", "ranking"))

    def most(policy: str, of: str = "") -> str:
        rows = [row for row in indices.rows if row["outcome"] == HARM and row["subject"] == policy]
        first, *others = sorted(rows, key=lambda row: -float(row["mu_star"]))
        alike = [first, *(row for row in others if not is_above(ends(first, "mu_star"), ends(row, "mu_star")))]
        borne_out(all(float(row["mu_star_beyond_low"]) > 0.0 for row in alike), "these numbers matter beyond luck")
        named = [f"{_MEANS[row['label']]}: {share(ends(row, 'mu_star'))}" for row in alike[:_NAMED]]
        named[0] += of
        if len(alike) == 1:
            return named[0]
        named += [f"{len(alike) - _NAMED} more"] if len(alike) > _NAMED else []
        return f"{', '.join(named[:-1])} and {named[-1]}, in what order chance leaves open"

    of = " of the baseline's harm, from one end of the number's range to the other"
    order = ranking.one(outcome=HARM)
    borne_out(order["best"] == "lure_squeeze", "the lure squeeze is best by harm")
    n = int(order["points"])
    changed, clear, first = (round(float(order[name]) * n) for name in ("changed_share", "changed_clear_share", "best_share"))
    return (
        f"what the lure squeeze does to expected harm hangs most on {most('lure_squeeze', of)}; what both squeezes together do, on"
        f" {most('combined')}; what the sensitive audit does, on {most('account_audit')}. The order of the three by harm is another one at"
        f" {changed} of {n} points, beyond chance at {clear}, judged all at once; the lure squeeze stays first at {first}."
    )
