"""Slots: what lies in one is what was placed there, as long as it is wanted, and no more is written than must be."""

import numpy as np

from mps_study.models.inference.painting.slots import ROOM, Slots


class Thing:
    """A number."""

    def __init__(self, number):
        self.number = number


def placing(slots):
    """Places things of these numbers; what was written, and what lies in their slots."""
    written = []

    def put(thing, rows):
        written.append(thing.number)
        rows["number"][...] = thing.number

    def place(things):
        written.clear()
        places = slots.place(things, put)
        held = slots.on_device()["number"].numpy()
        assert held[places, 0].tolist() == [thing.number for thing in things]
        return list(written)

    return place


def some_slots():
    """Slots for one number each."""
    return Slots({"number": (np.dtype(np.int64), (1,))}, "cpu")


def test_what_is_wanted_is_not_written_again_to_make_room_for_another():
    place, room = placing(some_slots()), ROOM["cpu"]
    things = [Thing(number) for number in range(room + 1)]
    assert place(things[:room]) == [*range(room)]
    assert place(things[:room]) == []
    new, wanted, other = things[-1], things[: room - 1], things[room - 1]
    assert place([new, *wanted]) == [new.number]  # in the slot of the one that is not wanted
    assert place([other]) == [other.number]


def test_the_one_that_was_used_longest_ago_makes_room():
    place, room = placing(some_slots()), ROOM["cpu"]
    things = [Thing(number) for number in range(room + 1)]
    place(things[:room])
    place(things[:1])  # used again: now the second is the oldest
    assert place(things[room:]) == [room]
    assert place(things[:1]) == []
    assert place(things[1:2]) == [1]


def test_a_thing_that_nobody_else_holds_is_never_taken_for_a_new_one():
    """A new object may lie where one that is gone lay in memory; what its slot holds is not for it."""
    place = placing(some_slots())
    for number in range(20):
        assert place([Thing(number)]) == [number]
