"""The part of the handbooks that is generated: what each kind of case means and how to fix it, by team."""

from __future__ import annotations

from exceptions_queue.configuration import alert_settings
from exceptions_queue.kinds import CaseAction, CaseKind, all_kinds, team_title
from exceptions_queue.models import AlertReason


def render_handbook(team: str | None = None) -> str:
    """Markdown over all registered kinds, or over those of one team. Raises ValueError for a team without any."""
    kinds = [kind for kind in all_kinds() if team in (None, kind.owner_team)]
    if not kinds:
        raise ValueError(f"No case kinds are registered for {team or 'any team'}.")
    sections: list[str] = []
    for owner in sorted({kind.owner_team for kind in kinds}):
        owned = [kind for kind in kinds if kind.owner_team == owner]
        sections += [f"## Cases of {team_title(owner)}", _overview(owned), *map(_section, owned)]
    return "\n\n".join(sections) + "\n"


_REASONS = (
    (AlertReason.OPENED, "something new, bad enough to be told at once", "Take it, and follow the steps of the case."),
    (AlertReason.REGRESSED, "the same cause again", "See on the timeline what was done last time: it did not hold."),
    (AlertReason.ESCALATED, "told to the team's lead: much money, or a long wait", "Decide who drops what for it."),
    (AlertReason.OVERDUE, "told to the team and its lead", "Solve it now, or write on the case what it waits for."),
    (
        AlertReason.AGEING,
        "told once a day, about the whole team",
        "Open the list by age; look for one cause of several.",
    ),
)


def render_alerts(team: str) -> str:
    """How an alert of one team reads, and which kinds of its cases are told when."""
    kinds = [kind for kind in all_kinds() if kind.owner_team == team]
    at_once = alert_settings().severities
    told = [kind.title for kind in kinds if kind.severity in at_once]
    late = [kind.title for kind in kinds if kind.severity not in at_once]
    rows = [f"| … {AlertReason(reason).label} | {meaning} | {act} |" for reason, meaning, act in _REASONS]
    return "\n\n".join(
        [
            "## How to read an alert",
            f"It names the team, the kind of case, what happened to it and its number: `[{team_title(team)}] "
            f"{kinds[0].title if kinds else 'A case'} {AlertReason.OPENED.label} (case 12)`. Below stand its severity, "
            "its deadline and the link to its page; never a customer or an amount.",
            "\n".join(["| it says | that is | do |", "|---|---|---|", *rows]),
            f"Told at once: {_listed(told)}.",
            f"Told when late, or when it weighs enough for the lead: {_listed(late)}.",
        ]
    )


def _listed(titles: list[str]) -> str:
    return ", ".join(f"*{title}*" for title in titles) or "nothing"


def deadline_in_words(kind: CaseKind) -> str:
    """The agreed time of a kind: "within 4 working hours", "within 30 minutes"."""
    if kind.sla_minutes is not None:
        return f"within {kind.sla_minutes} {'minute' if kind.sla_minutes == 1 else 'minutes'}, day and night"
    return f"within {kind.sla_hours} working {'hour' if kind.sla_hours == 1 else 'hours'}"


def _overview(kinds: list[CaseKind]) -> str:
    rows = [f"| {kind.title} | {kind.severity} | {deadline_in_words(kind)} |" for kind in kinds]
    return "\n".join(["| case | severity | to be solved |", "|---|---|---|", *rows])


def _section(kind: CaseKind) -> str:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(kind.how_to_fix, start=1))
    actions = "\n".join(map(_action_line, kind.actions))
    return "\n\n".join(
        [
            f"### {kind.title}",
            kind.meaning,
            f"**Likely cause.** {kind.likely_cause}",
            f"**How to fix it**\n\n{steps}",
            f"**On the case's page**\n\n{actions}",
            f"{_closing(kind)} Code: `{kind.code}`.",
        ]
    )


def _action_line(action: CaseAction) -> str:
    notes = [note for note in (action.help, "wants a reason" if action.needs_reason else "") if note]
    notes += ["closes the case"] if action.is_resolving else []
    return f"- **{action.label}**" + (f": {'; '.join(notes)}" if notes else "")


def _closing(kind: CaseKind) -> str:
    ways = ["It closes itself when the cause is gone."] if kind.recheck else []
    if kind.can_be_raised:
        ways.append("Staff can raise it by hand.")
    if not kind.can_be_closed_by_hand:
        ways.append("It cannot be closed by hand without one of these actions.")
    return " ".join(ways) or "A person closes it when it is fixed."
