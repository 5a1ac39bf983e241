"""`kill -9` under load: processes that write, sequence and read, killed at random moments.

    python -m tests.functional.kill_nine [--rounds 200] [--backends sqlite] [--fault NAME]

In every round some of four writers and two rival sequencers are killed, on PostgreSQL sometimes a
process of the server or all of it. Afterwards every acknowledged act must have its entry exactly
once, every entry its place, and every checkpoint that was ever seen must be one of the same tree.

A process that is killed loses what it has not handed to the kernel; a power cut, which loses more,
is not tried here. `--fault` puts a known fault into the sequencer or the writers, to show that it
is noticed.
"""
