"""Which scenes are played together, so that no part takes more than 45 minutes with making its films."""

from __future__ import annotations

from dataclasses import dataclass

VOICES = "swap-es swap-ee swap-long in-front join-long groups"


@dataclass(frozen=True)
class Part:
    scenes: str
    trials: int = 24
    settings: tuple[str, ...] = ()  # of the robot

    @property
    def names(self) -> list[str]:
        return self.scenes.split()


# At 24 trials the films of one part last up to 15 minutes, those of a part with other voices 10; making them takes as long at most.
PARTS = {
    "scenes-1": Part("plain-enrolled plain-strangers busy distance approach passers"),
    "scenes-2": Part("follow-glance follow-aside tailgate crossing leaves-early"),
    "scenes-3": Part("swap-es swap-ee swap-long"),
    "scenes-4": Part("in-front join-long groups"),
    "scenes-5": Part("returns tilt light-and-wear"),
    "scenes-6": Part("poster-enrolled reflection format-5fps"),
    "scenes-7": Part("poster-stranger"),
    "scenes-8": Part("dark-returns photographs format-10fps"),
    "scenes-9": Part("format-1080p format-4x3 format-xga format-portrait format-15fps"),
    # The television's place, as an operator would leave it out.
    "scenes-10": Part("tv-visitors", settings=("camera.blank=[[0.675, 0.15, 0.275, 0.32]]",)),
    "voices-espeak": Part(VOICES, 8, ('greeting.voices=["espeak"]',)),
    "voices-zh": Part(VOICES, 8, ("greeting.language=zh-CN",)),
    "voices-yue": Part(VOICES, 8, ("greeting.language=yue",)),
}
