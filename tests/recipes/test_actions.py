"""Every action on small columns, by category; what each rule does with nulls and edges."""
# ruff: noqa: E501 - a table reads best with a case on a line

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from cleanrooms.recipes import cases
from cleanrooms.recipes.actions import ACTIONS
from tests.recipes.helpers import after, step
from tests.recipes.test_vectors import OUR_VECTORS, PAGE_VECTORS, VECTORS

A, N, D = "a", "n", dt.datetime(2020, 2, 29, 13, 5, 7, 250_000)

# operation, parameters, column a before, column that the action makes or changes, its cells after
CASES: list[tuple[str, dict[str, str], list[Any], str, list[Any]]] = [
    ("UPPER_CASE", {}, ["straße", None], A, ["STRASSE", None]),
    ("LOWER_CASE", {}, ["İΣ ΑΣ", None], A, ["i̇ς ας", None]),
    ("CAPITAL_CASE", {}, ["mary  o'neil-LEE", "", None], A, ["Mary  O'neil-lee", "", None]),
    ("SENTENCE_CASE", {}, ["HELLO you. who? me!", None], A, ["Hello you. Who? Me!", None]),
    ("ADD_PREFIX", {"pattern": "$1"}, ["x", None], A, ["$1x", None]),
    ("ADD_SUFFIX", {"pattern": "."}, ["x", None], A, ["x.", None]),
    ("ADD_SINGLE_QUOTES", {}, ["x", None], A, ["'x'", None]),
    ("ADD_DOUBLE_QUOTES", {}, ["x", None], A, ['"x"', None]),
    ("REMOVE_COMBINED", {"removeLeadingAndTrailingWhitespace": "true"}, ["\u00a0 x y\t\u200b", None], A, ["x y", None]),
    ("REMOVE_COMBINED", {"collapseConsecutiveWhitespace": "true"}, ["a \u3000\tb"], A, ["a b"]),
    ("REMOVE_COMBINED", {"removeAllWhitespace": "true"}, [" a b\u2003"], A, ["ab"]),
    ("REMOVE_COMBINED", {"removeLetters": "true", "removeNumbers": "false"}, ["aé1"], A, ["é1"]),
    ("REMOVE_COMBINED", {"removeNumbers": "true"}, ["a1٣"], A, ["a٣"]),
    ("REMOVE_COMBINED", {"removeSpecialCharacters": "true"}, ["(a)[b]\\`~é"], A, ["abé"]),
    ("REMOVE_COMBINED", {"removeAllPunctuation": "true", "removeAllQuotes": "true"}, ["'a'.b,\"c\"!"], A, ["abc"]),
    ("REMOVE_COMBINED", {"removeLeadingAndTrailingPunctuation": "true"}, [".,a.b!"], A, ["a.b"]),
    ("REMOVE_COMBINED", {"removeLeadingAndTrailingQuotes": "true"}, ["'\"a'b'"], A, ["a'b"]),
    ("REMOVE_COMBINED", {"customCharacters": "x^", "removeCustomCharacters": "true"}, ["x^a-x"], A, ["a-"]),
    ("REMOVE_COMBINED", {"customValue": "ab", "removeCustomValue": "true"}, ["abba"], A, ["ba"]),
    ("REPLACE_TEXT", {"pattern": r"(\d+)-(\d+)", "value": "$2/$1"}, ["1-22 x", None], A, ["22/1 x", None]),
    ("REPLACE_TEXT", {"pattern": r"\d", "value": r"\$"}, ["1٣"], A, ["$٣"]),
    ("RENAME", {"targetColumn": "b"}, ["x"], "b", ["x"]),
    ("DUPLICATE", {"targetColumn": "b"}, ["x", None], "b", ["x", None]),
    ("DELETE", {}, ["x"], N, [0]),
    ("MOVE_TO_END", {}, ["x"], A, ["x"]),
    ("MOVE_TO_START", {}, ["x"], A, ["x"]),
    ("MOVE_TO_INDEX", {"targetIndex": "1"}, ["x"], A, ["x"]),
    ("MOVE_AFTER", {"targetColumn": N}, ["x"], A, ["x"]),
    ("MOVE_BEFORE", {"targetColumn": N}, ["x"], A, ["x"]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "long"}, [" 7 ", "12.7", "1e3", "+5", "", None], A, [7, None, None, 5, None, None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "short"}, ["32767", "32768"], A, [32767, None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "double"}, ["1e3", ".5", "nan", "1_0", "0x1"], A, [1000.0, 0.5, None, None, None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "decimal"}, ["1.10", "x"], A, [Decimal("1.10"), None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "boolean"}, ["Yes", " false", "1"], A, [True, False, None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "date"}, ["2020-02-29", "2021-02-29", "2020/01/02"], A, [dt.date(2020, 2, 29), None, None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "date"}, [D, None], A, [dt.date(2020, 2, 29), None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "timestamp"}, ["2020-02-29T13:05:07.25+01:00", "2020-02-29", "x"], A,
     [dt.datetime(2020, 2, 29, 12, 5, 7, 250_000), dt.datetime(2020, 2, 29), None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "int"}, [3.9, -2.7, float("nan"), 1e300], A, [3, -2, None, None]),
    ("CHANGE_DATA_TYPE", {"columnDataType": "string"}, [True, None], A, ["true", None]),
    ("TO_STRING_COLUMN", {}, [7, None], A, ["7", None]),
    ("TO_NUMBER_COLUMN", {}, ["7", "x"], A, [7, None]),
    ("TO_DOUBLE_COLUMN", {}, ["7.5", "x"], A, [7.5, None]),
    ("TO_BOOLEAN_COLUMN", {}, ["no", "x"], A, [False, None]),
    ("REMOVE_MISSING", {}, ["x", "", None, " "], A, ["x", " "]),
    ("REMOVE_INVALID", {"columnDataType": "int"}, ["1", "x", None], A, ["1", None]),
    ("FILL_WITH_CUSTOM", {"value": "7", "columnDataType": "number"}, [1, None], A, [1, 7]),
    ("FILL_WITH_EMPTY", {}, ["x", None], A, ["x", ""]),
    ("FILL_WITH_NULL", {}, ["x", None], A, [None, None]),
    ("REPLACE_WITH_CUSTOM", {"value": "0", "columnDataType": "int"}, ["1", "x", None], A, ["1", "0", None]),
    ("REPLACE_WITH_NULL", {"columnDataType": "int"}, ["1", "x"], A, ["1", None]),
    ("REPLACE_WITH_EMPTY", {"columnDataType": "int"}, ["1", "x"], A, ["1", ""]),
    ("FORMAT_PHONE_NUMBER", {"defaultRegion": "US"}, ["408-341-5669", "+44 20 7946 0958", "x", None], A,
     ["+14083415669", "+442079460958", "x", None]),
    ("NUMBER_FORMAT", {"decimalPlaces": "2", "numericThousandSeparator": ".", "numericDecimalSeparator": ","},
     [1234567.125, None], A, ["1.234.567,13", None]),
    ("FLAG_COLUMN_FROM_NULL", {"targetColumn": "f"}, ["x", None], "f", ["False", "True"]),
    ("FLAG_COLUMN_FROM_PATTERN", {"targetColumn": "f", "pattern": "[0-9]$"}, ["x1", "1x", None], "f", ["True", "False", "False"]),
    ("EXTRACT_PATTERN", {"targetColumn": "b", "pattern": "x([0-9])"}, ["ax1", "x", None], "b", ["1", None, None]),
    ("EXTRACT_BETWEEN_DELIMITERS", {"targetColumn": "b", "startPattern": "<", "endPattern": ">"}, ["a<b>c>", "a"], "b", ["b", None]),
    ("EXTRACT_BETWEEN_POSITIONS", {"targetColumn": "b", "startPosition": "2", "endPosition": "3"}, ["abcd", "a"], "b", ["bc", ""]),
    ("REPLACE_BETWEEN_DELIMITERS", {"startPattern": "<", "endPattern": ">", "value": "-"}, ["a<b>c", "a"], A, ["a<->c", "a"]),
    ("REPLACE_BETWEEN_POSITIONS", {"startPosition": "2", "endPosition": "2", "value": "--"}, ["abc", "a"], A, ["a--c", "a"]),
    ("SPLIT_COLUMN_SINGLE_DELIMITER", {"pattern": r"\s", "limit": "1"}, ["a b c", "a", None], "a_2", ["b c", None, None]),
    ("SPLIT_COLUMN_MULTIPLE_DELIMITER", {"patternOptions": '[{"pattern":",","includeInSplit":"true"},{"pattern":";"}]', "limit": "2"},
     ["a,b;c"], "a_1", ["a,"]),
    ("SPLIT_COLUMN_BETWEEN_DELIMITER", {"patternOption1": '{"pattern":"<"}', "patternOption2": '{"pattern":">"}'}, ["a<b>c"], "a_2", ["b"]),
    ("SPLIT_COLUMN_BETWEEN_POSITIONS", {"startPosition": "1", "endPosition": "2"}, ["abc"], "a_3", ["c"]),
    ("SPLIT_COLUMN_FROM_START", {"position": "2"}, ["abc", "a"], "a_1", ["ab", "a"]),
    ("SPLIT_COLUMN_FROM_END", {"position": "2"}, ["abc", "a"], "a_2", ["bc", "a"]),
    ("LOWER", {"targetColumn": "b"}, ["X", None], "b", ["x", None]),
    ("UPPER", {"targetColumn": "b"}, ["x", None], "b", ["X", None]),
    ("PROPER", {"targetColumn": "b"}, ["new york", None], "b", ["New York", None]),
    ("TRIM", {"targetColumn": "b"}, ["\u00a0x ", None], "b", ["x", None]),
    ("REMOVE_WHITESPACE", {"targetColumn": "b"}, [" a\tb", None], "b", ["ab", None]),
    ("REMOVE_SYMBOLS", {"targetColumn": "b"}, ["a-b é!", None], "b", ["ab é", None]),
    ("LEN", {"targetColumn": "b"}, ["😊é", "", None], "b", [2, 0, None]),
    ("LEFT", {"targetColumn": "b", "position": "2"}, ["abc", "a", None], "b", ["ab", "a", None]),
    ("RIGHT", {"targetColumn": "b", "position": "2"}, ["abc", "a", None], "b", ["bc", "a", None]),
    ("SUBSTRING", {"targetColumn": "b", "startPosition": "2", "endPosition": "3"}, ["abcd", None], "b", ["bc", None]),
    ("STARTS_WITH", {"targetColumn": "b", "pattern": "a|b"}, ["bx", "xa", None], "b", [True, False, None]),
    ("ENDS_WITH", {"targetColumn": "b", "pattern": "a|b"}, ["xb", "ax", None], "b", [True, False, None]),
    ("FIND", {"targetColumn": "b", "pattern": "B", "ignoreCase": "true"}, ["abb", "x", None], "b", [2, 0, None]),
    ("UNICODE", {"targetColumn": "b"}, ["😊x", "", None], "b", [128522, None, None]),
    ("CHAR", {"targetColumn": "b"}, [233, 55296, None], "b", ["é", None, None]),
    ("REPEAT_STRING", {"targetColumn": "b", "count": "2"}, ["ab", None], "b", ["abab", None]),
    ("DATE_FORMAT", {"targetColumn": "b", "dateTimeFormat": "dd month yyyy*HH:MM:SS"}, [D, None], "b", ["29 February 2020 13:05:07", None]),
    ("DATE_FORMAT", {"targetColumn": "b"}, [dt.date(2020, 1, 2)], "b", ["2020-01-02 00:00:00"]),
    ("FORMAT_DATE", {"targetDateFormat": "mm/dd/yyyy"}, ["2020-01-31", "x"], A, ["01/31/2020", None]),
    ("YEAR", {"targetColumn": "b"}, [D, None], "b", [2020, None]),
    ("MONTH", {"targetColumn": "b"}, [D], "b", [2]),
    ("DAY", {"targetColumn": "b"}, [D], "b", [29]),
    ("HOUR", {"targetColumn": "b"}, [D], "b", [13]),
    ("MINUTE", {"targetColumn": "b"}, [D], "b", [5]),
    ("SECOND", {"targetColumn": "b"}, [D], "b", [7]),
    ("MILLISECOND", {"targetColumn": "b"}, [D], "b", [250]),
    ("QUARTER", {"targetColumn": "b"}, [D], "b", [1]),
    ("WEEK_NUMBER", {"targetColumn": "b"}, [D], "b", [9]),
    ("WEEK_DAY", {"targetColumn": "b"}, [D, dt.datetime(2020, 3, 1)], "b", [7, 1]),
    ("MONTH_NAME", {"targetColumn": "b"}, [D, None], "b", ["February", None]),
    ("UNIX_TIME", {"targetColumn": "b"}, [D], "b", [1582981507]),
    ("UNIX_TIME_FORMAT", {"targetColumn": "b"}, [1582981507, None], "b", ["2020-02-29 13:05:07", None]),
    ("DATE_ADD", {"targetColumn": "b", "units": "YEARS", "dateAddValue": "1", "dateTimeFormat": "yyyy-mm-dd"}, [D], "b", ["2021-02-28"]),
    ("CONVERT_TIMEZONE", {"targetColumn": "b", "toTimeZone": "America/New_York"}, [D], "b", ["2020-02-29 08:05:07"]),
    ("ABSOLUTE", {"targetColumn": "b"}, [-2, None], "b", [2, None]),
    ("CEILING", {"targetColumn": "b"}, [1.2, -1.2], "b", [2, -1]),
    ("FLOOR", {"targetColumn": "b"}, [1.2, -1.2], "b", [1, -2]),
    ("NEGATE", {"targetColumn": "b"}, [2], "b", [-2]),
    ("SIGN", {"targetColumn": "b"}, [-2.5, 0.0], "b", [-1, 0]),
    ("RIGHT_FIND", {"pattern": "o", "targetColumn": "b"}, ["foo boo", "x", "", None], "b", [7, 0, 0, None]),
    ("RIGHT_FIND", {"pattern": "O", "position": "3", "ignoreCase": "true", "targetColumn": "b"}, ["foo", "oxo", "o"], "b",
     [0, 1, 0]),
    ("RIGHT_FIND", {"pattern": "a.", "targetColumn": "b"}, ["aaab\nac"], "b", [6]),
    ("DEGREES", {"targetColumn": "b"}, [0.0], "b", [0.0]),
    ("RADIANS", {"targetColumn": "b"}, [0.0], "b", [0.0]),
    ("EXPONENT", {"targetColumn": "b"}, [0, 1000], "b", [1.0, None]),
    ("LN", {"targetColumn": "b"}, [1, 0, -1], "b", [0.0, None, None]),
    ("LOG", {"targetColumn": "b"}, [100, 0], "b", [2.0, None]),
    ("SQUARE_ROOT", {"targetColumn": "b"}, [9, -1], "b", [3.0, None]),
    ("PI", {"targetColumn": "b"}, [1], "b", [3.141592653589793]),
    ("ROUND", {"targetColumn": "b"}, [2.5, -2.5], "b", [3.0, -3.0]),
    ("IS_EVEN", {"targetColumn": "b"}, [2.0, 2.5, -3.0], "b", ["True", "False", "False"]),
    ("IS_ODD", {"targetColumn": "b"}, [2.0, 2.5, -3.0], "b", ["False", "False", "True"]),
    ("IP_TO_INT", {"targetColumn": "b"}, ["255.255.255.255", "1.2.3", "01.2.3.4"], "b", [4294967295, None, None]),
    ("INT_TO_IP", {"targetColumn": "b"}, [4294967295, -1], "b", ["255.255.255.255", None]),
    ("URL_PARAMS", {"targetColumn": "b"}, ["http://x/?a=1&a=2", "x"], "b", ['{"a": ["1", "2"]}', "{}"]),
    ("FILL_WITH_AVERAGE", {}, [1.0, 3.0, None], A, [1.0, 3.0, 2.0]),
    ("FILL_WITH_MEDIAN", {}, [1.0, 2.0, 9.0, None], A, [1.0, 2.0, 9.0, 2.0]),
    ("FILL_WITH_SUM", {}, [1, 3, None], A, [1, 3, 4]),
    ("FILL_WITH_MODE", {"modeType": "NONE"}, [1, 2, None], A, [1, 2, None]),
    ("FILL_WITH_MOST_FREQUENT", {}, ["x", "y", "y", None], A, ["x", "y", "y", "y"]),
    ("FILL_WITH_LAST_VALID", {}, ["x", None, "y"], A, ["x", "x", "y"]),
    ("REMOVE_DUPLICATES", {}, ["x", None, "x", None], A, ["x", None]),
    ("FLAG_DUPLICATES_IN_COLUMN", {"targetColumn": "f"}, ["x", "y", "x"], "f", ["False", "False", "True"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{'-'.join(c[1].values())[:30]}")
def test_action(case: tuple[str, dict[str, str], list[Any], str, list[Any]]) -> None:
    operation, parameters, cells, column, expected = case
    given = {} if operation == "PI" else {"sourceColumn": A}
    done = step(operation, **given, **parameters)
    rows = after({A: cells, N: list(range(len(cells)))}, done, tolerant=True, whole_table=True)
    assert rows[column] == expected


MANY: list[tuple[str, dict[str, str], dict[str, list[Any]], str, list[Any]]] = [
    ("MERGE", {"sourceColumns": '["a","b"]', "delimiter": " ", "targetColumn": "c"},
     {"a": ["x", None, None], "b": ["y", "y", None]}, "c", ["x y", "y", None]),
    ("MERGE_COLUMNS_AND_VALUES", {"sourceColumns": '["a","n"]', "targetColumn": "c"}, {"a": ["x"], "n": [1]}, "c", ["x1"]),
    ("ANY", {"sourceColumns": '["b","a"]', "targetColumn": "c"}, {"a": ["x", "y", None], "b": [None, "", None]}, "c",
     ["x", "y", None]),
    ("MODE", {"sourceColumns": '["a","b","d"]', "targetColumn": "c"},
     {"a": [3, 1, None], "b": [3, 2, None], "d": [1, None, None]}, "c", [3.0, 1.0, None]),
    ("MODE", {"sourceColumns": '["a","b"]', "modeType": "AVERAGE", "targetColumn": "c"}, {"a": [1], "b": [2]}, "c", [1.5]),
    ("MODE", {"sourceColumns": '["a","b"]', "modeType": "NONE", "targetColumn": "c"},
     {"a": [1, 2], "b": [2, 2]}, "c", [None, 2.0]),
    ("COALESCE", {"sourceColumns": '["b","a"]', "targetColumn": "c"}, {"a": ["x", "y"], "b": [None, ""]}, "c", ["x", ""]),
    ("EXACT", {"sourceColumn1": "a", "value2": "x", "targetColumn": "c"}, {"a": ["x", "X", None]}, "c", [True, False, None]),
    ("STRING_GREATER_THAN", {"sourceColumn1": "a", "value2": "m", "targetColumn": "c"}, {"a": ["z", "m"]}, "c", [True, False]),
    ("STRING_GREATER_THAN_EQUAL", {"sourceColumn1": "a", "value2": "m", "targetColumn": "c"}, {"a": ["a", "m"]}, "c", [False, True]),
    ("STRING_LESS_THAN", {"sourceColumn1": "a", "value2": "m", "targetColumn": "c"}, {"a": ["z", "a"]}, "c", [False, True]),
    ("STRING_LESS_THAN_EQUAL", {"sourceColumn1": "a", "value2": "m", "targetColumn": "c"}, {"a": ["z", "m"]}, "c", [False, True]),
    ("ADD", {"sourceColumn1": "a", "value1": "2", "targetColumn": "c"}, {"a": [1, None]}, "c", [3, None]),
    ("SUBTRACT", {"sourceColumn1": "a", "sourceColumn2": "b", "targetColumn": "c"}, {"a": [1], "b": [3]}, "c", [-2]),
    ("MULTIPLY", {"sourceColumn1": "a", "value2": "2.5", "targetColumn": "c"}, {"a": [2]}, "c", [5.0]),
    ("DIVIDE", {"sourceColumn1": "a", "sourceColumn2": "b", "targetColumn": "c"}, {"a": [1, 1], "b": [2, 0]}, "c", [0.5, None]),
    ("MOD", {"sourceColumn1": "a", "value2": "3", "targetColumn": "c"}, {"a": [-7, 7]}, "c", [-1, 1]),
    ("POWER", {"sourceColumn1": "a", "value2": "2", "targetColumn": "c"}, {"a": [3]}, "c", [9.0]),
    ("SUM", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1, None], "b": [2.5, None]}, "c", [3.5, 0.0]),
    ("AVERAGE", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1, None], "b": [2, 4]}, "c", [1.5, 4.0]),
    ("MAX", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1], "b": [2]}, "c", [2.0]),
    ("MIN", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1], "b": [2]}, "c", [1.0]),
    ("MEDIAN", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1], "b": [2]}, "c", [1.5]),
    ("STANDARD_DEVIATION", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [2], "b": [2]}, "c", [0.0]),
    ("VARIANCE", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1], "b": [3]}, "c", [1.0]),
    ("COUNT", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1, None], "b": [3, 1]}, "c", [2, 1]),
    ("COUNT_DISTINCT", {"sourceColumns": '["a","b"]', "targetColumn": "c"}, {"a": [1, None], "b": [1, 1]}, "c", [1, 1]),
    ("KTH_LARGEST", {"sourceColumns": '["a","b"]', "value": "2", "targetColumn": "c"}, {"a": [1, 5], "b": [3, 5]}, "c", [1.0, 5.0]),
    ("KTH_LARGEST_UNIQUE", {"sourceColumns": '["a","b"]', "value": "2", "targetColumn": "c"}, {"a": [1, 5], "b": [3, 5]}, "c", [1.0, None]),
    ("DATE_DIFF", {"value1": "2020-01-31", "sourceColumn2": "a", "units": "MONTHS", "targetColumn": "c"},
     {"a": [dt.datetime(2020, 2, 29), dt.datetime(2020, 3, 31)]}, "c", [0, 2]),
    ("TIME", {"dateTimeParameters": '{"hour":{"sourceColumn":"a"},"minute":{"value":"5"}}', "targetColumn": "c"}, {"a": [7]}, "c", ["07:05:00"]),
    ("DATE_TIME", {"dateTimeParameters": '{"year":{"value":"2020"},"month":{"value":"2"},"day":{"sourceColumn":"a"}}', "targetColumn": "c"},
     {"a": [29, 30]}, "c", ["2020-02-29 00:00:00", None]),
    ("MASK_CUSTOM", {"sourceColumns": '["a"]', "maskSymbol": "*", "customValue": "[0-9]+", "regex": "true"}, {"a": ["a12b3", None]}, "a", ["a**b*", None]),
    ("MASK_CUSTOM", {"sourceColumns": '["a"]', "maskSymbol": "*", "customValue": "b."}, {"a": ["ab.bc"]}, "a", ["a**bc"]),
    ("MASK_RANGE", {"sourceColumns": '["a"]', "maskSymbol": "#", "start": "-3"}, {"a": ["abcdef", "é"]}, "a", ["abc###", "#"]),
    ("MASK_DELIMITER", {"sourceColumns": '["a"]', "maskSymbol": "#", "startDelimiter": "<", "endDelimiter": ">", "preserveDelimiters": "true"},
     {"a": ["x<ab>y", "x"]}, "a", ["x<##>y", "x"]),
    ("DELETE_DUPLICATE_ROWS", {}, {"a": ["x", "x", None, None]}, "a", ["x", None]),
    ("FLAG_DUPLICATE_ROWS", {"targetColumn": "c"}, {"a": ["x", "x"]}, "c", ["False", "True"]),
    ("SORT", {"expressions": '[{"sourceColumn":"a","ordering":"DESCENDING","nullsOrdering":"NULLS_TOP"}]'}, {"a": ["x", None, "y"]}, "a", [None, "y", "x"]),
    ("GROUP_BY", {"sourceColumns": '["a"]', "groupByAggFunctionOptions":
     '[{"sourceColumnName":"n","targetColumnName":"s","functionName":"sum"}]', "useNewDataFrame": "true"},
     {"a": ["x", "y", "x"], "n": [1, 2, 3]}, "s", [4, 2]),
    ("FORMAT_PHONE_NUMBER", {"sourceColumn": "a", "defaultRegionColumn": "b"},
     {"a": ["020 7946 0958", "408-341-5669", "408-341-5669"], "b": ["GB", "US", None]}, "a", ["+442079460958", "+14083415669", "408-341-5669"]),
]  # fmt: skip


