"""Local search on an open order with costs that differ by direction: 2-opt and Or-opt moves, each
priced in constant time, over short lists of good neighbours, and small kicks that the search repairs.

An order sits between two dummy ends (index n, cost nothing), so that its first and last tracks move
like any others. ``lean[p]`` sums, up to position p, how much dearer each step is backwards; turning a
stretch round then costs one subtraction, though the costs are not symmetric.
"""

import random
from itertools import accumulate, pairwise

import numpy as np

from ga_service.costs import Ints

_NEIGHBOURS = 8
_LONGEST_SEGMENT = 3


class Landscape:
    """The costs of one problem as lists (three times faster to index than arrays), and who is near whom."""

    def __init__(self, matrix: Ints, neighbours: int = _NEIGHBOURS) -> None:
        n = len(matrix)
        self.n = n
        wide = np.zeros((n + 1, n + 1), dtype=np.int64)
        wide[:n, :n] = matrix
        self.cost: list[list[int]] = wide.tolist()
        keep = min(neighbours, n - 1)
        blocked = matrix.astype(np.int64)
        np.fill_diagonal(blocked, np.iinfo(np.int64).max)
        # A stable sort settles ties by place, alike on every machine.
        self.after: list[list[int]] = np.argsort(blocked, axis=1, kind="stable")[:, :keep].tolist()
        self.before: list[list[int]] = np.argsort(blocked.T, axis=1, kind="stable")[:, :keep].tolist()

    def total(self, order: list[int]) -> int:
        cost = self.cost
        return sum(cost[a][b] for a, b in pairwise(order))


