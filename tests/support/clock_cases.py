"""Random arguments for the functions on clocks: mostly clocks, in every form that a counter has, and what is none."""

import json

NAMES = ["a", "b", "api", "db", "", "bank#1", "web#2", "é", "ü" * 5, "\U0001f600", "数据库", "a\"b\\c", "line\nbreak",
         "\x01", "\u2028", "x" * 100, "É", "e\u0301"]
COUNTERS = ["0", "1", "2", "7", "9999", "10000", "65536", "99999999", "4294967296", "9007199254740993",
            "9223372036854775808", "18446744073709551614", "18446744073709551615", "0.0", "1.0", "2.000", "1e3", "1e19",
            "18446744073709551615.00"]
OTHERS = ["-1", "0.5", "1.5", "0.0001", "18446744073709551616", "1e20", "1e300", "null", "true", '"1"', "[1]", "{}",
          "[]", '{"a":1}']
NO_OBJECTS = ["1", "null", '"a"', "true", "[]", '[["a",1]]', '[["a",1],["a",2],["b",0]]', '[["a",-1]]', '[["a"]]',
              "[1]", '[["a","1"]]', '[[1,"a"]]', '[["é",18446744073709551615],["z",3]]']
EXPRESSIONS = [
    "vclock_valid(a)", "vclock_normalize(a)", "vclock_increment(a, c, n)", "vclock_increment(a, c)", "vclock_merge(a, b)",
    "vclock_meet(a, b)", "vclock_diff(a, b)", "vclock_without(a, cs)", "vclock_get(a, c)", "vclock_size(a)", "vclock_sum(a)",
    "vclock_compare(a, b)", "vclock_happened_before(a, b)", "vclock_happened_before_or_equal(a, b)",
    "vclock_happened_after(a, b)", "vclock_happened_after_or_equal(a, b)", "vclock_concurrent(a, b)",
    "vclock_comparable(a, b)", "vclock_equal(a, b)", "a OPERATOR(raceway.<<) b", "a OPERATOR(raceway.>>) b",
    "a OPERATOR(raceway.<<=) b", "a OPERATOR(raceway.>>=) b", "a OPERATOR(raceway.<||>) b",
    "(SELECT array_agg(x::text) FROM vclock_components(a) x)", "a::raceway.vclock",
    "(SELECT vclock_frontier(x) FROM unnest(ARRAY[a, b, NULL, d, a]) x)",
    "(SELECT vclock_merge_agg(x) FROM unnest(ARRAY[NULL, a, b, d]) x)",
    "(SELECT vclock_meet_agg(x) FROM unnest(ARRAY[a, d, b]) x)",
]

# What the expressions of each case answer, or their errors in full.
ANSWERS = """
CREATE FUNCTION pg_temp.answer(expression text, a jsonb, b jsonb, d jsonb, c text, n numeric, cs text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    found text;
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE 'SELECT (' || expression || ')::text FROM (SELECT $1, $2, $3, $4, $5, $6) AS given (a, b, d, c, n, cs)'
    INTO found USING a, b, d, c, n, cs;
    RETURN coalesce(found, 'NULL');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', state, message, detail, hint);
END $$;
CREATE FUNCTION pg_temp.answers(cases json) RETURNS SETOF text[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT pg_temp.answer(e, (g ->> 'a')::jsonb, (g ->> 'b')::jsonb, (g ->> 'd')::jsonb, g ->> 'c', (g ->> 'n')::numeric,
                                       CASE json_typeof(g -> 'cs') WHEN 'array' THEN ARRAY(SELECT json_array_elements_text(g -> 'cs')) END)
                 FROM json_array_elements_text(g -> 'expressions') e)
    FROM json_array_elements(cases) WITH ORDINALITY AS given (g, place) ORDER BY place $$
"""


def _value(chance, bad):
    if chance.random() < bad:
        return chance.choice(OTHERS)
    return chance.choice(COUNTERS) if chance.random() < 0.5 else str(chance.randrange(10 ** chance.randrange(1, 12)))


def _name(chance):
    return chance.choice(NAMES) + (str(chance.randrange(64)) if chance.random() < 0.7 else "")


def _text(members):
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"


def _clock(chance, bad):
    """The members of a clock with 0 to 64 components."""
    size = chance.choice([0, 1, 2, 3, 5, 8, 64]) if chance.random() < 0.8 else chance.randrange(65)
    clock = {}
    while len(clock) < size:
        clock[_name(chance)] = _value(chance, bad)
    return clock


def _relative(chance, clock, bad):
    """A clock that has much in common with that one."""
    change = chance.random() ** 3
    kept = {name: _value(chance, bad) if chance.random() < change else value
            for name, value in clock.items() if chance.random() > change / 3}
    if chance.random() < 0.3:
        kept[_name(chance)] = _value(chance, bad)
    return kept


def _argument(chance, clock):
    """The text of that clock, now and then of something else, or None."""
    draw = chance.random()
    if draw < 0.02:
        return None
    return chance.choice(NO_OBJECTS) if draw < 0.07 else _text(clock)


def some_case(chance):
    """Some expressions and their arguments, as JSON holds them: clocks and numbers are texts."""
    bad = 0.05 if chance.random() < 0.3 else 0
    first = _clock(chance, bad)
    second = _relative(chance, first, bad) if chance.random() < 0.8 else _clock(chance, bad)
    third = _relative(chance, second, bad)
    name = chance.choice(list(first)) if first and chance.random() < 0.6 else _name(chance)
    names = [*chance.sample(list(first), min(len(first), chance.randrange(4))), _name(chance), None]
    return {"a": _argument(chance, first), "b": _argument(chance, second), "d": _argument(chance, third),
            "c": None if chance.random() < 0.02 else name,
            "n": None if chance.random() < 0.02 else chance.choice([*COUNTERS, "-1", "0.5", "NaN", "Infinity", "1e30", "5"]),
            "expressions": chance.sample(EXPRESSIONS, 4),
            "cs": None if chance.random() < 0.02 else names[:chance.randrange(len(names) + 1)]}
