"""What errors and notes offer, and what comes of it: the table that `test_mends` obeys."""

import json
from typing import NamedTuple

PAIR = "k,a,b\nx,4,3\ny,6,7\n"
FOUR = "a,b,c,d\n5,4,3,8\n1,6,7,2\n"
GROUPS = "g,k,p\nA,x,4\nA,y,6\nB,x,3\nB,y,7\nC,x,3\nC,y,1\n"
ALTERNATIVES = '[{"token": "a", "logprob": -0.7}, {"token": "b", "logprob": -0.7}]'
_TOKEN = f'{{"token": "a", "logprob": -0.7, "top_logprobs": {ALTERNATIVES}}}'
TOKENS = f"[{_TOKEN}, {_TOKEN}]"
"""Two positions of a language model's answer, each of two tokens that are as likely."""

KL = 0.02258242108435736
"""KL of 4, 6 to 3, 7."""
ONE_NINE = 0.3250829733914482
"""The entropy of 1 and 9."""


class Mend(NamedTuple):
    """command: what is refused, or noted. says: what is said of it. mended: the command as it says.

    found: what that prints with -q. files: what is there. given: standard input.
    """

    command: str
    says: str
    mended: str
    found: tuple[float, ...]
    files: dict[str, str | bytes] = {}  # noqa: RUF012 - nobody changes it
    given: str = ""


JSON_IN_JSON = '{"took": 3, "found": {"by": [{"key": "x", "n": 4, "m": 3}, {"key": "y", "n": 6, "m": 7}]}}'
_OF_TEXTS = [{"x": 4, "y": 6}, {"y": 7, "x": 3}]
CLASSES = json.dumps([[{"label": of, "score": score} for of, score in text.items()] for text in _OF_TEXTS])
"""What a classifier answers for two texts."""

