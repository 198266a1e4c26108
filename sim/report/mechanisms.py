"""What each lever does, in a plain sentence: what is done to whom, what those do then, and who else is hit."""

from __future__ import annotations

MECHANISMS: dict[str, str] = {
    "registration_audit": (
        "The platform looks harder at sign-ups and turns away more of those that dealers make, so that each account that passes costs"
        " them more numbers and they put more effort where it brings more; honest sign-ups are blocked as well, ever more of them the"
        " stricter it is."
    ),
    "assisted_verification": (
        "More new accounts need a scan by an existing user, so that dealers must buy more help from scan teams and task platforms, whose"
        " price goes up with what is asked for; honest people who sign up are delayed by the same rule."
    ),
    "helper_cap": (
        "Only users with an account that is old enough may help, and each of them only once in a while, so that scan teams and task"
        " platforms must find others and serve fewer of the dealers' requests; honest helpers are refused by the same rule."
    ),
    "helper_sanctions": (
        "Users who help again and again, and are linked to an account that was caught, are barred from helping for a time and more"
        " reluctant after it, so that help gets scarcer for dealers; now and then an honest repeat helper is barred by mistake."
    ),
    "scan_confirmation": (
        "A dialog says what a scan confirms, so that some of the passers-by whom scan teams ask see it and decline, and a team must speak"
        " to more people for each scan; everybody who scans honestly loses a few seconds."
    ),
    "stall_policing": (
        "Police close scan teams in the street for some days and at a fine, so that fewer passers-by are asked and help gets scarcer for"
        " dealers; nobody innocent is hit, and the officers' time is the price."
    ),
    "task_platform_takedown": (
        "Authorities take task platforms down, which lose their lists of members and must enrol them anew, so that fewer users are paid"
        " to help and help gets scarcer for dealers; nobody innocent is hit, and the investigators' time is the price."
    ),
    "unsealing_strictness": (
        "Requests to unseal an account are checked for five known tricks, and those caught are refused, sealed again or sealed for good,"
        " so that dealers win fewer accounts back from their pool of sealed ones; legitimate requests are refused as well."
    ),
    "account_audit": (
        "The detector acts on weaker signs, so that accounts under dealers' control are caught sooner and rented ones live less long, and"
        " dealers who lose accounts hide the others better; since one threshold serves for all, innocents are flagged too, steeply more of"
        " them the lower it is."
    ),
    "login_check": (
        "Logins on two devices or on a new one are challenged, so that more rented and stolen accounts fall, unless dealers pay to look"
        " like the owner; users who travel or have a new device are challenged too."
    ),
    "cluster_sweep": (
        "When an account is caught, those that its dealer made or took in the same batch may fall with it, less so where the dealer keeps"
        " them apart, so that fewer accounts stay in use; innocents on the same device are swept along."
    ),
    "sanction_severity": (
        "More of the accounts that dealers made are sealed for good when they are caught, so that fewer come back by unsealing; owners"
        " who were lured into renting out are more often punished a step harder too, and lose more."
    ),
    "user_reporting": (
        "Reporting is made easier, so that more of those whom an account approaches report it and the reviewers get more cases; mistaken"
        " and malicious reports of innocents rise with it, and cases of nuisance may wait in front of fraud."
    ),
    "review_capacity": (
        "More reviewers decide more reports and appeals a day, so that fewer cases wait until they lapse and accounts that were reported"
        " fall sooner; the reviewers' pay is the price."
    ),
    "ad_takedown": (
        "Adverts that offer money for an account are taken down, so that fewer users see one, and dealers, who find that adverts bring"
        " less, put their effort elsewhere; honest job adverts are removed by mistake."
    ),
    "awareness_campaign": (
        "A campaign tells users what becomes of accounts that are rented, lent or sold, and those who know it agree to rent out, sell or"
        " help far less often and are robbed less often, until they forget it; media and attention are the price."
    ),
    "friend_confirmation": (
        "Users are asked to confirm by voice before they pay a friend, so that fewer frauds on the friends of owners succeed, while"
        " dealers go on as before, since the market does not feel it; everybody who pays a friend loses a few seconds."
    ),
    "legal_certainty": (
        "The law takes up more cases against owners who rented out, repeat helpers and dealers, so that users expect it and agree less"
        " often to rent out or sell, and, months later, some dealers are arrested; owners and helpers are punished with them."
    ),
    "legal_severity": (
        "The law punishes harder, so that users agree somewhat less often to rent out or sell, though how hard weighs a fifth of how"
        " surely; owners who were lured and come before it lose more."
    ),
    "owner_amnesty": (
        "Owners who rented out and report it themselves are not punished and have their account back, and the other accounts of the"
        " dealer whom they name are examined; since it can be undone, more users agree to rent out in the first place."
    ),
    "purge": (
        "On the listed days every account under dealers' control is examined and may fall, less so where evasion hides it, and dealers"
        " who lose much at once hide the rest better; innocents are flagged on those days."
    ),
}
"""A sentence a lever, in the order of `sim.levers.LEVERS`."""
