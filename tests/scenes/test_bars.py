"""Whether a bar that is missed is told, on figures as the scenes' judge writes them."""

import copy
import unittest

from bars import BARS, BARS_OF_VOICES, missed
from parts import PARTS

TIMES = {"n": 20, "median": 1, "p95": 2, "max": 2}
GOOD = {
    "trials": 24, "enrolled": 20, "named_right": 20, "named_wrong": 0, "stayed": 24, "unheard": 0, "never_noticed": 0, "greeted_twice": 0,
    "returned_ungreeted": 0, "passers": 100, "addressed_passing": 8, "named_pictures": 0, "greeted_pictures": 0, "greeted_together": 0,
    "noticed_after_ms": TIMES,
    "heard_after_ms": TIMES, "name_going_on_after_change_s": {"n": 0, "median": None, "p95": None, "max": None}, "frames_lost": 0.0,
    "by_condition": {"": {"n": 24, "named": 20, "greeted": 24}, "(picture)": {"n": 40, "named": 0, "greeted": 0}},
}
ALL = {scene for name, part in PARTS.items() if name.startswith("scenes-") for scene in part.names}


def told(scene, bars=BARS, **changes):
    return missed({scene: copy.deepcopy(GOOD) | changes}, bars)


class Bars(unittest.TestCase):
    def test_a_scene_in_which_all_went_well_misses_nothing(self):
        for scene in ALL:
            self.assertEqual(told(scene), [])

    def test_each_bar_that_is_missed_is_told_with_its_scene_and_its_figure(self):
        changes = {
            "tilt": ("named_wrong", 1),
            "groups": ("unheard", 1),
            "swap-long": ("noticed_after_ms", TIMES | {"p95": 501}),
            "swap-es": ("never_noticed", 1),
            "swap-ee": ("name_going_on_after_change_s", TIMES | {"max": 2.6}),
            "swap-es ": ("heard_after_ms", TIMES | {"p95": 5001}),
            "passers": ("addressed_passing", 9),
            "poster-stranger": ("greeted_pictures", 1),
            "tv-visitors": ("named_pictures", 1),
            "dark-returns": ("greeted_twice", 1),
            "reflection": ("greeted_together", 1),
        }
        for scene, (figure, value) in changes.items():
            scene = scene.strip()
            [line] = told(scene, **{figure: value})
            self.assertTrue(line.startswith(f"{scene}: {figure}"), line)
        unseen = {"": {"n": 24, "named": 20, "greeted": 23}}
        self.assertEqual(told("poster-stranger", by_condition=unseen), ["poster-stranger: ungreeted is 1, and may be 0 at most"])

    def test_a_bar_of_one_scene_does_not_hold_for_another(self):
        self.assertEqual(told("crossing", unheard=3, greeted_twice=2, greeted_pictures=1), [])

    def test_a_figure_of_what_never_happened_is_no_pass(self):
        nobody = {"n": 0, "median": None, "p95": None, "max": None}
        self.assertIn("noticed_after_ms.n is 0", told("swap-es", noticed_after_ms=nobody)[0])
        self.assertIn("stayed is 0", told("in-front", stayed=0)[0])
        self.assertIn("passers is 0", told("passers", passers=0, addressed_passing=0)[0])

    def test_other_voices_are_held_to_everybody_being_heard_and_nobody_being_named_wrongly(self):
        late = {"heard_after_ms": TIMES | {"p95": 9000}}
        self.assertEqual(told("swap-es", BARS_OF_VOICES, **late), [])
        self.assertEqual(len(told("swap-es", BARS_OF_VOICES, **late, unheard=1, named_wrong=1)), 2)


class Parts(unittest.TestCase):
    def test_no_scene_is_played_in_two_parts(self):
        played = [scene for name, part in PARTS.items() if name.startswith("scenes-") for scene in part.names]
        self.assertEqual(len(played), len(set(played)))


if __name__ == "__main__":
    unittest.main()
