"""Everything on the user's side: link, store, experiments, screen, install, check.

It may import the contract (`kubealive`) and nothing else of ours. Inside, imports go one way:
model <- store <- experiments <- commands <- (reports, install, feed, link) <- check <- ui <- cli. Model, store and
experiments know neither the screen nor the wire, so that a check without a terminal and a recording without a
cluster run the same code as the tabs.
"""
