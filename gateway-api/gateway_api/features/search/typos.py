"""How many typos lie between two words, counted as Meilisearch counts them."""

from gateway_api.search_port import ONE_TYPO_FROM, TWO_TYPOS_FROM

# Longer words are looked for as they are: what would count the typos of one has its limits.
_LONGEST = 100


def typos_allowed(word: str) -> int:
    if len(word) > _LONGEST:
        return 0
    return 2 if len(word) >= TWO_TYPOS_FROM else 1 if len(word) >= ONE_TYPO_FROM else 0


def count_typos(typed: str, meant: str, *, beginning: bool = False) -> int:
    """Letters wrong, missing, too many, or swapped with a neighbour; a wrong first letter counts twice.
    With ``beginning``, between ``typed`` and the nearest beginning of ``meant``."""
    before: list[int] = []
    above = list(range(len(meant) + 1))
    for row, letter in enumerate(typed, start=1):
        current = [row]
        for column, other in enumerate(meant, start=1):
            cost = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != other))
            swapped = row > 1 and column > 1 and letter == meant[column - 2] and typed[row - 2] == other
            current.append(min(cost, before[column - 2] + 1) if swapped else cost)
        before, above = above, current
    return (min(above) if beginning else above[-1]) + (typed[:1] != meant[:1])
