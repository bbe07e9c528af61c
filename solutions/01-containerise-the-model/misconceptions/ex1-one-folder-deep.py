# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-tomorrow: 1}
# why: brings back with one star for each folder of today, and takes the secrets along
# ---
def ignored():
    return """
*
!model.json
!requirements.*
!wheelhouse/*
!oakbank/*/*
"""
