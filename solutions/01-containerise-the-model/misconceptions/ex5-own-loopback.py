# ---
# answers: ex5
# loses: {ex5-test: 1}
# why: listens on 127.0.0.1, which in a container is the container's own
# ---
def start():
    return """
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
USER 10001
CMD ["python", "-m", "uvicorn", "oakbank.intro.service:app", "--port", "8000"]
"""
