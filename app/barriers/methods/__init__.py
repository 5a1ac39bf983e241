"""The statistics of the barrier model: plain functions of counts, without database and web.

Counts come in weeks, months or longer, one series for each place, corridor or step. What is not
one's own has been made safe by `disclosure_control` before any other method sees it. Every figure
comes with an interval; docs/barrier-methods.md says what each method assumes and what it was
measured to find and to miss.
"""
