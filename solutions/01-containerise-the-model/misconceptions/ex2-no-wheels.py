# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: forgets that the wheels must be in the image before pip can take them
# ---
def ordered():
    return f"""
FROM {BASE}
WORKDIR /app
COPY requirements.in ./
{INSTALL}
COPY . .
"""
