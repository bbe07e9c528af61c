# ---
# answers: ex1
# loses: {ex1-test: 3, ex1-test-whole: 1}
# why: makes a field of every column of the schema, the protected group and the month too
# ---
def application_model():
    """Return the pydantic model of one loan application."""

    def as_int(number):
        return int(number) if isinstance(number, float) and number.is_integer() else number

    fields = {}
    for column in COLUMNS:
        bounds = Field(ge=column.low, le=column.high)
        if column.name in CATEGORIES:
            kind = Literal[CATEGORIES[column.name]]
        elif column.dtype == "float64":
            kind = Annotated[float, bounds]
        else:
            kind = Annotated[int, bounds, BeforeValidator(as_int)]
        if True:
            fields[column.name] = (kind, ...)
    return create_model("Application", __config__=ConfigDict(strict=True, extra="forbid"), **fields)
