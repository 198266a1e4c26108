"""Mutants of what users, dealers and the market do."""

from __future__ import annotations

from mutant import Mutant, P, one

DEALING = (
    # what users know and decide
    one(
        "awareness decays before it spreads, not after",
        "11",
        P + "awareness.py",
        "world.informed += (1.0 - world.informed) * reach\n    world.informed *= 0.5 ** (1.0 / p.half_life_days)",
        "world.informed *= 0.5 ** (1.0 / p.half_life_days)\n    world.informed += (1.0 - world.informed) * reach",
    ),
    one(
        "the informed accept like others",
        "11",
        "agents/user.py",
        "world.parameters.awareness.informed_factor, 1.0)",
        "1.0, 1.0)",
    ),
    one("law attracts", "3", "agents/user.py", "_shared(-p.legal_weight", "_shared(p.legal_weight"),
    one("takedown removes no advert", "3", "agents/user.py", "p.takedown_effect * levers.ad_takedown) * (", "0 * levers.ad_takedown) * ("),
    one("thinning is not divided by its cap", "3", "agents/user.py", "agrees = (u[likely] * cap <", "agrees = (u[likely] <"),
    one(
        "the commission is nothing to owners",
        "12_adverts",
        "agents/user.py",
        "logit += p.commission_weight * np.log(world.market.commission",
        "logit += 0 * np.log(world.market.commission",
    ),
    one("amnesty is no temptation", "12_adverts", "agents/user.py", "logit += p.amnesty_hazard_logit * ", "logit += 0 * "),
    one("the cap on helping is ignored", "15", "agents/user.py", "window = max(1.0, p.cap_window_days * tightness)", "window = 1.0"),
    one(
        "an account under a ban can be rented",
        "2_dense",
        "world/users.py",
        "((status == BANNED) & (until <= day)))\n\n    def perceived",
        "(status == BANNED))\n\n    def perceived",
    ),
    # sign-up and unsealing
    one(
        "evasion is no shield at sign-up",
        "8_sign_ups",
        P + "registration.py",
        "shield = 1.0 - world.parameters.dealer.evasion_shield * ",
        "shield = 1.0 - 0 * ",
    ),
    one("numbers are free", "2_books", P + "registration.py", "cost[rows] = counts * p.sim_cost_yuan", "cost[rows] = 0.0"),
    one(
        "no helper is needed",
        "8_sign_ups",
        P + "registration.py",
        "done = attempts.passes & (~attempts.needs | (helper >= 0))",
        "done = attempts.passes",
    ),
    one(
        "an unsealed account stays in the pool",
        "2_pool",
        P + "unsealing.py",
        "dealers.per_dealer(dealer[sealed | success])",
        "dealers.per_dealer(dealer[sealed])",
    ),
    one("abuses of unsealing are never stopped", "13_unsealing", P + "unsealing.py", "success = ~sealed & ~refused & (", "success = ("),
    one(
        "unsealings are never reversed",
        "13_unsealing",
        P + "unsealing.py",
        "np.where(late, day + int(p.reseal_days), -1)",
        "np.where(late, -1, -1)",
    ),
    # helpers
    one(
        "an unkeyed draw decides about assists",
        "19",
        P + "verification.py",
        "draws[len(turns) :] < chance",
        "np.random.random(chance.shape) < chance",
    ),
    one(
        "a user helps several requests at once",
        "2_dense",
        P + "verification.py",
        "finds[~winners(user[taken[finds], finds], order)]",
        "finds[:0]",
    ),
    one("helpers get nothing", "2_books", P + "verification.py", '"helpers", helped * recruiters.fee', '"helpers", helped * 0.0'),
    one(
        "earlier assists are forgotten",
        "2_dense",
        P + "verification.py",
        "touched.previous_assist[rows] = touched.last_assist[rows]",
        "pass",
    ),
    one("closed pitches work on", "7", "agents/recruiter.py", " & (recruiters.closed_until[: recruiters.size] <= day)", ""),
    # lures
    one("all adverts are candidates, none thinned", "12_adverts", P + "renting.py", "paid * p.thinning_cap)", "paid)"),
    one("a friend's word counts for nothing", "12", P + "renting.py", " + world.parameters.renting.referral_logit", ""),
    one("all offers to buy are candidates, none thinned", "3", P + "trading.py", "offers * cap)", "offers)"),
    one(
        "theft meets no awareness",
        "11",
        P + "trading.py",
        "< informed_factor(world, user, segment)",
        "< 1.0 + 0 * informed_factor(world, user, segment)",
    ),
    one("two dealers take one account", "2_dense", P + "acquiring.py", "claims = claims.one_per_owner()", "pass"),
    one(
        "a renter may ask himself",
        "12_asks",
        P + "renting.py",
        "neighbour(who, community, referrer)",
        "neighbour(who, community, 0 * referrer - 1)",
    ),
    one(
        "the one after a renter is asked twice as often",
        "12_asks",
        "world/users.py",
        "((others < size) & (member >= but))",
        "((others < size) & (member == but))",
    ),
    one(
        "owners freed early are asked a second time when the ban would have ended",
        "12_returns",
        P + "renting.py",
        "same = (touched.until[rows] == day) & ",
        "same = ",
    ),
    one("owners who unseal are not asked again", "12_returns", P + "unsealing.py", "world.returning.put(day, free[early])", "pass"),
    one(
        "owners whose appeal is upheld are not asked again",
        "12_returns",
        P + "sanctions.py",
        "world.returning.put(day + 1, upheld[barred])",
        "pass",
    ),
    one(
        "owners who are free already are barred again by an upheld appeal",
        "12_returns",
        P + "sanctions.py",
        " & (touched.until[rows] > day)",
        "",
    ),
    one("referral is never credited", "12_adverts", P + "acquiring.py", "referrals[rows] = np.minimum(referrals[rows] + 1, 255)", "pass"),
    one(
        "batches are of one size",
        "14",
        P + "acquiring.py",
        'luck.uniforms("batch", ONCE, claims.key)',
        "np.arange(claims.key.size) % 21 / 21",
    ),
    one("half as many batches are begun", "14", "world/traits.py", "np.array([2.0 / (", "np.array([1.0 / ("),
    # market
    Mutant(
        "the market clears before accounts are acquired",
        "6",
        (
            ("model.py", "        market = clearing.clear(world)\n", ""),
            ("model.py", "        claims = Claims.joined([", "        market = clearing.clear(world)\n        claims = Claims.joined(["),
        ),
    ),
    one(
        "a sale is counted twice",
        "2_books",
        P + "clearing.py",
        "by_dealer * (market.price * utilisation)",
        "2 * by_dealer * (market.price * utilisation)",
    ),
    one(
        "dealers are paid for idle accounts",
        "2_books",
        P + "clearing.py",
        "by_dealer * (market.price * utilisation)",
        "by_dealer * market.price",
    ),
    one("evasion costs nothing", "2_books", P + "clearing.py", "upkeep = p.dealer.evasion_cost_yuan * ", "upkeep = 0.0 * "),
    one("demand does not answer to price", "9_prices", P + "clearing.py", "** -p.market.demand_elasticity", "** 0"),
    # harm
    one(
        "harm does not depend on utilisation",
        "6",
        P + "abuse.py",
        "accounts.quality[:n] * world.market.utilisation\n",
        "accounts.quality[:n]\n",
    ),
    one(
        "confirmation by friends cuts approaches too",
        "19",
        P + "abuse.py",
        "to_friends = p.friend_approaches * ",
        "to_friends = (1 - levers.friend_confirmation) * p.friend_approaches * ",
    ),
    Mutant(
        "detection comes before harm",
        "6",
        (
            ("model.py", "        examined = detection.examine(world, levers, luck, day)\n", ""),
            (
                "model.py",
                "        harm = abuse.abuse(",
                "        examined = detection.examine(world, levers, luck, day)\n        harm = abuse.abuse(",
            ),
            (P + "abuse.py", "used = accounts.quality[:n] * ", "used = (accounts.fate[:n] == 0) * accounts.quality[:n] * "),
        ),
    ),
)
