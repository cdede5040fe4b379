"""Path templates and the trie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.paths import BadPath, Template, Trie, parse_template, split_path


def trie(*templates: str) -> Trie[str]:
    made: Trie[str] = Trie()
    for one in templates:
        method, _, path = one.partition(" ")
        made.add(method, parse_template(path), one)
    return made


def find(made: Trie[str], method: str, path: str) -> str | None:
    return made.find(*split_path(path.encode()), method)


def test_a_template_is_taken_apart():
    found = parse_template("/v1/patients/{patient.id}/loops/{loop_id}:close")
    assert found.segments == ("v1", "patients", "*", "loops", "*")
    assert found.verb == "close"
    assert [(one.field, one.start, one.end) for one in found.variables] == [
        ("patient.id", 2, 3),
        ("loop_id", 4, 5),
    ]


def test_a_variable_may_span_segments():
    found = parse_template("/v1/{name=shelves/*/books/*}:read")
    assert found.segments == ("v1", "shelves", "*", "books", "*")
    assert found.variables[0].value(["v1", "shelves", "1", "books", "2"]) == "shelves/1/books/2"
    rest = parse_template("/v1/{name=files/**}")
    assert rest.variables[0].value(["v1", "files", "a", "b", "c"]) == "files/a/b/c"


@pytest.mark.parametrize(
    "text", ["v1/x", "/v1/{x", "/v1/x y", "/v1/**/x", "/v1/{A}", "/v1//x", "/"]
)
def test_what_is_no_template_is_refused(text):
    with pytest.raises(ValueError, match=r"segment|begins"):
        parse_template(text)


def test_literals_win_and_verbs_are_apart():
    made = trie(
        "GET /v1/tasks/{id}",
        "GET /v1/tasks/mine",
        "POST /v1/tasks/{id}:claim",
        "POST /v1/tasks",
        "POST /v1/tasks:search",
        "GET /v1/tasks/{id}/notes/{note}",
        "PATCH /v1/tasks/{task.id}",
        "GET /v1/files/{name=**}",
    )
    assert find(made, "GET", "/v1/tasks/mine") == "GET /v1/tasks/mine"
    assert find(made, "PATCH", "/v1/tasks/mine") == "PATCH /v1/tasks/{task.id}"
    assert find(made, "GET", "/v1/tasks/1") == "GET /v1/tasks/{id}"
    assert find(made, "POST", "/v1/tasks/1:claim") == "POST /v1/tasks/{id}:claim"
    assert find(made, "POST", "/v1/tasks:search") == "POST /v1/tasks:search"
    assert find(made, "POST", "/v1/tasks") == "POST /v1/tasks"
    assert find(made, "GET", "/v1/tasks/mine/notes/2") == "GET /v1/tasks/{id}/notes/{note}"
    assert find(made, "GET", "/v1/files/a/b") == "GET /v1/files/{name=**}"
    assert find(made, "GET", "/v1/tasks/1%3Aclaim") == "GET /v1/tasks/{id}"
    for path in ("/v1/tasks/", "/v1/tasks//notes/1", "/v1", "/", "/v1/tasks/1:close", "/v2/tasks"):
        assert find(made, "GET", path) is None
    assert made.methods(*split_path(b"/v1/tasks/mine")) == ["GET", "PATCH"]


def test_the_same_place_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        trie("GET /v1/tasks/{id}", "GET /v1/tasks/{task_id}")


@pytest.mark.parametrize("raw", [b"/v1/%ff", b"/v1/\xff", b"/v1/%00", b"/v1/a%0d%0ab", b"/v1/x:"])
def test_a_hostile_path_is_refused(raw):
    with pytest.raises(BadPath):
        split_path(raw)


@given(st.binary(max_size=60))
def test_no_path_does_anything_else(raw):
    try:
        segments, verb = split_path(b"/" + raw)
    except BadPath:
        return
    assert all(isinstance(one, str) for one in segments)
    assert trie("GET /v1/tasks/{id}").find(segments, verb, "POST") is None


WORDS = st.sampled_from(["a", "b", "c", "*"])
PATHS = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["", "x", "y"])), max_size=12
)


@given(
    PATHS,
    st.lists(st.sampled_from(["a", "b", "z"]), min_size=1, max_size=4),
    st.sampled_from(["", "x"]),
)
def test_the_trie_finds_what_trying_one_after_the_other_finds(templates, path, verb):
    made: Trie[Template] = Trie()
    added: list[Template] = []
    for segments, template_verb in templates:
        template = Template("t", tuple(segments), (), template_verb)
        if template not in added:
            made.add("GET", template, template)
            added.append(template)

    def fits(template: Template) -> bool:
        return (
            template.verb == verb
            and len(template.segments) == len(path)
            and all(s in {"*", p} for s, p in zip(template.segments, path, strict=True))
        )

    # The first literal decides, then the second, and so on.
    fitting = sorted(
        (one for one in added if fits(one)), key=lambda one: [s == "*" for s in one.segments]
    )
    assert made.find(path, verb, "GET") == (fitting[0] if fitting else None)
