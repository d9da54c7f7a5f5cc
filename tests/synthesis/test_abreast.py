"""Threads that hand on pictures: in order, few at a time, and over when told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice

import pytest

from synthesis.abreast import ahead, each

HERE = threading.get_ident


def test_results_come_in_the_order_of_the_items() -> None:
    second = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second.wait(5), "nothing else was begun meanwhile"
        if number == 1:
            second.set()
        return number * number

    assert list(each(work, range(6), threads=2)) == [0, 1, 4, 9, 16, 25]


@pytest.mark.parametrize("threads", [1, 3])
def test_only_a_few_items_are_under_way(threads: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    with closing(each(lambda n: n, items(), threads=threads)) as made:
        for number in islice(made, 4):
            assert len(taken) <= number + threads + 1


def test_items_are_walked_here_and_worked_on_elsewhere() -> None:
    walked: set[int] = set()
    begun: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            walked.add(HERE())
            yield number

    def begin() -> None:
        begun.append(HERE())

    worked = set(each(lambda _: HERE(), items(), threads=2, begin=begin))
    assert walked == {HERE()}
    assert HERE() not in worked
    assert worked <= set(begun)


def test_what_the_work_raises_is_raised_here_and_ends_it() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 2:
            raise ValueError("no third")
        done.append(number)
        return number

    made = each(work, range(100), threads=2)
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="no third"):
        next(made)
    assert len(done) <= 5


def test_one_walk_ahead_changes_nothing_but_the_thread() -> None:
    def items() -> Iterator[tuple[int, int]]:
        for number in range(50):
            yield number, HERE()

    got = list(ahead(items()))
    assert [number for number, _ in got] == list(range(50))
    assert {thread for _, thread in got}.isdisjoint({HERE()})
    assert len({thread for _, thread in got}) == 1


def test_a_walk_is_no_more_than_a_few_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    with closing(ahead(items(), most=2)) as walked:
        for number in islice(walked, 5):
            # Taken, waiting in line, and one in its hand.
            assert len(taken) <= number + 4


def test_an_error_of_the_walk_is_raised_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the film is torn")

    walked = ahead(items())
    assert [next(walked), next(walked)] == [1, 2]
    with pytest.raises(ValueError, match="torn"):
        next(walked)


def test_whoever_stops_taking_closes_what_is_walked() -> None:
    closed = threading.Event()
    before = threading.active_count()

    def items() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.set()

    with closing(ahead(items())) as walked:
        assert next(walked) == 0
        assert threading.active_count() == before + 1
    assert closed.is_set()
    assert threading.active_count() == before


def test_walks_one_behind_the_other_all_end() -> None:
    before = threading.active_count()
    with (
        closing(ahead(count())) as first,
        closing(ahead(2 * number for number in first)) as second,
    ):
        assert list(islice(second, 3)) == [0, 2, 4]
    assert threading.active_count() == before


def test_an_error_while_closing_is_not_lost_in_the_thread() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        list(ahead(items()))
