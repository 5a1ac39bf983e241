"""`make demo`: three organisations, their people, real addresses through the real client.

Everything lies in var/demo and is made anew each time. The operator's shipments are the committed
part of a European address set (its `about` names sources and licences); names of parties in it are
made up. Police then look up the misspelled variants of the same set, compliance officers cosign the
log, and one of them verifies it.
"""
