"""A Dockerfile examined: by reading it, or by building and running what it describes, with the same answers.

For the lab on containers. `chapters/01-intro/tests/test_intro_examiners.py` holds that both ways agree.
"""
