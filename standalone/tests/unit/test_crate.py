"""The crate is what it says, so that the demo's truth is true."""

import numpy as np
import pytest

from standalone.crate import RECORDS, Record
from standalone.crate.arrangement import render
from standalone.crate.instruments import RATE
from standalone.demo_report import key_agrees, tempo_agrees


@pytest.mark.parametrize("record", RECORDS[:4], ids=lambda record: record.title)
def test_a_record_is_a_whole_number_of_bars_within_full_scale(record: Record) -> None:
    sound = render(record)
    bars = (sound.size / RATE - 1.5) * record.tempo_bpm / 240
    assert bars == pytest.approx(round(bars), abs=0.01)
    assert 30 <= sound.size / RATE <= 40
    assert 0.5 < np.abs(sound).max() <= 1


def test_the_same_record_is_the_same_sound() -> None:
    assert np.array_equal(render(RECORDS[0]), render(RECORDS[0]))


def test_no_two_records_share_a_name() -> None:
    assert len({(record.artist, record.title) for record in RECORDS}) == len(RECORDS) >= 12


def test_agreement_allows_one_per_cent_and_octaves_and_no_other_key() -> None:
    record = next(each for each in RECORDS if each.key_name == "A minor")
    assert tempo_agrees(record, record.tempo_bpm * 1.009)
    assert tempo_agrees(record, record.tempo_bpm / 2)
    assert not tempo_agrees(record, record.tempo_bpm * 1.02)
    assert not tempo_agrees(record, None)
    assert key_agrees(record, "Am")
    assert not key_agrees(record, "C major")
    assert not key_agrees(record, None)
