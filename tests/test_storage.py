import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file

from musegen import storage
from musegen.errors import MusegenError
from musegen.storage import OnDisk, load, load_header, save

HEADER = {"family": "lstm", "nested": {"numbers": [1, 2.5, None, True]}, "title": "Ó Néill"}
ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "symbols": np.array([[60, 129]], np.uint8),
    "offsets": np.array([0, 2**40], np.int64),
    "nothing": np.zeros((0, 4), np.uint8),
    "half": np.array(1.5, np.float16),
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A small file, whole."""
    path = tmp_path_factory.mktemp("sealed") / "file"
    save(path, "checkpoint", HEADER, ARRAYS)
    return path.read_bytes()


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def test_what_was_saved_is_loaded(tmp_path):
    save(tmp_path / "a", "checkpoint", HEADER, ARRAYS)
    stored = load(tmp_path / "a", "checkpoint")
    assert stored.header == HEADER == load_header(tmp_path / "a", "checkpoint")
    assert set(stored.arrays) == set(ARRAYS)
    assert all(same(stored.arrays[name], array) for name, array in ARRAYS.items())
    assert all(array.flags.aligned for array in stored.arrays.values())


@settings(max_examples=40, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from(["<f8", ">f4", "<f2", "<i8", ">u2", "|u1", "|b1"]), hnp.array_shapes(min_dims=0, min_side=0)
    )
)
def test_any_array_comes_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("any") / "a"
    save(path, "corpus", {}, {"x": array, "y": array.T})
    stored = load(path, "corpus").arrays
    little = array.astype(array.dtype.newbyteorder("<"))
    assert same(stored["x"], little) and same(stored["y"], little.T)


def test_other_safetensors_libraries_read_it(tmp_path):
    save(tmp_path / "a", "checkpoint", HEADER, ARRAYS)
    theirs = load_file(tmp_path / "a")
    assert all(same(theirs[name], array) for name, array in ARRAYS.items())


def test_the_same_contents_give_the_same_bytes(tmp_path, sealed):
    save(tmp_path / "a", "checkpoint", dict(HEADER), dict(reversed(ARRAYS.items())))
    assert (tmp_path / "a").read_bytes() == sealed


def test_an_array_on_disk_is_stored_like_one_in_memory(tmp_path):
    array = np.arange(700_000, dtype=np.uint16).reshape(-1, 2)
    (tmp_path / "raw").write_bytes(array.tobytes())
    save(tmp_path / "a", "corpus", {}, {"x": OnDisk(tmp_path / "raw", array.dtype, array.shape)})
    save(tmp_path / "b", "corpus", {}, {"x": array})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@settings(max_examples=300, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True))
def test_any_flipped_bit_is_refused(tmp_path_factory, sealed, place):
    bit = int(place * len(sealed) * 8)
    altered = bytearray(sealed)
    altered[bit // 8] ^= 1 << bit % 8
    path = tmp_path_factory.mktemp("flip") / "a"
    path.write_bytes(altered)
    with pytest.raises(MusegenError, match=r"was altered|cut short|not a musegen checkpoint"):
        load(path, "checkpoint")


def test_a_flipped_bit_of_the_data_is_called_altered(tmp_path, sealed):
    (tmp_path / "a").write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(MusegenError, match=r"was altered"):
        load(tmp_path / "a", "checkpoint")


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused(tmp_path_factory, sealed, share):
    path = tmp_path_factory.mktemp("cut") / "a"
    path.write_bytes(sealed[: int(share * len(sealed))])
    with pytest.raises(MusegenError, match=r"cut short|it is empty"):
        load(path, "checkpoint")


def test_a_longer_file_is_refused(tmp_path, sealed):
    (tmp_path / "a").write_bytes(sealed + b"\0")
    with pytest.raises(MusegenError, match=r"was altered"):
        load(tmp_path / "a", "checkpoint")


def test_another_kind_is_named(tmp_path, sealed):
    (tmp_path / "a").write_bytes(sealed)
    with pytest.raises(MusegenError, match=r"a is a checkpoint, not a corpus"):
        load(tmp_path / "a", "corpus")


def test_a_newer_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(storage.VERSIONS, "corpus", 2)
    save(tmp_path / "a", "corpus", {}, {})
    monkeypatch.undo()
    with pytest.raises(MusegenError, match=r"format 2; this musegen reads up to 1\. Update musegen"):
        load(tmp_path / "a", "corpus")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 4096,
        b"MThd\0\0\0\6",
        pickle.dumps({"a": 1}),
        (2**63).to_bytes(8, "little") + b'{"__metadata__":{}}',
    ],
)
def test_other_files_are_refused(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(MusegenError, match=r"not a musegen corpus"):
        load(tmp_path / "a", "corpus")


def test_folders_and_missing_files_are_named(tmp_path):
    with pytest.raises(MusegenError, match=r"it is not a file"):
        load(tmp_path, "corpus")
    with pytest.raises(MusegenError, match=r"cannot read .*gone: no such file"):
        load(tmp_path / "gone", "corpus")


@pytest.mark.parametrize(
    ("header", "entries"),
    [
        ("[" * 100_000, {}),
        ('{"a": NaN}', {}),
        ("[]", {}),
        ("{}", {"x": {"dtype": "U8", "shape": [10**15, 0], "data_offsets": [0, 0]}}),
        ("{}", {"x": {"dtype": "U8", "shape": [-1], "data_offsets": [0, -1]}}),
        ("{}", {"x": {"dtype": "OBJECT", "shape": [], "data_offsets": [0, 0]}}),
        ("{}", {"x": {"dtype": "U8", "shape": [True], "data_offsets": [0, 1]}}),
        ("{}", {"x": [], "y": 3}),
    ],
)
def test_a_header_made_to_harm_is_refused_though_its_seal_is_right(tmp_path, header, entries):
    metadata = {"seal": "0" * 64, "data": "", "kind": "corpus", "version": "1", "header": header}
    text = json.dumps({"__metadata__": metadata} | entries, separators=(",", ":")).encode()
    text = text.replace(b"0" * 64, storage._seal(text), 1)
    (tmp_path / "a").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(MusegenError, match=r"its header makes no sense"):
        load(tmp_path / "a", "corpus")


def test_a_header_too_large_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(MusegenError, match=r"its header has"):
        save(tmp_path / "a", "corpus", {"x": "y" * storage.MAX_HEADER}, {})
    assert not list(tmp_path.iterdir())
