"""Fit an answer to the caller's JSON schema, as a grammar would: only its properties, only its enums, nothing missing.

Ranges and lengths are kept too where the schema states them. No task knowledge lives here.
"""

from typing import Any

MAX_REFERENCES = 20


def conform(value: Any, schema: dict[str, Any]) -> Any:
    """The value with unknown properties dropped, missing required ones filled and enums respected."""
    return _fit(value, schema, schema)


def _resolve(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    for _ in range(MAX_REFERENCES):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part, {}) if isinstance(target, dict) else {}
        schema = target
    return schema if isinstance(schema, dict) else {}


def _choose(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Of an anyOf/oneOf the branch whose type is the value's; otherwise the first that is not null."""
    branches = [_resolve(branch, root) for branch in schema.get("anyOf") or schema.get("oneOf") or []]
    if not branches:
        return schema
    for branch in branches:
        if _type_of(value) in _types(branch):
            return branch
    return next((branch for branch in branches if branch.get("type") != "null"), branches[0])


def _types(schema: dict[str, Any]) -> set[str]:
    stated = schema.get("type")
    names = set(stated) if isinstance(stated, list) else {stated} if stated else set()
    return names | ({"integer"} if "number" in names else set())


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, name in ((int, "integer"), (float, "number"), (str, "string"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "array"


def _fit(value: Any, schema: Any, root: dict[str, Any]) -> Any:
    rule = _resolve(schema, root)
    rule = _choose(value, rule, root)
    allowed = [rule["const"]] if "const" in rule else rule.get("enum")
    if isinstance(allowed, list) and allowed:
        return value if value in allowed else ("other" if "other" in allowed else allowed[0])
    if isinstance(value, dict):
        return _fit_object(value, rule, root)
    if isinstance(value, list):
        return _fit_array(value, rule, root)
    return _fit_scalar(value, rule)


def _fit_object(value: dict[str, Any], rule: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    properties = rule.get("properties")
    if not isinstance(properties, dict):
        return value
    fitted = {name: _fit(value[name], properties[name], root) for name in properties if name in value}
    for name in rule.get("required") or []:
        if name not in fitted:
            fitted[name] = _empty(_resolve(properties.get(name, {}), root), root)
    return fitted


def _fit_array(value: list[Any], rule: dict[str, Any], root: dict[str, Any]) -> list[Any]:
    most = rule.get("maxItems")
    kept = value[:most] if isinstance(most, int) else value
    return [_fit(item, rule.get("items", {}), root) for item in kept]


def _fit_scalar(value: Any, rule: dict[str, Any]) -> Any:
    if isinstance(value, str):
        longest = rule.get("maxLength")
        return value[:longest] if isinstance(longest, int) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    low, high = rule.get("minimum"), rule.get("maximum")
    value = max(value, low) if isinstance(low, int | float) else value
    value = min(value, high) if isinstance(high, int | float) else value
    return round(value) if _types(rule) == {"integer"} else value


def _empty(rule: dict[str, Any], root: dict[str, Any]) -> Any:
    """The plainest value of a schema, for a required property that the model has no rule for."""
    rule = _choose(None, rule, root)
    if "const" in rule:
        return rule["const"]
    if rule.get("enum"):
        return "other" if "other" in rule["enum"] else rule["enum"][0]
    if "default" in rule:
        return rule["default"]
    kinds = _types(rule)
    if "object" in kinds:
        return _fit_object({}, rule, root)
    plain: dict[str, Any] = {"array": [], "string": "", "boolean": False, "integer": 0, "number": 0.0}
    return next((empty for name, empty in plain.items() if name in kinds), None)
