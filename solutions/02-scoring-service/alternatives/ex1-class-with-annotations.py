# ---
# answers: ex1
# why: a class made with type(), annotations and a validator for all integers
# ---
def application_model():
    from pydantic import field_validator

    columns = {column.name: column for column in COLUMNS if column.name in FEATURES}
    integers = [name for name, column in columns.items() if column.dtype not in ("float64", "category")]

    class Base(BaseModel):
        model_config = ConfigDict(strict=True, extra="forbid")

        @field_validator(*integers, mode="before", check_fields=False)
        @classmethod
        def whole(cls, value):
            if type(value) is float and value == value and abs(value) < 1e15 and int(value) == value:
                return int(value)
            return value

    annotations = {}
    for name, column in columns.items():
        if name in CATEGORIES:
            annotations[name] = Literal[tuple(CATEGORIES[name])]
        else:
            number = int if name in integers else float
            annotations[name] = Annotated[number, Field(ge=column.low), Field(le=column.high)]
    return type("Application", (Base,), {"__annotations__": annotations, "__module__": __name__})
