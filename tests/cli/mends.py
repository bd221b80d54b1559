"""What errors and notes offer, and what comes of it: the table that `test_mends` obeys."""

import json
from typing import NamedTuple

PAIR = "k,a,b\nx,4,3\ny,6,7\n"
FOUR = "a,b,c,d\n5,4,3,8\n1,6,7,2\n"
GROUPS = "g,k,p\nA,x,4\nA,y,6\nB,x,3\nB,y,7\nC,x,3\nC,y,1\n"
KL = 0.02258242108435736
"""KL of 4, 6 to 3, 7."""
LK = 0.02160085414354654
"""KL of 3, 7 to 4, 6."""
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
    Mend(
        "entropy t.txt -g entropy",
        "add --encoding latin-1",
        "entropy t.txt --encoding latin-1 -g entropy",
        (ONE_NINE,),
        {"t.txt": b"a\xe4 1\nb 9\n"},
    ),
    Mend("kl t.csv", "choose: t.csv:b t.csv:c", "kl t.csv:b t.csv:c", (KL,), {"t.csv": FOUR}),
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


FILES: dict[str, str | bytes] = {
    "pair.csv": PAIR,
    "four.csv": "a,b,c,d\n5,4,3,8\n1,6,7,2\n",
    "two.csv": "g,k,n\nA,x,4\nA,y,6\nB,x,3\nB,y,7\n",
    "pairs.csv": "g,k,a,b\nA,x,4,3\nA,y,6,7\n",
    "p.csv": "size,n\n30,4\n10,6\n",
    "q.csv": "size,n\n10,7\n30,3\n",
    "one.csv": "k,n\nx,4\ny,6\n",
    "other.csv": "k,n\nx,3\ny,7\n",
    "semi.csv": PAIR.replace(",", ";"),
    "quoted.csv": 'k,a,b\nx,"4,000",3\ny,"6,000",7\n',
    "hash.csv": PAIR + "# the end\n",
    "bare.csv": "4,3\n6,7\n",
    "line.csv": "4,3\n",
    "numbered.csv": "k,1,7\nx,4,3\ny,6,7\n",
    "wide.csv": "k,z,a,b\nx,u,4,3\n",
    "twice.csv": "k,a,a\nx,4,3\ny,6,7\n",
    "scored.csv": "k,a,b,kl_pq\nx,4,3,1\ny,6,7,2\n",
    "zero.csv": "k,a,b\nx,1,0\ny,1,1\n",
    "grouped.txt": "4,000\n6,000\n",
    "comma.txt": "4,003\n6,007\n",
    "utf16.csv": PAIR.encode("utf-16"),
    "utf16le.csv": PAIR.encode("utf-16-le"),
    "odd.csv": b"k,a,b\nx,4,3\ny,6,7",
    "lists.ndjson": '{"id": "a", "p": [4, 6], "q": [3, 7]}\n{"id": "b", "p": [3, 7], "q": [3, 7]}\n',
    "cells.json": '{"(0, 2]": 1, "(2, inf)": 1}',
    "raw.csv": "g,v\nA,1\nA,2\nA,3\nA,4\n",
    "le.csv": "le,a,b\n1,4,3\n2,10,10\n+Inf,10,10\n",
    "decimal.txt": "a 1,5\nb 3,0\n",
    "grouped2.txt": "x 4,000\ny 6,000\n",
    "chapters.txt": "Chapter 1,4\nChapter 2,6\n",
    "probs.ndjson": '{"id": "a", "of": {"x": 4, "y": 6}}\n{"id": "b", "of": {"x": 3, "y": 7}}\n',
    "columns.json": '{"k": [2, 3, 9], "a": [4, 6, 1], "b": [3, 7, 2]}',
    "words.txt": "red\nblue\nred\nblue\n",
    "words.tsv.txt": "w\tk\nred\ta\nblue\tb\n",
    "class.csv": "g,class,n\nA,1,4\nA,2,6\nB,1,3\nB,2,7\n",
    "inch.csv": 'k,a,b\nx 5" x,4,3\n"y" z,6,7\n',
    "open.csv": 'k,a,b\n"x,4,3\ny,6,7\n',
    "field.csv": "k,a,b\nx,4,3\ny, z,6,7\n",
    "right.csv": 'k,a,b\nx,4,3\n"y, z",6,7\n',
    "keys.csv": "id,g,a\n1,u,4\n1,v,6\n",
    "partners.csv": "id,g,b\n1,u,3\n1,v,7\n",
    "ids.csv": "k,id,a,b\nx,1,4,3\ny,2,6,7\n",
    "week.csv": "week,a,b\n9,4,3\n2,6,7\n",
    "named.txt": "ms\n3\n4\n4\n",
    "remarks.txt": "# red\nred\nblue\n",
    "more.ndjson": '{"p": [4, 6], "q": [3, 7]}\n{"p": [4, 6], "q": [3, 7], "z": 1}\n',
    "points.csv": "x,w\n0,4\n1,6\n",
}
"""What the commands of `SHORT` read."""

