"""The worker killed under load: `kill -9` at random moments while notifications come in.

    python -m tests.functional.kill_worker [--kills 100] [--backends sqlite,postgresql]
                                           [--fault NAME]

Real processes: two that write notifications (some roll back), receivers of webhooks and of mail
that dawdle and sometimes fail, and the worker as `flask --app wsgi jobs run`. The worker is killed,
started again, and killed again. Afterwards every notification that was committed must have arrived
at every channel that it is for, none where it may not be told, never more often than tries are
recorded, and every try and every ending must stand in the audit log.

`--fault` puts a known fault into the worker, to show that it is noticed.
"""
