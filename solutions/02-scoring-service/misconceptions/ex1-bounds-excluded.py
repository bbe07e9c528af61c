# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: takes low and high for values that are already too far
# ---
def application_model():
    """Return the pydantic model of one loan application."""

    def as_int(number):
        return int(number) if isinstance(number, float) and number.is_integer() else number

    fields = {}
    for column in COLUMNS:
        bounds = Field(gt=column.low, lt=column.high)
        if column.name in CATEGORIES:
            kind = Literal[CATEGORIES[column.name]]
        elif column.dtype == "float64":
            kind = Annotated[float, bounds]
        else:
            kind = Annotated[int, bounds, BeforeValidator(as_int)]
        if column.name in FEATURES:
            fields[column.name] = (kind, ...)
    return create_model("Application", __config__=ConfigDict(strict=True, extra="forbid"), **fields)
