"""What django-q2 calls. Every task is a hint: lost or doubled, it costs a late or an empty wake-up, nothing else."""


def wake_pump_soon(connection_id: int) -> None:
    """Ask a worker to run the pump of a connection soon."""