@pytest.mark.parametrize("case", MANY, ids=lambda c: f"{c[0]}-{'-'.join(c[1].values())[:30]}")
def test_action_of_several_columns(
    case: tuple[str, dict[str, str], dict[str, list[Any]], str, list[Any]],
) -> None:
    operation, parameters, columns, column, expected = case
    assert after(columns, step(operation, **parameters), tolerant=True, whole_table=True)[column] == expected


def test_every_action_that_is_carried_out_has_a_case() -> None:
    elsewhere = {v.get("operation") for v in VECTORS + OUR_VECTORS + PAGE_VECTORS} | {
        "REMOVE_VALUES",
        "CRYPTOGRAPHIC_HASH",
    }
    covered = {c[0] for c in CASES} | {c[0] for c in MANY} | elsewhere
    assert {name for name, entry in ACTIONS.items() if not entry.refused} <= covered


def test_every_refused_action_says_why() -> None:
    assert all(a.reason for a in ACTIONS.values() if a.refused)


def test_every_tolerant_action_says_what_it_does() -> None:
    assert all(a.note or a.reason for a in ACTIONS.values() if a.tier.value == "tolerant")


def test_new_order_of_columns() -> None:
    columns = {"a": [1], "b": [2], "c": [3]}
    assert list(after(columns, step("MOVE_TO_END", sourceColumn="a"))) == ["b", "c", "a"]
    assert list(after(columns, step("MOVE_TO_START", sourceColumn="c"))) == ["c", "a", "b"]
    assert list(after(columns, step("MOVE_AFTER", sourceColumn="a", targetColumn="b"))) == ["b", "a", "c"]
    assert list(after(columns, step("MOVE_BEFORE", sourceColumn="c", targetColumn="b"))) == ["a", "c", "b"]
    assert list(after(columns, step("MOVE_TO_INDEX", sourceColumn="a", targetIndex="1"))) == ["b", "a", "c"]
    assert list(after(columns, step("RENAME", sourceColumn="b", targetColumn="z"))) == ["a", "z", "c"]
    assert list(after(columns, step("DELETE", sourceColumns='["a","c"]'))) == ["b"]


def test_masked_samples_of_the_service_are_reproduced() -> None:
    assert cases.masked("MASK_RANGE", "mhall@domain.com") == "#####@domain.com"
    assert cases.masked("MASK_DATE", "1969-10-02") == "####/##/02"
