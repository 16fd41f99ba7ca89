"""The audit before going live: what went wrong between a shop and its returns platforms before us (S1-37).

``books`` (what a return says) and ``pairing``, ``money``, ``goods``, ``orders`` (the comparison) are pure; ``reading``
asks the vendors through their ports and can only read; ``running`` keeps a Run and its gaps; ``report`` prints.
"""
