"""What tracking libraries of the Segment spec send: taken one message at a time, stored many in one transaction.

Nothing is imported here: the processes that map and that store begin with what they need, and soon.
"""
