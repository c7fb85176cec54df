from __future__ import annotations

import json

import pytest

from musegen.corpora import available, open_corpus


def test_the_list_has_a_line_for_each_corpus(musegen):
    result = musegen("corpora")
    heading, *lines = result.stdout.splitlines()
    assert heading.split() == ["name", "pieces", "voices", "grid", "train", "validation", "test"]
    assert [line.split()[0] for line in lines] == list(available())
    bach = open_corpus("bach")
    assert lines[0].split()[1:4] == [str(len(bach)), "4", "4"]


def test_the_list_as_json_has_the_same_and_the_terms(musegen):
    rows = [json.loads(line) for line in musegen("corpora", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == list(available())
    for row in rows:
        assert row["pieces"] == row["train"] + row["validation"] + row["test"]
        assert row["licence"]
        assert row["source"]
        assert len(row["hash"]) == 64


def test_a_page_says_what_is_in_a_corpus(musegen):
    page = musegen("corpora", "celtic").stdout
    for word in ("6/8", "G major", "reel", "John Chambers", "public domain", "12 steps", open_corpus("celtic").hash):
        assert word in page


def test_a_page_as_json_counts_every_piece(musegen):
    data = json.loads(musegen("corpora", "bach", "--json").stdout)
    assert sum(data["metres"].values()) == sum(data["keys"].values()) == data["pieces"]
    assert [tuple(each) for each in data["ranges"]] == list(open_corpus("bach").ranges)


def test_every_piece_can_be_listed(musegen):
    corpus = open_corpus("bach")
    lines = [json.loads(line) for line in musegen("corpora", "bach", "--pieces", "--json").stdout.splitlines()]
    assert [line["id"] for line in lines] == list(corpus.ids)
    assert [line["split"] for line in lines] == list(corpus.splits)
    heading, first, *_ = musegen("corpora", "bach", "--pieces").stdout.splitlines()
    assert heading.split()[:2] == ["id", "split"]
    assert first.startswith(corpus.ids[0])


def test_an_unknown_corpus_is_named_with_those_at_hand(musegen):
    error = str(musegen("corpora", "bahc").exception)
    assert "bahc" in error
    assert "celtic" in error


@pytest.mark.parametrize("arguments", [["--pieces"], ["bach", "celtic"]], ids=" ".join)
def test_misuse(musegen, arguments):
    assert musegen("corpora", *arguments).exit_code == 2
