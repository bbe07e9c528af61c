"""The letters team: what it needs of the table of decisions, and a line for each."""

import pandera.pandas as pa

from bank import decisions

NEEDS = pa.DataFrameSchema({"grounds": pa.Column(str, pa.Check.str_length(1, 80))})


def lines(rows):
    """Return what each letter says."""
    table = NEEDS.validate(decisions.table(rows))
    return [f"We say: {text}." for text in table["grounds"]]
