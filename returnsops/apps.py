"""The domain app: registers its checks, teams and case kinds when Django starts."""

from django.apps import AppConfig


class ReturnsopsConfig(AppConfig):
    """Domain of returnsops."""

    name = "returnsops"
    verbose_name = "Returns"

    def ready(self) -> None:
        """Register what the generic queue shows of this domain."""
        from returnsops import case_kinds, checks  # noqa: F401 - checks registers itself

        case_kinds.register_all()
