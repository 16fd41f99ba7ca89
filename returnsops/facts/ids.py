"""Under which names a foreign record is known. Standard library only."""


def names_of(external_id: str) -> tuple[str, ...]:
    """A record's id and, where it is a global one (``gid://shop/Order/1001``), its last part: others name it so."""
    last = external_id.rpartition("/")[2]
    return (external_id, last) if "://" in external_id and last else (external_id,)
