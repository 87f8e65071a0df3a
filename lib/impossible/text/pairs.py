"""Two texts."""

Pair = tuple[str, str]
