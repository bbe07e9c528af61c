# ---
# answers: ex3
# why: several commands in one line, in a folder that they make and leave
# ---
def packages_stage():
    return f"""
FROM {BASE} AS build
COPY requirements.txt wheelhouse/*.whl /build/in/
RUN set -e; cd /build/in && \\
    python -m pip install --quiet --no-index -f . --require-hashes \\
        --target "/packages" --requirement requirements.txt && \\
    rm -rf /build/in
"""
