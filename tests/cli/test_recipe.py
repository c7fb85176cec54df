from __future__ import annotations

import base64
import json
import os
import zlib

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.cli import cli, options
from musegen.cli.recipe import EMBEDDED, MODELS, VERBS, Input, Recipe, record
from musegen.errors import MusegenError
from musegen.models.base import Sampling

HOW = Sampling(7, 0.5)


@click.command("vary")
@click.argument("pair", nargs=2, type=click.Path())
@click.option("--model")
@click.option("--bars", type=options.key)
@click.option("--text", "said")
@click.option("--latent", type=float, nargs=2)
@click.option("--more", type=(str, float), multiple=True)
@click.option("--voice", multiple=True)
@click.option("--free", is_flag=True)
@click.option("--keep/--drop", default=True)
@click.option("--seed", type=int)
@click.option("--temperature", type=float)
@click.option("-n", "--count", type=int, default=1)
@click.option("--start", type=int, default=1)
@click.option("--constraints", type=click.Path())
@click.option("-o", "--output", "target")
@click.option("--json", "as_json", is_flag=True)
def every_kind(**given: object) -> None:
    """A command with a parameter of every kind that there is."""


PAIR = (Input.of("pair", "/home/me/a.mid", b"first"), Input.of("pair", "-", b"second"))


def recorded(words: list[str], *inputs: Input, command: click.Command = every_kind) -> tuple[Recipe, dict[str, object]]:
    with command.make_context(command.name, list(words), help_option_names=["-h", "--help"]) as context:
        return record(HOW, *inputs), dict(context.params)


def through_json(made: Recipe, number: int = 1) -> Recipe:
    return Recipe.from_facts(json.loads(json.dumps(made.for_piece(number) | {"command": "sample"})))


def test_what_decides_the_notes_is_kept_and_nothing_of_the_machine():
    words = ["/home/me/a.mid", "-", "--model", "/home/me/m.safetensors", "-o", "/home/me/out.mid", "--json"]
    made, _ = recorded([*words, "--bars", "F#m", "-n", "9", "--start", "3", "--latent", "-1", "2"], *PAIR)
    facts = made.for_piece(5)
    assert "/home" not in json.dumps(facts)
    assert facts["arguments"] == {
        "bars": "F# minor", "latent": [-1.0, 2.0], "keep": True, "seed": 7, "temperature": 0.5, "count": 1, "start": 5,
    }  # fmt: skip
    assert [(each["for"], each["name"]) for each in facts["inputs"]] == [("pair", "a.mid"), ("pair", "stdin")]
    assert made.for_piece(3, 9)["arguments"]["count"] == 9


text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
number = st.floats(-9, 9)


@settings(max_examples=60, deadline=None)
@given(text, st.tuples(number, number), st.lists(st.tuples(text, number)), st.lists(text), st.booleans(), st.booleans())
def test_the_words_give_every_argument_back(said, latent, more, voices, free, keep):
    words = ["a", "b", f"--text={said}", "--latent", *map(str, latent), *(f"--voice={each}" for each in voices)]
    for name, amount in more:
        words += ["--more", name, str(amount)]
    words += ["--free"] * free + ["--drop"] * (not keep)
    made, params = recorded(words, *PAIR)
    again, others = recorded(through_json(made).words(every_kind, "m", ["a", "b"]), *PAIR)
    settled = {"model": "m", "seed": 7, "temperature": 0.5}
    assert others == params | settled
    assert again == made


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_a_small_file_travels_inside(data):
    assert Input.from_facts(Input.of("melody", "x.mid", data).facts({})) == Input.of("melody", "x.mid", data)


@pytest.mark.parametrize(("size", "inside"), [(EMBEDDED, True), (EMBEDDED + 1, False)])
def test_a_large_file_is_named_with_its_hash(size, inside):
    large = Input.of("melody", "x.mid", os.urandom(size))
    facts = large.facts({})
    assert ("data" in facts) == inside
    read = Input.from_facts(facts)
    assert (read.sha256, read.data is not None) == (large.sha256, inside)


def test_contents_that_another_zlib_packed_stay_as_they_are():
    stored = base64.b64encode(zlib.compress(b"first" * 9, 0)).decode()
    facts = Input.of("melody", "x.mid", b"first" * 9).facts({}) | {"data": stored}
    made = Recipe.from_facts({"command": "harmonize", "arguments": {}, "inputs": [facts]})
    assert made.for_piece(1)["inputs"] == [facts]


def test_a_file_that_is_not_recorded_is_a_bug():
    with pytest.raises(TypeError, match="constraints names a file"):
        recorded(["a", "b", "--constraints", "c.toml"], *PAIR)


def test_a_file_that_an_option_names_is_handed_back_to_it():
    made, _ = recorded(["a", "b", "--constraints", "c.toml"], *PAIR, Input.of("constraints", "c.toml", b"leap = 7"))
    words = through_json(made).words(every_kind, "m", ["a", "b", "x/c.toml"])
    assert "--constraints=x/c.toml" in words and words[-3:] == ["--", "a", "b"]


def harmful(**changes: object) -> dict[str, object]:
    return {"command": "harmonize", "arguments": {}, "inputs": [PAIR[0].facts({}) | {"for": "melody"}]} | changes


bomb = base64.b64encode(zlib.compress(bytes(10**7))).decode()


@pytest.mark.parametrize(
    "facts",
    [
        harmful(command="train"),
        harmful(command=["sample"]),
        harmful(arguments=7),
        harmful(inputs=7),
        harmful(inputs=[{"for": "melody"}]),
        *(harmful(inputs=[PAIR[0].facts({}) | change]) for change in (
            {"name": "../a.mid"}, {"name": "/etc/passwd"}, {"name": ".."}, {"name": "a\0"}, {"name": 7},
            {"name": ["a"]}, {"data": "?"}, {"data": "AAAA"}, {"data": 7}, {"data": bomb}, {"sha256": "0"},
        )),
    ],
)  # fmt: skip
def test_a_damaged_provenance_is_one_line(facts):
    with pytest.raises(MusegenError, match="its provenance is damaged"):
        Recipe.from_facts(facts)


@pytest.mark.parametrize("arguments", [{"target": "x"}, {"melody": "/etc/passwd"}, {"wrong": 1}, {"overwrite": True}])
def test_arguments_that_a_piece_must_not_give_are_refused(arguments):
    made = Recipe.from_facts({"command": "harmonize", "arguments": arguments})
    with pytest.raises(MusegenError, match="its provenance is damaged"):
        made.words(cli.commands["harmonize"], "m", [])


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_can_be_recorded(name):
    """`replay` says where pieces go and in which format, and with which model; the rest stands in the recipe."""
    command = cli.commands[name]
    names = {parameter.name for parameter in command.params}
    assert {"target", "suffix", "quiet", "seed", "temperature"} <= names
    assert len(names & set(MODELS)) == 1
