"""The bars that the program must keep in the scenes, and which of them a run missed."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any


@dataclass(frozen=True)
class Bar:
    """`figure` may be `most` at most; with `share_of`, so large a share of that."""

    scenes: str  # patterns of their names
    figure: str  # a key of the scene's figures, or two with a dot between
    most: float = 0
    counted: str | None = None  # what must have happened at all, or the figure says nothing
    share_of: str | None = None

    def missed(self, name: str, figures: dict[str, Any]) -> str | None:
        """What is wrong in a scene, if anything."""
        counted = self.share_of or self.counted
        if counted and not find(figures, counted):
            return f"{name}: {self.figure} says nothing, as {counted} is 0"
        value = find(figures, self.figure) or 0  # times without a single one are null
        if self.share_of:
            value /= find(figures, self.share_of)
        of = f" of {self.share_of}" if self.share_of else ""
        return f"{name}: {self.figure}{of} is {value:g}, and may be {self.most:g} at most" if value > self.most else None


ALWAYS = (Bar("*", "named_wrong", counted="trials"),)
HEARD = (Bar("in-front join-long swap-* groups", "unheard", counted="stayed"),)
BARS = ALWAYS + HEARD + (
    Bar("swap-*", "noticed_after_ms.p95", 500, counted="noticed_after_ms.n"),
    Bar("swap-*", "never_noticed"),
    Bar("swap-*", "name_going_on_after_change_s.max", 2.5),
    Bar("swap-*", "heard_after_ms.p95", 5000, counted="heard_after_ms.n"),
    Bar("passers", "addressed_passing", 0.08, share_of="passers"),
    Bar("poster-* reflection tv-visitors", "named_pictures"),
    Bar("poster-* tv-visitors", "greeted_pictures"),
    # The judge cannot tell a visitor from their mirror image, as both come at one moment: greeted is who is greeted together with somebody.
    Bar("reflection", "greeted_together"),
    Bar("poster-* tv-visitors", "ungreeted"),
    Bar("returns dark-returns", "greeted_twice"),
)
# Other languages and voices are held to this alone.
BARS_OF_VOICES = ALWAYS + HEARD


def find(figures: dict[str, Any], path: str) -> Any:
    """Figures are kept as the judge of the scenes writes them; `ungreeted` are people who came and were not addressed at all."""
    if path == "ungreeted":
        visitors = [row for about, row in figures["by_condition"].items() if not about.endswith(")")]
        return sum(row["n"] - row["greeted"] for row in visitors)
    for key in path.split("."):
        figures = figures[key]
    return figures


def missed(scenes: dict[str, dict[str, Any]], bars: tuple[Bar, ...]) -> list[str]:
    """Every bar that was missed in scenes, by name."""
    held = [(bar, name) for name in scenes for bar in bars if any(fnmatch(name, pattern) for pattern in bar.scenes.split())]
    return [told for bar, name in held if (told := bar.missed(name, scenes[name]))]
