from fusion.model.manifest import Manifest, read_manifest, write_manifest
from fusion.model.watched import Watch
from fusion.validation.footing import DRIFT, UNCOUNTED, footing


def test_counts_need_past_students_and_young_cohorts_like_them():
    counted = {"late": (0, 1, 2), "dropout": ()}
    sound = Manifest(version="m", counted=counted, monitor=Watch())
    assert not footing(sound, "late").ranks
    assert footing(sound, "dropout").why == UNCOUNTED and footing(sound, "dropout").ranks
    alarmed = Manifest(version="m", counted=counted, monitor=Watch(trusted=False))
    assert footing(alarmed, "late").why == DRIFT
    assert not footing(Manifest(version="before it was recorded"), "late").ranks


def test_what_was_counted_and_the_level_are_kept_with_the_model():
    made = Manifest(version="m", counted={"late": (0, 2)}, level={"late": -0.4})
    again = read_manifest(write_manifest(made))
    assert again.counted == {"late": (0, 2)} and again.level == {"late": -0.4}
