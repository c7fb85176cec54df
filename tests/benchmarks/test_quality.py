"""What is known is not measured again, and the table says all."""

from dataclasses import replace

import findings
import quality
from findings import Finding, cited
from measures import Where
from systems import CITED, HARMONIES, HOW, OURS, TITLES

from musegen.evaluation.statistics import table
from tests.toys import ROLLS


def test_a_thing_is_measured_once_unless_asked_or_changed(tmp_path):
    runs = []
    where = Where(tmp_path)

    def job(identity):
        return quality.Job(
            "P1/thing", "a thing", lambda: identity, lambda: runs.append(identity) or Finding({"test": 1.0})
        )

    found = quality.measure(job("a"), where, again=False)
    assert (found.protocol, found.system, found.command) == ("P1", "a thing", "python benchmarks/quality.py P1/thing")
    assert quality.measure(job("a"), where, again=False) == found
    quality.measure(job("b"), where, again=False)
    quality.measure(job("b"), where, again=True)
    assert runs == ["a", "b", "b"]


def test_every_job_has_a_protocol_and_a_name_of_its_own(tmp_path):
    jobs = quality.jobs(Where(tmp_path))
    assert len({job.name for job in jobs}) == len({job.file for job in jobs}) == len(jobs)
    assert {job.protocol for job in jobs} == set(TITLES) == set(HOW)
    assert set(OURS) <= {job.name for job in jobs}
    assert {each.protocol for each in CITED} <= set(TITLES)


def test_the_statistics_that_are_asked_for_exist():
    assert set(HARMONIES) <= set(table(ROLLS["chorales"]))


def test_the_table_has_every_figure_and_marks_what_is_cited():
    own = replace(Finding({"valid": 0.5, "test": 0.61}, 1000, 2.0, "run me"), protocol="P1", system="musegen lstm")
    text = findings.table([cited("P1", "theirs", {"test": 0.457, "clean test": 0.476}, None), own])
    lines = text.splitlines()
    assert lines[0].startswith("| system | parameters | test | clean test | valid |")
    assert "0.457" in lines[2] and "cited, not run" in lines[2]
    assert "1,000" in lines[3] and "0.610" in lines[3] and "`run me`" in lines[3] and own.date in lines[3]


def test_the_figure_has_a_panel_for_each_protocol_that_is_known():
    own = replace(Finding({"test": 0.61}), protocol="P1", system="musegen lstm")
    assert [axes.get_title(loc="left") for axes in findings.draw([*CITED, own]).axes] == [
        title
        for protocol, name, title in findings.PANELS
        if any(name in f.figures for f in findings.of(CITED, protocol))
    ]
