"""A learner's own ground, `work/`: copies of lessons and labs, in which all that a learner writes stays.

| module | does |
|---|---|
| `layout` | what is given out, and where its copy lies |
| `links` | leads a copy's links to other copies |
| `contents` | reads notebooks, compares them, and carries answers from one version into the next |
| `manifest` | remembers what was given out |
| `update` | gives out what is missing and what is new, losing nothing |
| `earlier` | takes over what was written into the tracked notebooks |
| `reset` | brings an original back |
| `page` | the page to begin at |
"""
