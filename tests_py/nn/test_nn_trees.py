"""mlx_go.utils: properties of the tree functions, and the same answers as the oracle."""

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nn_oracle import needs_oracle, outcome, outils

from mlx_go import utils

keys = st.text(st.characters(codec="ascii", categories=("L",)), min_size=1, max_size=4)
leaves = st.integers()


def containers(children):
    return st.one_of(
        st.lists(children, min_size=1, max_size=3),
        st.dictionaries(keys, children, min_size=1, max_size=3),
    )


trees = st.recursive(leaves, containers, max_leaves=12)
trees_with_tuples = st.recursive(
    leaves, lambda c: st.one_of(containers(c), st.lists(c, max_size=3).map(tuple), st.just({})), max_leaves=12
)


@given(trees)
def test_unflatten_undoes_flatten(tree):
    assert utils.tree_unflatten(utils.tree_flatten(tree)) == tree
    assert utils.tree_unflatten(utils.tree_flatten(tree, destination={})) == tree


@given(trees_with_tuples)
def test_flatten_visits_what_reduce_and_map_visit(tree):
    flat = [leaf for _, leaf in utils.tree_flatten(tree)]
    seen = []
    mapped = utils.tree_map(lambda leaf: seen.append(leaf) or leaf, tree)
    assert mapped == tree
    assert seen == flat
    assert utils.tree_reduce(lambda acc, leaf: acc + [leaf], tree, []) == flat
    paths = []
    utils.tree_map_with_path(lambda path, leaf: paths.append(path), tree)
    assert [p or "" for p in paths] == [path for path, _ in utils.tree_flatten(tree)]


@given(trees_with_tuples)
def test_map_with_rest_pairs_leaves(tree):
    doubled = utils.tree_map(lambda a: 2 * a, tree)
    assert utils.tree_map(lambda a, b: a + b, tree, tree) == doubled
    assert utils.tree_map_with_path(lambda path, a, b: a + b, tree, tree) == doubled


@given(trees, trees)
def test_merge_holds_both(a, b):
    merged = utils.tree_merge({"a": a}, {"b": b})
    assert merged == {"a": a, "b": b}
    assert utils.tree_merge({"a": a}, {"a": a}, lambda x, y: x) == {"a": a}
    assert utils.tree_merge(None, a) == a
    assert utils.tree_merge(a, {}) == a


@needs_oracle
@given(trees_with_tuples)
def test_same_as_oracle(tree):
    assert utils.tree_flatten(tree) == outils.tree_flatten(tree)
    assert utils.tree_flatten(tree, prefix=".x") == outils.tree_flatten(tree, prefix=".x")
    flat = utils.tree_flatten(tree)
    assert utils.tree_unflatten(flat) == outils.tree_unflatten(flat)
    assert utils.tree_map(str, tree) == outils.tree_map(str, tree)
    both = [m.tree_map_with_path(lambda p, x: (p, x), tree, path="z") for m in (utils, outils)]
    assert both[0] == both[1]

    def is_leaf(node):
        return isinstance(node, list) and len(node) == 2

    assert utils.tree_flatten(tree, is_leaf=is_leaf) == outils.tree_flatten(tree, is_leaf=is_leaf)
    assert utils.tree_map(str, tree, is_leaf=is_leaf) == outils.tree_map(str, tree, is_leaf=is_leaf)
    results = [m.tree_reduce(lambda acc, x: acc + 1, tree, 0, is_leaf=is_leaf) for m in (utils, outils)]
    assert results[0] == results[1]


# Empty containers inside lists are left out: the oracle hands them to merge_fn as None.
@needs_oracle
@given(trees, trees)
def test_merge_same_as_oracle(a, b):
    for merge in (None, lambda x, y: (x, y)):
        ours = outcome(lambda: utils.tree_merge({"t": a}, {"t": b}, merge))
        theirs = outcome(lambda: outils.tree_merge({"t": a}, {"t": b}, merge))
        assert ours == theirs


@needs_oracle
@pytest.mark.parametrize(
    "flat",
    [
        [],
        {},
        [("", 3)],
        [("0", 3), ("2", 4)],
        [("01", 3), ("1", 4)],
        [("0", 3), ("a", 4)],
        [("a", 3), ("a.b", 4)],
        [("", 3), ("a", 4)],
        [(".a", 3)],
        [("10", 3), ("2", 4), ("0", 1)],
        {"0.a": 3, "1.b": 4},
    ],
)
def test_unflatten_odd_keys(flat):
    assert utils.tree_unflatten(flat) == outils.tree_unflatten(flat)


def test_kinds_of_containers():
    Point = collections.namedtuple("Point", "x y")
    assert utils.tree_map(lambda v: v + 1, Point(1, 2)) == Point(2, 3)

    class Special(list):
        pass

    assert type(utils.tree_map(lambda v: v, Special([1]))) is Special
    assert type(utils.tree_map(lambda v: v, collections.OrderedDict(a=1))) is dict


def test_flatten_destination():
    assert utils.tree_flatten([1, [2]], destination=[("q", 0)]) == [("q", 0), ("0", 1), ("1.0", 2)]
    assert utils.tree_flatten([1, [2]], destination={"0": 9}) == {"0": 1, "1.0": 2}
    with pytest.raises(ValueError, match="destination"):
        utils.tree_flatten([1], destination=())


def test_errors():
    with pytest.raises(ValueError, match="merge_fn"):
        utils.tree_merge({"a": 1}, {"a": 2})
    with pytest.raises(KeyError):
        utils.tree_map(lambda a, b: a, {"a": 1}, {})
    with pytest.raises(IndexError):
        utils.tree_map(lambda a, b: a, [1, 2], [1])
    assert utils.tree_unflatten([("0", 1), ("0", 2)]) == [1]
    with pytest.raises(ValueError, match="999999999"):
        utils.tree_unflatten([("999999999", 1)])
