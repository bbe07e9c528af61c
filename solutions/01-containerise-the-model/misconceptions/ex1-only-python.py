# ---
# answers: ex1
# loses: {ex1-test-tomorrow: 1}
# why: brings back the Python files of two folders, and nothing that is added elsewhere
# ---
def ignored():
    return """
*
!model.json
!requirements.*
!wheelhouse
!oakbank/intro/*.py
"""
