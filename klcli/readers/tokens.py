"""Tokens of a language model with the logarithms of their probabilities, as servers and libraries answer.

OpenAI's chat and completions, vLLM and llama.cpp. A position of the text holds the tokens that might have stood there:
a distribution. Source: the API references of OpenAI, vLLM and the server of llama.cpp.
"""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING, Any

from klcli.errors import InputError, clipped
from klcli.model import Distribution, frozen
from klcli.readers.distributions import refuse_repeated
from klcli.readers.documents import is_json_number, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_WITHIN = ("choices", "logprobs", "content", "completion_probabilities", "prompt_logprobs")
"""The keys under which the positions stand in an answer."""

_ALTERNATIVES = ("top_logprobs", "top_probs", "probs")
"""The keys under which a position holds its tokens."""

_NAMES = ("decoded_token", "token", "tok_str", "content")
"""The keys of a token's text."""

_MOST = 1.001
"""No more than this do the probabilities of alternatives add up to, even rounded."""


def positions(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The positions in an answer of a server, a list of tokens; anything else as it is."""
    found = value
    while isinstance(found, dict):
        legacy = found.get("top_logprobs")
        if "tokens" in found and isinstance(legacy, list) and all(isinstance(at, dict | None) for at in legacy):
            return [{"token": t, "top_logprobs": at or {}} for t, at in zip(found["tokens"], legacy, strict=False)]
        key = next((key for key in _WITHIN if isinstance(found.get(key), list | dict)), None)
        if key is None:
            return value
        found = found[key]
        if key == "choices" and isinstance(found, list) and len(found) == 1:
            found = found[0]
    if not is_positions(found):
        return value
    return found[1:] if found[0] is None else found


def is_token(value: Any) -> bool:  # noqa: ANN401
    """Whether an object is a token with its probability or the logarithm of it, or with what else might stand there."""
    if not isinstance(value, dict):
        return False
    named = any(isinstance(value.get(name), str) for name in _NAMES)
    return (named or "rank" in value) and (is_json_number(value.get("logprob")) or _alternatives(value) is not None)


def is_positions(value: Any) -> bool:  # noqa: ANN401
    """Whether a list holds tokens, and nothing else; of vLLM's the first position is null."""
    some = value[1:] if isinstance(value, list) and value and value[0] is None else value
    return isinstance(some, list) and bool(some) and all(is_token(item) or _is_by_id(item) for item in some)


def distribution(name: str, value: Any, source: str) -> Distribution | None:  # noqa: ANN401
    """The distribution that a position is, or a list of the tokens of one; None for what has no tokens in it.

    Raises InputError where there are several positions, or the tokens stand one after the other.
    """
    if is_token(value):
        inside = _alternatives(value)
        return None if inside is None else _of(name, inside, source)
    if _is_by_id(value):
        return _of(name, [{"token": key, **token} for key, token in value.items()], source)
    if not is_positions(value):
        return None
    if any(item is None or _is_by_id(item) or _alternatives(item) for item in value):
        if len(value) == 1:
            return distribution(name, value[0], source)
        message = f"{source}: {len(value)} tokens, of which each has a distribution; add --rows to take each by itself"
        raise InputError(message)
    return _of(name, value, source)


def label(value: Any) -> str:  # noqa: ANN401
    """The text of the token that stands at a position, '' where it is not known."""
    return _text(value) if isinstance(value, dict) and not _is_by_id(value) else ""


def _is_by_id(value: Any) -> bool:  # noqa: ANN401
    """Whether an object has tokens under their numbers, as vLLM's prompt_logprobs have."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(token, dict) and is_json_number(token.get("logprob")) for token in value.values())
    )


def _alternatives(token: dict[str, Any]) -> Any:  # noqa: ANN401
    return next((token[key] for key in _ALTERNATIVES if isinstance(token.get(key), list | dict) and token[key]), None)


def _text(token: dict[str, Any]) -> str:
    return next((token[name] for name in _NAMES if isinstance(token.get(name), str)), "")


def _of(name: str, tokens: Any, source: str) -> Distribution:  # noqa: ANN401
    """A distribution of tokens: a list of them, or an object of token: logarithm."""
    if isinstance(tokens, dict):
        labels, given, logarithms = list(tokens), list(tokens.values()), True
    else:
        labels = _labels(tokens)
        logarithms = all("logprob" in token for token in tokens)
        given = [token.get("logprob" if logarithms else "prob") for token in tokens]

    def where(i: int) -> str:
        return f"{source}, token {clipped(labels[i])}"

    values = [number_of(value, where, i) for i, value in enumerate(given)]
    if logarithms and sum(exp(min(value, 1.0)) for value in values) > _MOST:
        message = (
            f"{source}: the probabilities of these tokens add up to more than 1: they stand one after the other, "
            "and are no alternatives; a distribution of each needs top_logprobs"
        )
        raise InputError(message)
    refuse_repeated(labels, where)
    values = [-inf if value <= _NEVER else value for value in values] if logarithms else values
    return Distribution(name, source, frozen(values), where, labels, read_as="logprobs" if logarithms else "weights")


_NEVER = -9999.0
"""What OpenAI writes for the logarithm of a probability of 0, which JSON lacks."""


def _labels(tokens: Sequence[dict[str, Any]]) -> list[str]:
    """The tokens' texts; of several that look the same the bytes or the number too."""
    texts = [_text(token) for token in tokens]
    if len(set(texts)) == len(texts):
        return texts
    return [
        f"{text} {token.get('bytes', token.get('id', ''))}" if texts.count(text) > 1 else text
        for text, token in zip(texts, tokens, strict=True)
    ]
