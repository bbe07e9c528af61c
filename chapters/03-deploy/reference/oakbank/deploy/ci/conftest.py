"""The project's tests are run by its own tasks, in a folder of their own, not by the course's."""

collect_ignore = ["project"]
