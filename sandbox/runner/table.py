"""A table of TOML, or an object of JSON, read with types."""


class Table(dict[str, object]):
    """What is absent, or of another type, reads as the zero of its type, as in Go."""

    def text(self, key: str, default: str = "") -> str:
        value = self.get(key)
        return value if isinstance(value, str) and value else default

    def number(self, key: str) -> int:
        value = self.get(key)
        return value if isinstance(value, int) else 0

    def flag(self, key: str) -> bool:
        return self.get(key) is True

    def texts(self, key: str) -> list[str]:
        value = self.get(key)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def table(self, key: str) -> "Table":
        value = self.get(key)
        return value if isinstance(value, Table) else Table()

    def tables(self, key: str) -> list["Table"]:
        value = self.get(key)
        return (
            [item for item in value if isinstance(item, Table)] if isinstance(value, list) else []
        )
