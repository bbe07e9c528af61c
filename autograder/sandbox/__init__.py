"""A place for code that nobody trusts: namespaces, mounts, limits and a filter of system calls. No root needed.

A forked process, still single-threaded, is put away in three steps. `enter`: it and its children see only what a `View`
shows and have no network. `fresh_scratch`: its files are those of nobody else. `confine`: it has no rights left.

Needs Linux 5.14 (`mount_setattr`; process limits counted for each user namespace). Sources: `user_namespaces(7)`,
`pivot_root(2)`, `mount_setattr(2)`, `capabilities(7)`, `seccomp(2)`, and bubblewrap's order of mounts.
"""