MENDS = [
    Mend(
        "entropy t.csv --rows",
        "column 'y' counts as weights, and without it each row sums to 1 or 100; --select a,b",
        "kl t.csv --rows --select a,b",
        (KL,),
        {"t.csv": "y,a,b\n1,0.4,0.6\n1,0.3,0.7\n"},
    ),
    Mend(
        "entropy --tally --bins 2 - -g perplexity",
        "--decimal , reads it",
        "entropy --tally --bins 2 - -g perplexity --decimal ,",
        (1.8898815748423097,),
        {},
        "1,5\n2,5\n3,5\n",
    ),
    Mend(
        "fit t.csv --family poisson",
        "t.csv:value reads it, with --weights t.csv:n each number as often as that says",
        "fit t.csv:value --weights t.csv:n --family poisson -g parameters.rate",
        (11 / 6,),
        {"t.csv": "value,n\n1,4\n2,6\n3,2\n"},
    ),
    Mend("kl t.csv", "add --skip 1", "kl t.csv --skip 1", (KL,), {"t.csv": "sep=,\n" + PAIR}),
    Mend(
        "kl t.csv",
        "add --skip 1 --delimiter ';'",
        "kl t.csv --skip 1 --delimiter ';'",
        (KL,),
        {"t.csv": "sep=;\n" + PAIR.replace(",", ";")},
    ),
    Mend(
        "kl t.tsv",
        "add --skip 1",
        "kl t.tsv --skip 1",
        (KL,),
        {"t.tsv": "# made by x\n#OTU ID\ta\tb\nx\t4\t3\ny\t6\t7\n"},
    ),
    Mend(
        "kl t.csv",
        "if these are units add --skip 2 --no-header",
        "kl t.csv --skip 2 --no-header",
        (KL,),
        {"t.csv": "k,a,b\n,(EUR),(EUR)\nx,4,3\ny,6,7\n"},
    ),
    Mend(
        "kl t.csv",
        "write plain numbers in full, without '$' and 'M'",
        "kl u.csv",
        (KL,),
        {"t.csv": "k,a,b\nx,$4M,$3M\ny,$6M,$7M\n", "u.csv": PAIR},
    ),
    Mend(
        "kl t.txt",
        "add --input-format csv --delimiter space",
        "kl t.txt --input-format csv --delimiter space",
        (KL,),
        {"t.txt": "   k  a  b\n0  x  4  3\n1  y  6  7\n"},
    ),
    Mend(
        "kl t.csv",
        "add --delimiter space",
        "kl t.csv --delimiter space",
        (KL,),
        {"t.csv": '"a" "b"\n"x" 4 3\n"y" 6 7\n'},
    ),
    Mend(
        "entropy - -g perplexity",
        "more than one number, as all lines have; for a table add --input-format csv --delimiter space --no-header",
        "entropy - -g perplexity --input-format csv --delimiter space --no-header --select 1",
        (1.9601317042077895,),
        {},
        "   4   10  100 a.txt\n   6   20  200 b.txt\n",
    ),
    Mend(
        "entropy - -g perplexity",
        "'/a b': if it counts what is inside too, as du does, add --drop '/a b'",
        "entropy - -g perplexity --drop '/a b'",
        (1.9601317042077895,),
        {},
        "4\t/a b/c\n6\t/a b/d\n10\t/a b\n",
    ),
    Mend(
        "entropy t.json",
        "point at what is meant, as t.json#/found/by",
        "kl t.json#/found/by",
        (KL,),
        {"t.json": JSON_IN_JSON},
    ),
    Mend("entropy t.json", "add --rows to take each by itself", "kl t.json --rows", (KL,), {"t.json": CLASSES}),
    Mend(
        "kl -",
        "for a JSON value a line add --input-format ndjson",
        "kl - --input-format ndjson --rows",
        (KL,),
        {},
        '{"a":4,"b":6}\n{"a":3,"b":7}\n',
    ),
    Mend(
        "entropy t.csv -g entropy",
        "add --skip 1",
        "entropy t.csv --skip 1 -g entropy",
        (ONE_NINE,),
        {"t.csv": "Visits in May,\nkind,n\na,1\nb,9\n"},
    ),
    Mend("kl 4,6 3,7 --strict", "drop --strict to divide by the sum", "kl 4,6 3,7", (KL,)),
    Mend(
        "entropy t.txt -g entropy",
        "add --encoding latin-1",
        "entropy t.txt --encoding latin-1 -g entropy",
        (ONE_NINE,),
        {"t.txt": b"a\xe4 1\nb 9\n"},
    ),
    Mend("kl '4,0;6,0' '3;7'", "for a decimal comma add --decimal ,", "kl '4,0;6,0' '3;7' --decimal ,", (KL,)),
    Mend(
        "kl 'a=4,0;b=6,0' 'a=3;b=7'", "decimal comma add --decimal ,", "kl 'a=4,0;b=6,0' 'a=3;b=7' --decimal ,", (KL,)
    ),
    Mend("kl t.csv", "choose: t.csv:b t.csv:c", "kl t.csv:b t.csv:c", (KL,), {"t.csv": FOUR}),
    Mend(
        'kl \'{"a":{"x":4,"y":6},"b":{"x":3,"y":7},"c":{"x":1,"y":1}}\'',
        "--drop c leaves out the others",
        'kl \'{"a":{"x":4,"y":6},"b":{"x":3,"y":7},"c":{"x":1,"y":1}}\' --drop c',
        (KL,),
    ),
    Mend("kl t.csv --by g", "choose: t.csv:A t.csv:B", "kl t.csv:A t.csv:B --by g", (KL,), {"t.csv": GROUPS}),
    Mend("kl t.csv --rows --by g", "give one", "kl t.csv:A t.csv:B --by g", (KL,), {"t.csv": GROUPS}),
    Mend(
        "entropy t.csv --by g --tally --rows",
        "give one",
        "entropy t.csv:A --by g -g entropy",
        (0.6730116670092565,),
        {"t.csv": GROUPS},
    ),
    Mend(
        "matrix t.csv:a -m kl_pq --pairs -f csv",
        "for some of its columns add --select a",
        "matrix t.csv --select a -m kl_pq --pairs -g kl_pq",
        (0.0, 0.0),
        {"t.csv": PAIR},
    ),
    Mend("kl t.csv#/a t.csv:b", "name a column as FILE:COLUMN", "kl t.csv:a t.csv:b", (KL,), {"t.csv": PAIR}),
    Mend("kl t.dat", "add --input-format", "kl t.dat --input-format csv", (KL,), {"t.dat": PAIR}),
    Mend(
        "kl t.csv --blank skip --label nn",
        "no column 'nn'; it has k, a, b",
        "kl t.csv --blank skip --label k",
        (KL,),
        {"t.csv": PAIR},
    ),
    Mend(
        "entropy 3,3,4 --tally --bins x",
        "as 10, or their edges, as 0,1,2",
        "entropy 3,3,4 --tally --bins 3,3.5 -g perplexity",
        (1.8898815748423097,),
    ),
    Mend(
        "entropy 3,3,3 --tally --bins 2",
        "leave out --bins and add --tally to count equal ones",
        "entropy 3,3,3 --tally -g perplexity",
        (1.0,),
    ),
    Mend(
        "batch t.csv --p a,b --q c,d --blank skip --smooth add=1 -m kl_pq",
        "--blank zero keeps them",
        "batch t.csv --p a,b --q c,d --blank zero --smooth add=1 -m kl_pq --summary -g max:kl_pq",
        (0.5516147288477783,),
        {"t.csv": FOUR},
    ),
    Mend(
        "batch t.csv --tally --p k -m entropy_p",
        "add --by COLUMN",
        "batch t.csv --tally --p k -m entropy_p --by g --summary -g max:entropy_p",
        (0.6931471805599453,),
        {"t.csv": GROUPS},
    ),
    Mend(
        "batch t.csv --by g --label g2 --p p --reference x=3,y=7 -m kl_pq",
        "no column 'g2'",
        "batch t.csv --by g --label k --p p --reference x=3,y=7 -m kl_pq --summary -g min:kl_pq",
        (0.0,),
        {"t.csv": GROUPS},
    ),
    Mend(
        "batch t.csv --p a -m entropy_p --with u.csv",
        "add --on",
        "batch t.csv --p a,b --q a,b --with u.csv --on k -m kl_pq --summary -g max:kl_pq",
        (0.0,),
        {"t.csv": PAIR, "u.csv": PAIR},
    ),
    Mend(
        "batch t.csv --p a --q b -m kl_pq -g max:kl_pq",
        "add --summary",
        "batch t.csv --p a --q b -m kl_pq --summary -g max:kl_pq",
        (0.0,),
        {"t.csv": PAIR},
    ),
    Mend(
        "kl t.csv.txt",
        "--input-format csv --no-header",
        "kl t.csv.txt --input-format csv --no-header",
        (KL,),
        {"t.csv.txt": "4,3\n6,7\n"},
    ),
    Mend(
        "kl t.json",
        "add --input-format ndjson",
        "kl t.json --input-format ndjson --rows",
        (KL,),
        {"t.json": '{"a":4,"b":6}\n{"a":3,"b":7}\n'},
    ),
    Mend(
        "kl t.csv",
        "this is JSON; add --input-format ndjson, or json",
        "kl t.csv --input-format json",
        (KL,),
        {"t.csv": '[{"k":"x","a":4,"b":3},\n{"k":"y","a":6,"b":7}]\n'},
    ),
    Mend(
        "kl t.csv -q",
        "column 'n' (whole numbers, all different) is taken as labels; --label none",
        "kl t.csv --label none --select n,a",
        (0.0,),
        {"t.csv": "n,a\n1,1\n2,2\n3,3\n"},
    ),
    Mend("kl 1e-400,1 1,1", "take logarithms, and add --as logprobs", "kl --as logprobs -1000,0 -1000,0", (0.0,)),
    Mend("compare 4,6 3,7 --drop x", "none here has a name", "compare 4,6 3,7 -g kl_pq", (KL,)),
    Mend(
        "kl t.txt uniform --tally --bins 0,2",
        "no value to count",
        "kl t.txt uniform --tally --bins 0,2 --blank skip",
        (0.0,),
        {"t.txt": "[-1,1,null,3]"},
    ),
    Mend(
        "matrix -",
        "one distribution, and a pair needs two; give another beside it",
        "matrix - 3,7 -m kl_pq --pairs -g kl_pq",
        (0.02160085414354654, KL),
        {},
        "4 6\n",
    ),
    Mend(
        "entropy t.json",
        "add --rows to take each by itself",
        "entropy t.json --rows -g entropy",
        (0.6931471805599453,) * 2,
        {"t.json": TOKENS},
    ),
    Mend(
        "kl t.csv -q --label none",
        "the others with --select",
        "kl t.csv --select a,b",
        (KL,),
        {"t.csv": "z,a,b\n4,4,3\nx,6,7\n"},
    ),
    Mend(
        "entropy t.csv --by g",
        "add --select q",
        "entropy t.csv --by g --select q -g entropy",
        (0.6730116670092565,),
        {"t.csv": "g,k,p,q\nA,x,1,4\nA,y,2,6\n"},
    ),
    Mend(
        "kl t.csv",
        "--repeats sum adds them up",
        "kl t.csv --repeats sum",
        (KL,),
        {"t.csv": "k,a,b\nx,1,1\nx,3,2\ny,6,7\n"},
    ),
    Mend(
        "batch t.csv --by g --label k --p p --q q -m kl_pq",
        "--repeats sum adds them up",
        "batch t.csv --by g --label k --p p --q q -m kl_pq --repeats sum --summary -g max:kl_pq",
        (KL,),
        {"t.csv": "g,k,p,q\n1,x,1,1\n1,x,3,2\n1,y,6,7\n"},
    ),
    Mend(
        "kl t.csv",
        "--drop Total leaves it out, --keep-totals keeps it",
        "kl t.csv --drop Total",
        (KL,),
        {"t.csv": PAIR + "Total,10,10\n"},
    ),
    Mend("kl t.csv", "--keep-totals keeps it", "kl t.csv --keep-totals", (KL / 2,), {"t.csv": PAIR + "Total,10,10\n"}),
    Mend(
        "compare t.csv",
        "if it is a total add --drop z",
        "compare t.csv --drop z -g kl_pq",
        (KL / 2,),
        {"t.csv": PAIR + "v,5,5\nw,5,5\nz,20,20\n"},
    ),
    Mend(
        "compare t.csv",
        "line 1 is taken as names: 2019, 2020; --no-header",
        "kl t.csv --no-header",
        (6.011509778075298e-10,),
        {"t.csv": "k,2019,2020\nx,4,4\ny,6,6\n"},
    ),
]
