"""A credit model's prediction log in a folder, for the tests of what reads and writes it."""

from vigil.testing.credit_log import LATER, NIGHT, NINE, monitor, outcome, row, rows, table

__all__ = ["LATER", "NIGHT", "NINE", "monitor", "outcome", "row", "rows", "table"]