SHORT = """
matrix zero.csv -m kl_pq => --smooth METHOD gives mass everywhere \
=> matrix zero.csv -m kl_pq --smooth add=1 --pairs -g kl_pq => 0.056633012265132496 0.05889151782819173
kl -1,2 -2,1 => for scores or logits add --as logits => kl -1,2 -2,1 --as logits => 0.0
kl 4,6 3,7 --as probs => for counts drop --as probs => kl 4,6 3,7 => KL
kl 6,4 7,3 --as cumulative => if these are none drop --as cumulative => kl 6,4 7,3 => KL
kl 800,0 800,0 --as logprobs --no-normalize => drop --no-normalize => kl 800,0 800,0 --as logprobs => 0.0
kl p.csv:n q.csv:n => --label size joins P and Q by it => kl p.csv:n q.csv:n --label size => KL
kl p.csv:n q.csv:n => --label none by position => kl p.csv:n q.csv:n --label none => 0.19204199316179807
kl x=4,y=6 x=3,y=7,z=0 --align strict => --align outer gives weight 0 => kl x=4,y=6 x=3,y=7,z=0 --align outer => KL
kl x=0,y=6 x=3,z=7 --align inner => try --align outer => kl x=0,y=6 x=3,z=7 --align outer => inf
kl uniform uniform => write one of them out, as 1/3,1/3,1/3 => kl uniform 1/3,1/3,1/3 => 0.0
entropy uniform => write it, as 1/3,1/3,1/3 => entropy 1/3,1/3,1/3 -g perplexity => 2.9999999999999996
batch pair.csv --p a --q b -o pair.csv => choose another file \
=> batch pair.csv --p a --q b -m kl_pq -o o.csv --summary -g max:kl_pq => 0.0
batch scored.csv --p a --q b -m kl_pq => keep the others: --keep k \
=> batch scored.csv --p a --q b -m kl_pq --keep k --summary -g max:kl_pq => 0.0
batch pair.csv --p a --q b --reference 1 => give --q or --p, not both \
=> batch pair.csv --p a --reference 1 -m kl_pq --summary -g max:kl_pq => 0.0
batch pair.csv --p a,b --q b,a --rows => Add --reference FILE:ROW \
=> batch pair.csv --p a,b --rows --reference pair.csv:x -m kl_pq --summary -g min:kl_pq => 0.0
batch pair.csv --p a,b --previous --reference 1,1 => leave out one \
=> batch pair.csv --p a,b --reference 4,3 -m kl_pq --summary -g min:kl_pq => 0.0
batch raw.csv --by g --tally --p v --reference cells.json --bins 2 => give edges, as --bins 0,1,2 \
=> batch raw.csv --by g --tally --p v --reference cells.json --bins 0,2 -m kl_pq --summary -g max:kl_pq => 0.0
fit --to 'gamma(2,1)' => --to needs --family, such as --family normal \
=> fit --to 'gamma(2,1)' --family normal -g kl_pq => 0.18829645858310806
kl 'normal(0,1)' => P is a formula; give another after it => kl 'normal(0,1)' 'normal(1,1)' => 0.5
rank 'normal(0,1)' => give at least one candidate after it => rank 'normal(0,1)' 'normal(1,1)' -g kl_pq => 0.5
matrix two.csv --by g --columns => rows alike in a column, or a column; give one \
=> matrix two.csv --by g -m kl_pq --pairs -g kl_pq => LK KL
kl 4,6 3,7 --smooth laplace=2 => takes no value; add=ALPHA does => kl 4,6 3,7 --smooth add=2 => 0.010833218250904292
kl semi.csv --delimiter ab => it is one character, such as ';' => kl semi.csv --delimiter ';' => KL
kl '4.000,0;6.000,0' '3;7' --thousands . => give both: --thousands . --decimal , \
=> kl '4.000,0;6.000,0' '3;7' --thousands . --decimal , => KL
kl quoted.csv --thousands ab => it is one mark, such as ',' => kl quoted.csv --thousands , => KL
kl quoted.csv => --thousands , reads it => kl quoted.csv --thousands , => KL
kl hash.csv --comment ab => it is one character, such as '#' => kl hash.csv --comment '#' => KL
kl hash.csv => if it is a comment add --comment '#' => kl hash.csv --comment '#' => KL
kl 4,6 3,7 --unit bits --base 2 => give one => kl 4,6 3,7 --base 2 => 0.03257954690966873
kl 4,6 3,7 --temperature 2 => add --as logits => kl 0,0 0,0 --temperature 2 --as logits => 0.0
kl 0,0 0,0 --softmax --as probs => does not go with --as probs => kl 0,0 0,0 --softmax => 0.0
kl pair.csv --encoding klingon => it is utf-8, latin-1, utf-16 => kl pair.csv --encoding utf-8 => KL
kl 4,6 3,7 --fail-above kl_pq => write FIELD=VALUE, as kl_pq=0.1 => kl 4,6 3,7 --fail-above kl_pq=0.1 => KL
kl nothing 3,7 => write numbers like 0.4,0.6 => kl 0.4,0.6 3,7 => KL
kl 4,6 => give another after it => kl 4,6 3,7 => KL
kl uniform => give that after it => kl uniform 1,1 => 0.0
kl 4=4,3=6 4=3,3=7 --tally => leave out --tally => kl 4=4,3=6 4=3,3=7 => KL
kl one.csv => give Q after it => kl one.csv x=3,y=7 => KL
entropy grouped.txt => --thousands , reads it => entropy grouped.txt --thousands , -g perplexity => 1.9601317042077895
kl comma.txt => --input-format csv --no-header a table => kl comma.txt --input-format csv --no-header => KL
kl 'a=4 b=6' a=3,b=7 => put commas between them => kl 'a=4,b=6' a=3,b=7 => KL
kl odd.csv --encoding utf-16 => name another by --encoding => kl odd.csv --encoding latin-1 => KL
matrix pair.csv pair.csv => give each source once \
=> matrix pair.csv -m kl_pq --pairs -g kl_pq => 0.02421720646418509 0.02433584323680823
entropy 1,2,3,4 --tally --bins 3,1 => edges are finite and rise, as 0,1,2 \
=> entropy 1,2,3,4 --tally --bins 2,9 -g perplexity => 2.0
entropy 1,2,3,4 --tally --bins 0 => it is from 1 to 1,000,000 cells, or edges such as 0,1,2 \
=> entropy 1,2,3,4 --tally --bins 2 -g perplexity => 2.0
entropy 1,1.0000000000000002 --tally --bins 9 => ask for fewer \
=> entropy 1,1.0000000000000002 --tally --bins 1 -g perplexity => 1.0
kl '[(4, 6), (1, 1)]' 3,7 => write {4: 6, ...} => kl '{4: 4, 1: 6}' '{4: 3, 1: 7}' => KL
kl '[(4, 6), (1, 1)]' 3,7 => or [[4, 6], ...] => kl '[[4, 6]]' '[[3, 7]]' => KL
kl '{4, 6}' 3,7 => write a list, as [0.4, 0.6] => kl '[4, 6]' 3,7 => KL
entropy two.csv --rows --tally => leave out --rows, or give --by COLUMN \
=> entropy two.csv:k --tally -g perplexity => 2.0
entropy '[1, 2]' --by g => --by needs a table, or a list of records => kl two.csv --by g => KL
entropy lists.ndjson --rows => add --select => kl lists.ndjson --rows --select p => KL
matrix one.csv other.csv -m kl_pq => with --columns rows are the outcomes \
=> matrix one.csv other.csv -m kl_pq --columns --pairs -g kl_pq => LK KL
kl utf16.csv => add --encoding utf-16, or => kl utf16.csv --encoding utf-16 => KL
kl utf16le.csv => add --encoding utf-16-le, or => kl utf16le.csv --encoding utf-16-le => KL
entropy line.csv => unless --no-header is given => entropy line.csv --no-header -g perplexity => 1.0 1.0
batch wide.csv pair.csv --p a --q b -m kl_pq => choose columns of both with --keep \
=> batch wide.csv pair.csv --p a --q b -m kl_pq --keep k --summary -g max:kl_pq => 0.0
batch pairs.csv --p a --q b -m kl_pq => --by COLUMN makes a pair of several rows \
=> batch pairs.csv --p a --q b -m kl_pq --by g --summary -g max:kl_pq => KL
kl bare.csv => if line 1 is a row add --no-header => kl bare.csv --no-header => KL
kl numbered.csv => if it names the columns add --header => kl numbered.csv --header => KL
batch twice.csv --p a --q a => or choose by position \
=> batch twice.csv --p 2 --q 3 -m kl_pq --keep k --summary -g max:kl_pq => 0.0
batch four.csv --p b:a --q c:d => write the column that stands first in front \
=> batch four.csv --p a:b --q a:b -m kl_pq --summary -g max:kl_pq => 0.0
kl grouped.txt '3;7' => --thousands , reads it => kl grouped.txt '3;7' --thousands , => KL
kl pair.csv:zz pair.csv:b => it has k, a, b => kl pair.csv:a pair.csv:b => KL
kl twice.csv => rename one of the columns => kl pair.csv => KL
compare le.csv => add --as cumulative => kl le.csv --as cumulative => KL
fit pair.csv => choose one, as in pair.csv:b => fit pair.csv:b --family poisson -g parameters.rate => 5.0
kl 'normal(0,1)' 'normal(1,1)' --seed 1 => add --samples N \
=> kl 'normal(0,1)' 'normal(1,1)' --seed 1 --samples 100 => 0.5
entropy 'normal(0,sd=1,var=1)' => give one => entropy 'normal(0,var=1)' -g entropy => 1.4189385332046727
kl '' 3,7 => write numbers like 0.4,0.6 => kl 0.4,0.6 3,7 => KL
entropy '[[1,2],3]' => give all or none in brackets => entropy '[1,1,1,1]' -g perplexity => 4.0
kl 40%,60 3,7 => write % in all of them or in none => kl 40%,60% 3,7 => KL
entropy --tally named.txt => --no-header counts it too \
=> entropy --tally named.txt --no-header -g perplexity => 2.82842712474619
entropy --tally remarks.txt => --comment '#' leaves them out \
=> entropy --tally remarks.txt --comment '#' -g perplexity => 2.0
entropy decimal.txt => for a number add --decimal , \
=> entropy decimal.txt --decimal , -g perplexity => 1.8898815748423097
kl grouped2.txt 1,1 => for a number add --thousands , => kl grouped2.txt 'x=3;y=7' --thousands , => KL
entropy chapters.txt => for fields --input-format csv --no-header \
=> entropy chapters.txt --input-format csv --no-header -g perplexity => 1.9601317042077895
entropy probs.ndjson => add --rows to take each by itself => kl probs.ndjson --rows => KL
kl columns.json => choose: columns.json#/a columns.json#/b => kl columns.json#/a columns.json#/b => 0.044527470651777826
entropy words.txt => --tally counts equal lines => entropy words.txt --tally -g perplexity => 2.0
entropy words.tsv.txt => for raw values add --tally --input-format tsv \
=> entropy words.tsv.txt --tally --input-format tsv -g perplexity => 2.0 2.0
kl class.csv --by g => add --select n => kl class.csv --by g --select n => KL
kl class.csv --by g => or --label class if 'class' holds labels => kl class.csv --by g --label class => KL
kl inch.csv => if quotes enclose no fields here add --no-quotes => kl inch.csv --no-quotes => KL
kl open.csv => if quotes enclose no fields here add --no-quotes => kl open.csv --no-quotes => KL
kl field.csv => quote a field that holds ',' => kl right.csv => KL
batch more.ndjson --p p --q q -m kl_pq => choose those to keep with --keep \
=> batch more.ndjson --p p --q q -m kl_pq --keep '' --summary -g max:kl_pq => KL
batch pair.csv --q b => add --p, such as --p a => batch pair.csv --p a --q b -m kl_pq --summary -g max:kl_pq => 0.0
batch keys.csv --with partners.csv --on id --p a --q b => or add a column to --on \
=> batch keys.csv --with partners.csv --on id,g --p a --q b -m kl_pq --summary -g max:kl_pq => 0.0
batch pair.csv --with pair.csv --on a --p a --q b => choose others by --p or --on \
=> batch pair.csv --with pair.csv --on k --p a --q b -m kl_pq --summary -g max:kl_pq => 0.0
kl ids.csv => --select counts it as weights => kl ids.csv --select a,b => KL
kl week.csv:a week.csv:b => if it holds labels add --label week => kl week.csv --label week => KL
kl pair.csv --drop Y => Did you mean 'y'? => kl pair.csv --drop y => 0.0
batch pair.csv --p a --on k => --with FILE \
=> batch pair.csv --p a --q b --on k --with pair.csv -m kl_pq --summary -g max:kl_pq => 0.0
matrix pair.csv -m kl_pq,js_divergence => run matrix once for each \
=> matrix pair.csv -m kl_pq --columns --pairs -g kl_pq => LK KL
fit --to points.csv:x --family poisson => it needs --weights \
=> fit --to points.csv:x --weights points.csv:w --family poisson -g parameters.rate => 0.6
loss cross-entropy '[[1,2],[3,4]]' '[0,5]' => --ignore-index leaves rows out \
=> loss cross-entropy '[[0,0],[3,4]]' '[0,5]' --ignore-index 5 => 0.6931471805599453
loss kl-div '[-0.5,-1]' '[-1,0.5]' => for log-probabilities add --log-target \
=> loss kl-div '[-1,-1]' '[-1,-1]' --log-target => 0.0
"""
"""A mend a line: a command, what is said of it, the command as it says, and what that prints."""


def short_mends() -> list[Mend]:
    """The mends of `SHORT`."""
    known = {"KL": KL, "LK": LK}
    cells = [line.split(" => ") for line in SHORT.strip().splitlines()]
    return [
        Mend(command, says, mended, tuple(known.get(word) or float(word) for word in found.split()), FILES)
        for command, says, mended, found in cells
    ]
