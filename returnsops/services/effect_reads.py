"""What the machine asks of one effect or connection again and again, each query built once."""

from typing import Final

from django.db.models import Count, Max, Q

from returnsops import states
from returnsops.models import Attempt, Effect
from returnsops.prepared import Prepared

from .effect_rows import LAPSED, UNSETTLED

# Generation, number of the last attempt, and how many never ended.
ATTEMPTS: Final = Prepared(
    lambda effect_id: (
        Effect.objects.filter(pk=effect_id)
        .values_list("generation")
        .annotate(last=Max("attempts__number"), begun=Count("attempts", filter=Q(attempts__ended_at__isnull=True)))
    )
)
# When the last write left, where the outcome of one is not known.
LAST_UNSETTLED: Final = Prepared(
    lambda effect_id: Attempt.objects.filter(effect=effect_id, has_sent=True, outcome__in=UNSETTLED).values_list(
        "effect__last_attempt_at"
    )[:1]
)
# Claims whose worker died while sending.
LAPSED_CLAIMS: Final = Prepared(
    lambda connection_id, at: Effect.objects.filter(
        connection=connection_id, state=states.SENDING, lease_until_at__lte=at
    ).values_list("pk", "claim_token")
)
# A note or a field that shows what is wanted by now.
SHOWN: Final = Prepared(
    lambda effect_id: Effect.objects.filter(
        pk=effect_id, kind__in=sorted(states.SHOWN_KINDS), state=states.DONE
    ).values_list("pk")
)
# An attempt of which nobody wrote how it ended.
OPEN_ATTEMPT: Final = Prepared(
    lambda token: Attempt.objects.filter(token=token, outcome__in=["", LAPSED]).values_list("pk")
)
