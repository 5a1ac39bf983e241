"""What the board of the barrier model shows in the demonstration: a made-up year of three members.

A move of flow and an effective barrier are planted in it. So few reports show less than a platform
of many members would; what docs/barrier-methods.md says of how often something is found is of more.
"""

from flask import Flask

from app.barriers import closing
from app.barriers.model_upkeep import load_shipped
from app.clock import now
from app.demo import members, told_year
from app.demo.barrier_year import OWNERS, Plan, year
from app.runtime import runtime
from postern.vocabulary import Role

PLAN = Plan(seed=1, scale=0.13, displaced=0.6, barred=0.5, joining=False)
_SECTORS = {"post": "post-be", "courier": "post-be", "customs": "customs-nl", "police": "police-de"}


def fill(app: Flask) -> int:
    """Put the shipped model in force, tell the year, register barriers, and count the weeks.

    Returns how many reports were told.
    """
    with app.app_context(), runtime().database.transaction() as session:
        load_shipped(session)
        reporting = {
            code: members.person(session, code, Role.ANALYST) for code in set(_SECTORS.values())
        }
        owners = {owner: reporting[_SECTORS[owner.partition("-")[0]]] for owner in OWNERS}
        told = told_year.tell(session, year(PLAN).reports(), owners)
        told_year.set_barriers(session, owners)
        closing.close(session, now())
    return told
