# ---
# answers: ex3
# why: the exec form, and pip's own variables
# ---
def packages_stage():
    return f"""
ARG IMAGE=python
FROM ${{IMAGE}}:3.11-slim as build
ENV PIP_NO_INDEX=1 \\
    PIP_FIND_LINKS=/w
COPY wheelhouse/ /w/
COPY requirements.txt /locked.txt
RUN ["python3", "-m", "pip", "install", "--no-deps", "-t", "/packages", "-r", "/locked.txt"]
"""