class Tour:
    """One order under improvement."""

    def __init__(self, land: Landscape, order: list[int]) -> None:
        self.land = land
        self.place = [0] * (land.n + 1)
        self.load(order)

    def load(self, order: list[int]) -> None:
        end = self.land.n
        self.at = [end, *order, end]
        for position, track in enumerate(order, 1):
            self.place[track] = position
        self.total = self.land.total(order)
        self._measure_lean()

    @property
    def order(self) -> list[int]:
        return self.at[1:-1]

    def snapshot(self) -> tuple[int, list[int], list[int], list[int]]:
        return self.total, self.at[:], self.place[:], self.lean[:]

    def restore(self, kept: tuple[int, list[int], list[int], list[int]]) -> None:
        self.total = kept[0]
        self.at, self.place, self.lean = kept[1][:], kept[2][:], kept[3][:]

    def _measure_lean(self) -> None:
        cost = self.land.cost
        at = self.at
        self.lean = list(accumulate((cost[b][a] - cost[a][b] for a, b in pairwise(at)), initial=0))

    def polish(self, dirty: list[int]) -> None:
        """Improve round the given tracks until none of them, nor any track a move touched, can."""
        waiting = set(dirty)
        queue = list(dirty)
        while queue:
            track = queue.pop()
            waiting.discard(track)
            touched = self._improve(track)
            while touched:
                for other in touched:
                    if other != self.land.n and other not in waiting:
                        waiting.add(other)
                        queue.append(other)
                touched = self._improve(track)

    def _improve(self, a: int) -> tuple[int, ...] | None:
        """Make the first move that helps track a get a better neighbour; None when there is none."""
        cost, at, place, lean = self.land.cost, self.at, self.place, self.lean
        i = place[a]
        before, after = at[i - 1], at[i + 1]
        cost_a = cost[a]
        cost_before = cost[before]
        next_cost = cost_a[after]
        last_cost = cost_before[a]
        # Turn a stretch round so that a good follower comes right after a, or a good leader right before.
        for b in self.land.after[a]:
            gain = next_cost - cost_a[b]
            j = place[b]
            if j > i + 1:
                c = at[j + 1]
                if gain + cost[b][c] - cost[after][c] > lean[j] - lean[i + 1]:
                    return self._turn(i + 1, j)
            if gain + last_cost <= 0:
                break
        for b in self.land.before[a]:
            cost_b = cost[b]
            gain = last_cost - cost_b[a]
            j = place[b]
            if j < i - 1:
                c = at[j + 1]
                if gain + cost_b[c] + next_cost - last_cost - cost[c][after] > lean[i] - lean[j + 1]:
                    return self._turn(j + 1, i)
        return self._shift(a, i)

    def _shift(self, a: int, i: int) -> tuple[int, ...] | None:
        """Move a stretch of up to three tracks that starts or ends at a elsewhere, either way round."""
        cost, at, place, lean = self.land.cost, self.at, self.place, self.lean
        n = self.land.n
        for length in range(1, _LONGEST_SEGMENT + 1):
            for first, last in ((i, i + length - 1), (i - length + 1, i)) if length > 1 else ((i, i),):
                if first < 1 or last > n:
                    continue
                head, tail = at[first], at[last]
                left, right = at[first - 1], at[last + 1]
                saved = cost[left][head] + cost[tail][right] - cost[left][right]
                if saved <= 0:
                    continue
                turned = lean[last] - lean[first]
                # a as the end that meets its new leader b: forwards if a is the head, else turned round.
                if first == i:
                    for b in self.land.before[a]:
                        j = place[b]
                        if (first - 1) <= j <= last:
                            continue
                        c = at[j + 1]
                        extra = cost[b][a] - cost[b][c]
                        if extra >= saved and c != n:
                            break
                        if extra + cost[tail][c] < saved:
                            return self._move(first, last, j, turn=False)
                    for b in self.land.after[a]:  # turned: ... tail..head=a, b
                        j = place[b]
                        if first <= j <= last + 1:
                            continue
                        c = at[j - 1]
                        if cost[c][tail] + cost[a][b] - cost[c][b] + turned < saved:
                            return self._move(first, last, j - 1, turn=True)
                if last == i:
                    for b in self.land.after[a]:
                        j = place[b]
                        if first <= j <= last + 1:
                            continue
                        c = at[j - 1]
                        if cost[c][head] + cost[a][b] - cost[c][b] < saved:
                            return self._move(first, last, j - 1, turn=False)
                    if length > 1:
                        for b in self.land.before[a]:
                            j = place[b]
                            if first - 1 <= j <= last:
                                continue
                            c = at[j + 1]
                            if cost[b][a] + cost[head][c] - cost[b][c] + turned < saved:
                                return self._move(first, last, j, turn=True)
        return None

    def _turn(self, first: int, last: int) -> tuple[int, ...]:
        at = self.at
        touched = (at[first - 1], at[first], at[last], at[last + 1])
        segment = at[first : last + 1]
        segment.reverse()
        self._lay(first, segment)
        return touched

    def _move(self, first: int, last: int, after: int, *, turn: bool) -> tuple[int, ...]:
        """Put the stretch behind the track now at position ``after``."""
        at = self.at
        segment = at[first : last + 1]
        touched = (at[first - 1], at[last + 1], at[after], at[after + 1], at[first], at[last])
        if turn:
            segment.reverse()
        if after > last:
            self._lay(first, at[last + 1 : after + 1] + segment)
        else:
            self._lay(after + 1, segment + at[after + 1 : first])
        return touched

    def _lay(self, first: int, tracks: list[int]) -> None:
        """Write a stretch back, keeping places, the total and the leanings right."""
        at, place, cost, lean = self.at, self.place, self.land.cost, self.lean
        last = first + len(tracks) - 1
        old = new = 0
        a = at[first - 1]
        for b in at[first : last + 2]:
            old += cost[a][b]
            a = b
        at[first : last + 1] = tracks
        a = at[first - 1]
        running = lean[first - 1]
        lean_was = lean[last + 1]
        position = first
        for b in at[first : last + 2]:
            step = cost[a][b]
            new += step
            running += cost[b][a] - step
            lean[position] = running
            place[b] = position
            position += 1
            a = b
        self.total += new - old
        if drift := running - lean_was:
            lean[last + 2 :] = [value + drift for value in lean[last + 2 :]]

    def kick(self, rng: random.Random, reach: int) -> list[int]:
        """Exchange two neighbouring stretches somewhere; the tracks at the three seams are answered."""
        n = self.land.n
        start = rng.randrange(1, n)
        stop = min(n, start + rng.randrange(1, reach))
        middle = rng.randrange(start, stop)
        at = self.at
        first, second = at[start : middle + 1], at[middle + 1 : stop + 1]
        seams = [at[start - 1], first[0], first[-1], second[0], second[-1], at[stop + 1]]
        self._lay(start, second + first)
        return [track for track in seams if track != n]
