import numpy as np
import pytest
from sklearn.model_selection import TimeSeriesSplit

from osler.evaluate.protocol import forward_folds, sha256_of, versions


@pytest.mark.parametrize("n", [6, 7, 100, 6759])
def test_folds_are_those_of_the_reference_library(n):
    reference = list(TimeSeriesSplit(5).split(np.zeros(n)))
    mine = list(forward_folds(n))
    assert len(mine) == 5
    for (train, test), (their_train, their_test) in zip(mine, reference, strict=True):
        assert np.array_equal(train, their_train)
        assert np.array_equal(test, their_test)


def test_too_few_rows_make_no_fold():
    assert list(forward_folds(5)) == []


def test_a_hash_tells_contents_and_file_names_apart(tmp_path):
    (tmp_path / "a.csv").write_text("1")
    whole = sha256_of(tmp_path)
    assert sha256_of(tmp_path / "a.csv") == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    assert sha256_of(tmp_path) != whole


def test_versions_name_osler_python_and_the_numerical_libraries():
    assert {"osler", "python", "numpy", "scipy"} <= versions().keys()
