# ---
# answers: ex5
# why: an entry point with a command, uvicorn configured by its variables
# ---
def start():
    return """
ENV PYTHONPATH=/packages
ENV OAKBANK_MODEL model.json
ENV UVICORN_HOST=0.0.0.0 UVICORN_PORT=8000
ENTRYPOINT ["/packages/bin/uvicorn", "--app-dir=/app"]
CMD ["oakbank.intro.service:app"]
USER 65534:65534
"""
