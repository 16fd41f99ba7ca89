"""Cases about connections, and about messages that came in."""

from typing import Final

from connectors import case_actions as run
from exceptions_queue.kinds import CaseAction, Severity, case_kind
from returnsops import states

from .parts import DONE

RESUME: Final = CaseAction(
    code="resume", label="Resume the connection", run=run.resume, permission="returnsops.stop_sending"
)
READ_CATALOGUE: Final = CaseAction(
    code="read_catalogue",
    label="Read the catalogue again",
    run=run.read_catalogue,
    permission="returnsops.test_connection",
    help="Begins within a minute, a page a minute; the case closes when nothing is wrong any more.",
)
REPROCESS: Final = CaseAction(
    code="reprocess", label="Process again", run=run.reprocess, permission="returnsops.reprocess_event"
)

CONNECTION_KINDS: Final = (
    case_kind(
        states.CASE_CONNECTION_AUTH,
        "The other system does not accept our credentials",
        states.OPS,
        Severity.CRITICAL,
        None,
        "The connection is paused. Nothing is lost; what waits goes on when it is resumed.",
        "A key was revoked, has expired, or has too few rights.",
        (
            "Make a new key there and store it with apply_config.",
            "Run check_connection with its name.",
            "Resume the connection.",
        ),
        (RESUME,),
        sla_minutes=60,
        recheck=run.is_resumed,
        can_be_closed_by_hand=False,
    ),
    case_kind(
        states.CASE_CONNECTION_DOWN,
        "The other system does not answer",
        states.OPS,
        Severity.HIGH,
        None,
        "Several calls in a row failed. Only this connection waits; one call now and then probes it.",
        "The system or the network to it is down.",
        ("See whether the system is up.", "The case closes by itself with the first answer."),
        (DONE,),
        sla_minutes=120,
        recheck=run.is_up,
    ),
    case_kind(
        states.CASE_SKU_INTEGRITY,
        "Articles that their SKU does not name",
        states.OPS,
        Severity.LOW,
        24,
        "Articles of the catalogue have no SKU of their own, none at all, or one that another article has too."
        " Orders name them by product and variation id all the same, but a return of one is not put back into stock by"
        " itself, because goods on the bench are told by their SKU.",
        "A variation was made without a SKU: the shop then shows its parent's.",
        (
            "Open the list behind this case, and give each article a SKU of its own in the shop.",
            "The catalogue is read again every day, and soon after you ask for it here.",
            "Held restocks of the article then go on by themselves.",
        ),
        (READ_CATALOGUE,),
        recheck=run.is_catalogue_well,
        can_be_closed_by_hand=False,
    ),
    case_kind(
        states.CASE_WEBHOOK_DISABLED,
        "A webhook is switched off or gone",
        states.OPS,
        Severity.MEDIUM,
        8,
        "The other system stopped telling us of changes. Polling still finds them, later.",
        "Our address could not be reached several times in a row, or somebody deleted it there.",
        (
            "It is armed again by itself; where that failed, the case says why.",
            "If it goes off again, run check_connection with its name.",
        ),
        (DONE,),
    ),
    case_kind(
        states.CASE_BAD_SIGNATURES,
        "Many deliveries with a bad signature",
        states.OPS,
        Severity.HIGH,
        4,
        "Ten or more deliveries of one hour were refused: their signature is wrong. They are not stored.",
        "The secret was changed at one end only, or somebody else is sending.",
        ("Compare the webhook secret at both ends.", "Store the right one with apply_config."),
        (DONE,),
    ),
)


INBOX_KINDS: Final = (
    case_kind(
        states.CASE_UNREADABLE_EVENT,
        "An event cannot be read",
        states.OPS,
        Severity.MEDIUM,
        8,
        "The signature was right and the content was not. It is kept as it came.",
        "The sender changed its format, or sent something broken.",
        ("Compare the event with the sender's description.", "Ask the sender to send it again."),
        (REPROCESS, DONE),
    ),
    case_kind(
        states.CASE_UNMAPPED_EVENT,
        "An event has no meaning here yet",
        states.OPS,
        Severity.MEDIUM,
        8,
        "The mapping of this connection says nothing about it, or not all that is needed.",
        "A new event or a new value at the sender.",
        ("Add it to the connection's mapping.", "Process the event again."),
        (REPROCESS, DONE),
    ),
    case_kind(
        states.CASE_EVENT_PARKED,
        "An event could not be processed",
        states.OPS,
        Severity.MEDIUM,
        8,
        "It was tried several times. Other events go on.",
        "It names something that is not there, or the program has a fault.",
        ("Read the reason in the case.", "When it is fixed, process the event again."),
        (REPROCESS, DONE),
    ),
    case_kind(
        states.CASE_API_VERSION,
        "Another API version answers",
        states.OPS,
        Severity.MEDIUM,
        8,
        "The system no longer serves the version we ask for and answered with a newer one. Work goes on.",
        "Versions are retired a year after they came out.",
        (
            "Read the vendor's list of changes up to the version that answers, and update returnsops where one is out.",
            "Set api_version of the connection to it with apply_config.",
            "The case closes by itself with the next round of polling.",
        ),
        (REPROCESS, DONE),
    ),
    case_kind(
        states.CASE_API_VERSION_ENDING,
        "An API version ends soon",
        states.OPS,
        Severity.LOW,
        24,
        "The version that the connection asks for is supported for some weeks more. Nothing is wrong yet.",
        "Versions are retired a year after they came out.",
        (
            "Read the vendor's list of changes up to a newer version, and update returnsops where one is out.",
            "Set api_version of the connection to the newer version with apply_config.",
            "The case closes by itself with the next round of polling.",
        ),
        (REPROCESS, DONE),
    ),
    case_kind(
        states.CASE_CONFIRM_SPLIT,
        "Several units share one disposition",
        states.WH,
        Severity.MEDIUM,
        8,
        "The platform judged an item of several units with one word. Neither money nor stock follows from it.",
        "The platform keeps the disposition with the item and cannot split it.",
        ("Judge each unit at the warehouse bench.", "Then close the case."),
        (DONE,),
    ),
)
