"""Templates and their data, made at random by the grammar of the language, from a seed.

Most of what comes out is valid; some of it has a wrong type, a wrong number of arguments, or a few characters too many or too few, so that
error texts and positions are compared as well. The functions and the types of their parameters come from the oracle.
"""
import json
import re

# Their results are not fixed by their arguments, or reach outside, or take long.
IMPURE = re.compile(
    r"sprig_(gen|buildCustomCert|bcrypt|htpasswd|encryptAES|derivePassword|rand|uuidv4|now|env$|expandenv|getHostByName|date|htmlDate|shuffle|keys|values|ago|hello)|plugin|writeToFile|file$|sockaddr|spew_dump|"
    r"spew_printf|spew_sprintf|spew_sdump")
# Of Consul and Nomad: refused by name, see agent/tpl/README.md.
FOREIGN = re.compile(
    r"(nomad\w*|byKey|byMeta|byPort|byTag|caLeaf|caRoots|connect|datacenters|explode|exportedServices|importedServices|key|keyExists|keyOrDefault|ls|node|nodes|partitions|"
    r"peerings|safeLs|safeTree|service|services|tree)$")

STRINGS = [
    '""', '"a"', '"b"', '"x,y,z"', '"Hello World"', '" sp "', '"10"', '"-3"', '"1.5"', '"0x1F"', '"010"', '"true"', '"%v"', '"é<&>\'"', '"a.b.c"',
    '"a=1;b=2"', '"FOO_bar-baz"', '`raw\n"q"`', '"aGVsbG8="', '"日本"', '"%d|%s"', '"/a/../b.txt"', '"a\\tb\\\\"', '"one two  three"', '"kv1/app"',
    '"line1\\nline2\\n"', '"yes"', '"null"', '"1e3"', '"2024-01-02"', '"http://u:p@h:1/p?q=1#f"', '"$1"', '"\\x00"', '"~"', '"#x"', '"- a"', '"k: v"',
    '"\\xff\\xfe"', '"a\\u2028b"', '"\\U0001F600"', '"\\u00a0\\u00ad"', '"a\\r\\nb"', '" a\\n\\n  b \\n"', '"\\xe6\\x97"', '"ǅ ﬁ ß İ"', '"e\\u0301"', '"\\a\\b\\f\\v\\x7f"',
    '"NaN"', '"+Inf"', '"0o17"', '"1_000"', '"12:30:45"', '"\'\'"', '"a\\\\nb"', '"[x]"', '"{a: b}"', '"a #b"', '"!!str x"', '"@x"', '"%x"', '"`"', '"<no value>"', '"%!"', '`{{.}}`',
    '"aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg hhhhhhhhh iiiiiiiii"', '"==="', '"-----BEGIN X-----"', '"0123456789012345678901234567890"',
]
PATTERNS = [
    '"(a|b)*?b"', '"(?m)^\\\\w+$"', '"(?s).+"', '"(?U)a+"', '"[^a-c]+"', '"\\\\bo"', '"\\\\B"', '"(x)(y)?(z)?"', '"[[:^digit:]]"', '"\\\\x{65E5}"', '"(?P<a>.)(?P<b>.)"', '"a**"', '"[z-a]"', '"(?z)"',
    '"\\\\Qa.b\\\\E"', '"\\\\p{Greek}"', '"\\\\8"', '"x{1001}"', '"(((a{100}){100}){100})"', '"(?:)"', '"|"', '"a|ab|abc"', '"[é日]"', '"\\\\z"', '"(?i)é"', '"\\xff"', '`(\\d+)-(\\d+)`', '`\\.`', '"*"', '"a{,2}"', '"+"', '"(?P<n>a)(?P<n>b)"','"a+"', '"(a)(b)?"', '"[a-z]*"', '"^x|y$"', '"("', '"(?i)HELLO"', '"\\\\d+"', '""', '"."', '"(?P<n>o)"', '"\\\\s"', '"a{2,1}"', '"[[:alpha:]]"', '"x*"', '"\\\\pL"']
REPLACEMENTS = ['"$2$1"', '"$a-$b"', '"\\xff"', '"$"', '"${n}"', '"$01"', '"$10"', '"${1"', '"日"','"<$0>"', '"${1}x"', '"$1x"', '""', '"$n"', '"$$"', '"-"', '"${"']
DOCUMENTS = [
    '"[1e999, -1e999"', '"{\\"a\\":[1e999],\\"b\\":1e998}"', '"1e999 x"',
    '"1E400"', '"1E400x"', '"[1,1E400,2]"', '"{\\"a\\":-1e999}"', '"[1E400,"', '"{\\"a\\":1,\\"a\\":2}"', '"\\"\\\\ud83d\\\\ude00\\""', '"\\"\\\\ud800\\""', '"[-0, 1e-7, 1E+2, 0.1]"', '"01"', '"1."', '"-"', '"\\"\\\\x\\""', '"\\"\\n\\""', '"tru"', '"{\\"a\\" 1}"', '"{a:1}"', '"[1 2]"', '"{\\"a\\":}"', '"\\xff"', '"\\"\\xff\\""',
    '"[[[[[[]]]]]]"', '"\\ufeff{}"', '"9223372036854775808"', '"1e-400"', '"\\"\\\\u00e9\\\\n\\\\/\\""', '"null"', '"[null]"', '"{\\"\\":\\"\\"}"',
    '"{\\"a\\":[1,{\\"b\\":null}],\\"c\\":\\"<x>\\"}"', '"[]"', '"{}"', '"[1,2.5,\\"x\\",true,null]"', '"{"', '"nul"', '"1e400"', '"\\"s\\""', '"12345678901234567890"', '""', '" 1 "',
    '"{\\"a\\":1}x"', '"[1,]"',
]
YAML = [
    '"%YAML 1.2\\n--- a"', '".nan: a"', '"a: &b {c: .nan}\\nd: *b"',
    '"a: [1, 2.5, .inf, -.INF, .nan]"', '"a: 010\\nb: 0o10\\nc: 0b11\\nd: 1_000"', '"- yes\\n- Off\\n- n\\n- NULL\\n- \\"yes\\""', '"a: >\\n  x\\n  y\\n\\n  z\\n"', '"a: |+\\n  t\\n\\nb: |-\\n  u\\n"', '"? a\\n: b"', '"<<: {a: 1}\\nb: 2"',
    '"x: &a {k: 1}\\ny:\\n  <<: *a\\n  z: 2"', '"a: \'it\'\'s\'"', '"a: \\"\\\\x41\\\\u00e9\\\\n\\""', '"--- a\\n--- b"', '"a: b: c"', '"\\ta: 1"', '"a: 1\\na: 2"', '"!!int \\"3\\""', '"!!str 3"', '"!!binary aGk="', '"a: !foo x"', '"*x"', '"&x [*x]"', '"- - 1\\n  - 2\\n- 3"', '"a:\\n- 1\\n- 2"',
    '"a: 2001-12-14t21:59:43.10-05:00"', '"1.0: x\\ntrue: y\\n~: z"', '"a: 1 # c\\n# d"', '"%YAML 1.1\\n---\\na: 1"', '"{a, b: c}"', '"[a, b"', '"\'x"', '"\\"x"', '"a: |\\n x\\n  y"', '"@a"', '"`a"', '"%a"', '"a: 12345678901234567890"', '"a: -9223372036854775809"', '"a: 1e400"', '"a: 0x"', '"é: 日"', '"\\x00"', '"\\xff"',
    '"a: 1:30"', '"a: +1"', '"a: +.5"', '"a: 1."', '"a: ._1"', '"...\\na"', '"# only"', '"a: \\"b\\\\\\n  c\\""', '"=: 1"', '"a: ="','"a: 1\\nb: [x, y]\\n"', '"- 1\\n- b: c\\n"', '"a: yes"', '"x"', '"a: {b: 2024-01-01}"', '"a: &x 1\\nb: *x"', '"a: |\\n  t\\n"', '"["', '"1: 2"', '""', '"a: ~"', '"a: 0x1F"', '"a: 1.50"']
DELIMITERS = [("[[", "]]"), ("<<", ">>"), ("«", "»"), ("é", "é"), ("{", "}"), ("-", "-"), ("/*", "*/"), ("$", ";"), ("hub", "bub"), ("{{-", "-}}"), ("(", ")"), ("{{", "{{"), ("日", "b"), ("%", "%")]
LAYOUTS = ['"2006-01-02"', '"15:04:05"', '"Mon Jan _2 2006"', '"2006-01-02T15:04:05Z07:00"', '"unix"', '"3:04PM"', '"02/01/06"', '""', '"x"', '"Jan 2, 2006 at 3:04pm (MST)"']
VERSIONS = ['"1.2.3"', '"v1.2"', '"1.2.3-alpha.1+b5"', '"x"', '"2"', '""', '"1.2.3-01"', '"1.02.3"', '"1.2.3+"', '"1.2.3.4"', '"9999999999999999999.0.0"']
RANGES = ['">1, <2"', '"~1"', '"^0.2.3"', '"1.2.*"', '">=1.2.3-alpha"', '"*"', '"1.x.x || 2"', '"=>1"', '">= 1.2.3 <2"', '"abc"', '""', '">=1.0.0"', '"^1.2"', '"~1.2.3"', '"1.x"', '"<2 || >3"', '"1.2 - 1.4"', '"="', '"!=1.2.3"']
URLS = ['"http://u:p@host:8080/a/b?x=1#f"', '"/a"', '"mailto:x"', '"%zz"', '"//h"', '""']
CONVERTIBLE = ['"1"', '"a"', '1', '1.5', 'true', 'nil', '"0x10"', '"08"', '-7', '.n', '.s', '.l', '"1e3"', '" 2"', '3']

DURATIONS = ['"95s"', '"1h2m3.5s"', '"-1.5h"', '"x"', '""', '"3"', '95', '1.5', '86400', '"1d"', '"100ms"', '9999999999', '"2562047h"', '.n', 'nil']
MOMENTS = ['(sprig_toDate "2006-01-02" "2024-02-29")', '(sprig_toDate "2006-01-02T15:04:05Z07:00" "1999-12-31T23:59:59.5+05:30")', '(sprig_toDate "x" "y")', '(secret "wrapped").WrapInfo.CreationTime']
OBJECTS = ['(sprig_semver "1.2")', '(sprig_semver "v1.2.0")', '(secret "kv1/app")', '(secret "tok").Auth', '(secret "wrapped").WrapInfo', '(pkiCert "pki")', '(sprig_chunk 2 .l)', '(sprig_urlParse "http://a/b")']
ANY_KEYS = '(parseYAML "1: a\\nb: c\\n1.5: d\\ntrue: y")'
LIST_OF_OBJECTS = '(sprig_list (sprig_semver "1.2") 1)'
OF_MOMENTS = ["Year", "Month", "Day", "Weekday", "Hour", "Minute", "Second", "Nanosecond", "YearDay", "Unix", "UnixNano", "UnixMilli", "String", "UTC", "IsZero", 'Format "Jan _2 06 3:04PM -0700 MST .000"', "Format .s",
              "AddDate 0 1 2", "Format", "Nope", "Add 90000000000", "Add .n", "Sub .x", 'Sub (sprig_toDate "2006" "2020")', "Truncate 3600000000000", "Round 60000000000", "IsDST", "GoString", "Location",
              "Location.String", "MarshalText", "MarshalJSON", "Date", "Clock 1", "ISOWeek", "Zone", "Local", "Local.Location", "Month.String", "Weekday.Nope", '(Sub (sprig_toDate "2006" "2020"))']
# Go's named integers, which print as text.
NAMED = ['(sprig_toDate "2006-01-02" "2024-02-29").Month', '(sprig_toDate "2006-01-02" "2024-03-03").Weekday', '((sprig_toDate "2006-01-02" "2024-02-29").Sub (sprig_toDate "2006" "2020"))']
OF_NAMED = ["String", "Hours", "Minutes", "Seconds", "Milliseconds", "Nanoseconds", "Abs", "Round 3600000000000", "Truncate 60000000000", "Nope", "String 1"]
OF_VERSIONS = ["Major", "Minor", "Patch", "Prerelease", "Metadata", "Original", "String", "IncMajor", "IncMinor", "IncPatch", 'Compare (sprig_semver "1.2.4")', 'LessThan (sprig_semver "2")', 'Equal (sprig_semver "1.2.3")', "Nope"]

# Parameters that deserve more than their type says.
PARAMETERS = {
    "regexMatch": [PATTERNS, STRINGS], "regexReplaceAll": [PATTERNS, REPLACEMENTS, STRINGS],
    "parseJSON": [DOCUMENTS], "parseYAML": [YAML], "timestamp": [LAYOUTS],
    "parseInt": [CONVERTIBLE], "parseUint": [CONVERTIBLE], "parseFloat": [CONVERTIBLE], "parseBool": [CONVERTIBLE],
    "sprig_fromJson": [DOCUMENTS], "sprig_mustFromJson": [DOCUMENTS], "sprig_semver": [VERSIONS], "sprig_semverCompare": [RANGES, VERSIONS],
    "sprig_duration": [DURATIONS], "sprig_durationRound": [DURATIONS], "sprig_unixEpoch": [MOMENTS], "sprig_mustDateModify": [DURATIONS, MOMENTS], "sprig_must_date_modify": [DURATIONS, MOMENTS],
    "sprig_urlParse": [URLS], "sprig_toDate": [LAYOUTS, ['"2024-02-29"', '"x"', '"12:30:45"']], "sprig_mustToDate": [LAYOUTS, ['"2024-02-29"', '"x"']],
    "sprig_regexQuoteMeta": [PATTERNS], "sprig_typeIs": [['"string"', '"int"', '"float64"'], None], "sprig_kindIs": [['"string"', '"map"', '"slice"'], None],
    "sprig_set": [None, STRINGS, STRINGS],  # a map that holds itself would end the oracle
    "spew_sprintf": [['"%v"', '"%+v"', '"%#v"', '"%s"', '"x"'], None],
}
for _name in ("Match", "Find", "Split", "FindAll", "ReplaceAll", "ReplaceAllLiteral"):
    PARAMETERS[f"sprig_regex{_name}"] = PARAMETERS[f"sprig_mustRegex{_name}"] = [PATTERNS, STRINGS, REPLACEMENTS if "Replace" in _name else None]

BUILTINS = {
    "and": "func(interface {}, ...interface {}) v", "or": "func(interface {}, ...interface {}) v", "not": "func(interface {}) bool",
    "eq": "func(interface {}, ...interface {}) bool", "ne": "func(interface {}, interface {}) bool", "lt": "func(interface {}, interface {}) bool",
    "le": "func(interface {}, interface {}) bool", "gt": "func(interface {}, interface {}) bool", "ge": "func(interface {}, interface {}) bool",
    "len": "func(interface {}) int", "index": "func(interface {}, ...interface {}) v", "slice": "func(interface {}, ...int) v",
    "print": "func(...interface {}) string", "println": "func(...interface {}) string", "html": "func(...interface {}) string",
    "js": "func(...interface {}) string", "urlquery": "func(...interface {}) string", "call": "func(interface {}) v",
    "printf": "func(format, ...interface {}) string",
}


class Function:
    def __init__(self, name, go_type):
        self.name = name
        self.params = [p.strip() for p in re.match(r"func\((.*?)\)(?: |$)", go_type).group(1).split(", ") if p.strip()]
        self.variadic = bool(self.params) and self.params[-1].startswith("...")


def pure(types):
    """The functions that can be compared, of the oracle's table and of the language."""
    table = {**BUILTINS, **{k: v for k, v in types.items() if not IMPURE.match(k) and not FOREIGN.match(k) and k not in ("scratch", "executeTemplate")}}
    return [Function(name, re.sub(r"func\(\*mergo\.Config\)", "x", go_type)) for name, go_type in table.items()]


class Grammar:
    """One source of templates; `random` is a random.Random, `valid` how rarely (1 in N) something is wrong on purpose."""

    KEYS = ["a", "b", "s", "n", "l", "m", "e", "z", "f", "x_1", "é", "a-b", "10", "9"]
    FIELDS = KEYS[:11]

    def __init__(self, functions, random, valid=12):
        self.functions, self.random, self.valid = functions, random, valid
        self.language = [f for f in functions if f.name in BUILTINS]
        self.variables, self.loops, self.budget = [], 0, 0

    def one_in(self, n):
        return self.random.randrange(n) == 0

    def pick(self, *choices):
        return self.random.choice(choices)

    # ---------------------------------------------------------------------------------------------------------- operands

    def number(self):
        if self.one_in(40):
            return self.pick("0x_1F", "0X1f", "0B1", "0O7", "0x1.8p1", "0x.8P-1", "1E5", "1_0.5", "0b2", "0x", "1e", "1i", "0x1p", "-0", "+0x10", "1+2i", "1.5-2i", "1e3i", "07i", "1__0", "1e400", "0b1e3", "00",
                             "'\\n'", "'\\''", "'\\x41'", "'\\u00e9'", "'\\101'", "'日'", "''", "'\\q'", "'", "1+i", "1.-i", "0O7+6i", "0x1p4-2i", "1e400+1i", "0_+1i", "5-0X5i", "0b1-1e2i", "-9223372036854775808", "0xFFFFFFFFFFFFFFFF", "5e-324", "1e308", "0.1", "16777217.0", "1e21", "1e20", "123456789.0")
        return self.pick("0", "1", "2", "3", "-1", "10", "7") if not self.one_in(8) else self.pick(
            "1.5", "-2.25", "1e3", "0x1F", "0b101", "0o17", "017", "1_000", "'a'", "'é'", "1e100", ".5", "1.", "9223372036854775807",
            "9223372036854775808", "1i", "2+3i", "0x1p4", "1e-7", "+3", "-0.0", "18446744073709551615", "089", "1_", "'ab'")

    def field(self):
        if self.one_in(10):
            return "$." + self.pick(*self.FIELDS) if not self.one_in(3) else self.pick(".m.a.b", ".Data.x", ".z.z", ".m.s", ".l.x")
        return "." + self.pick(*self.FIELDS)

    def variable(self):
        if not self.variables or self.one_in(12):
            return "$"
        return self.pick(*self.variables)

    def of_type(self, go_type, depth):
        """An argument that fits, mostly."""
        if self.one_in(self.valid):
            return self.operand(depth)
        makers = {
            "string": lambda: self.pick(*STRINGS) if not self.one_in(4) else self.pick(".s", '(print .n)', '(printf "%v" .)', "(toJSON .m)"),
            "int": lambda: self.pick("0", "1", "2", "3", "5", "-1", "10", "40", "(len .l)"),
            "int64": lambda: self.pick("0", "1", "2", "-1", "(parseInt \"7\")"),
            "uint32": lambda: self.pick("0", "1", "2"),
            "float64": lambda: self.pick("1.5", "0.5", "2.0", "1", ".f", "(parseFloat \"2.5\")"),
            "bool": lambda: self.pick("true", "false", "(eq 1 .n)"),
            "[]string": lambda: self.pick('(split "," "b,a,c")', '(split " " .s)', '(split "," "")'),
            "[]interface {}": lambda: self.pick(".l", '(sprig_list 1 "a" .s)', '(parseJSON "[3,1,2]")', "(sprig_list)", ".m.l"),
            "map[string]interface {}": lambda: self.pick(".m", '(sprig_dict "a" 1 "b" "x")', '(parseJSON "{\\"k\\":[1]}")', ".", "(sprig_dict)"),
            "time.Time": lambda: self.pick('(sprig_toDate "2006-01-02" "2024-02-29")'),
            "format": lambda: self.format(),
        }
        maker = makers.get(go_type)
        return maker() if maker else self.operand(depth)

    def format(self):
        verb = lambda: "%" + self.pick("", "", "", "+", "-", "#", " ", "0", "+#") + self.pick("", "", "5", "12", ".2", "8.3", "*", "[1]", "[2]", ".", "-7") + self.pick(
            *"vvvvdsqtxXeEfFgGTcUobO%") + self.pick("", "", " ", "|")
        return '"' + "".join(verb() for _ in range(1 + self.random.randrange(3))) + '"'

    def operand(self, depth):
        choice = self.random.randrange(16)
        if choice < 5:
            return self.field()
        if choice == 5:
            return "."
        if choice < 8:
            return self.number()
        if choice < 10:
            return self.pick(*STRINGS)
        if choice == 10:
            return self.pick("true", "false", "nil", "nil" if self.one_in(3) else "true")
        if choice < 13:
            return self.variable() + (self.field() if self.one_in(6) else "")
        if depth > 3:
            return self.pick(".", "1", '"d"')
        return "(" + self.pipeline(depth + 1) + ")" + (self.field() if self.one_in(12) else "")

    def call(self, depth, piped=False):
        function = self.pick(*(self.language if self.one_in(2) else self.functions))
        params = list(function.params)
        if function.variadic:
            last = params.pop()[3:]
            params += [last] * self.random.randrange(4)
        if piped and params:
            params.pop()
        if self.one_in(self.valid * 2):
            params = params[:-1] if self.one_in(2) else params + ["interface {}"]
        special = PARAMETERS.get(function.name, [])
        words = [function.name]
        for i, param in enumerate(params):
            known = special[i] if i < len(special) else None
            words.append(self.pick(*known) if known and not self.one_in(self.valid) else self.of_type(param, depth))
        return (self.pick("  ", "\n", "\t") if self.one_in(60) else " ").join(words)

    def command(self, depth):
        return self.call(depth) if self.one_in(2) else self.operand(depth)

    def pipeline(self, depth=0):
        text = ""
        if self.one_in(9):
            text = self.declare() + self.pick(" := ", " := ", " := ", " = ", ":=")
        text += self.command(depth)
        while self.one_in(4):
            text += self.pick(" | ", " | ", "|") + (self.call(depth, piped=True) if not self.one_in(self.valid * 3) else self.operand(depth))
        return text

    def declare(self):
        name = self.pick("$x", "$y", "$z", "$v1", "$é")
        self.variables.append(name)
        return name

    # ------------------------------------------------------------------------------------------------------------- nodes

    def action(self, text):
        left = self.pick("{{- ", "{{-\n") if self.one_in(9) else self.pick("{{", "{{", "{{ ")
        return left + text + (" -}}" if self.one_in(9) else self.pick("}}", "}}", " }}"))

    def text(self):
        return self.pick("", "a", " ", "\n", "x y\n", "é", "}}", "\t\n ", "<b>", "key: ")

    def nodes(self, depth):
        return "".join(self.node(depth) for _ in range(self.random.randrange(4)))

    def branch(self, word, head, depth, chain):
        mark = len(self.variables)
        text = self.action(f"{word} {head}") + self.nodes(depth)
        while chain and self.one_in(5):
            text += self.action(f"else {word} {self.pipeline()}") + self.nodes(depth)
        if self.one_in(3):
            text += self.action("else") + self.nodes(depth)
        if not self.one_in(self.valid * 2):
            del self.variables[mark:]
        return text + self.action("end")

    def loop(self, depth):
        mark, head = len(self.variables), ""
        if not self.one_in(3):
            names = [self.declare() for _ in range(self.pick(1, 2, 2))]
            head = ", ".join(names) + self.pick(" := ", " := ", " := ", " = ")
        head += self.pick(".l", ".m", ".l", "$.m", "3", "$", "(loop 1 4)", '(split "," "p,q")') if not self.one_in(4) else self.pipeline()
        self.loops += 1
        text = self.branch("range", head, depth, chain=False)
        self.loops -= 1
        del self.variables[mark:]
        return text

    def node(self, depth):
        self.budget -= 1
        if depth > 4 or self.budget < 0:
            return self.action(self.pipeline())
        choice = self.random.randrange(16)
        if choice < 3:
            return self.text()
        if choice < 8:
            return self.action(self.pipeline())
        if choice < 10:
            return self.branch("if", self.pipeline(), depth + 1, chain=True)
        if choice == 10:
            return self.branch("with", self.pipeline(), depth + 1, chain=True)
        if choice < 13:
            return self.loop(depth + 1)
        if choice == 13:
            return self.action('template "t%d" %s' % (self.random.randrange(3), self.pipeline() if self.one_in(2) else "."))
        if choice == 14 and (self.loops or self.one_in(self.valid)):
            return self.action("if " + self.pipeline()) + self.action(self.pick("break", "continue")) + self.action("end")
        if self.one_in(3):
            return self.special(depth)
        return self.pick("{{/* c */}}", "{{- /* c\n */ -}}", self.action('with secret "kv1/app"') + "{{.Data." + self.pick("user", "port", "ratio", "big", "obj", "list", "none") + "}}{{end}}",
                         '{{scratch.Set "k" .s}}{{scratch.Get "k"}}', '{{executeTemplate "t1" .}}', '{{range secrets "kv"}}{{.}};{{end}}')

    def special(self, depth):
        """What stands alone: objects with methods, records of secrets, blocks, definitions in the wrong place."""
        method = self.pick("Key", "Get", "Set", "SetX", "MapSet", "MapSetX", "MapValues", "Nope")
        words = " ".join(self.pick('"k"', '"k"', '"j"', ".s", "1", ".m", "nil", '(print .n)') for _ in range(
            {"Key": 1, "Get": 1, "MapValues": 1, "Set": 2, "SetX": 2}.get(method, 3) + (self.pick(-1, 1) if self.one_in(15) else 0)))
        path = self.pick('"kv1/app"', '"kv2/app"', '"tok"', '"wrapped"', '"nope"', '"kv2/app?version=2"')
        member = ".".join(self.pick("Data", "data", "Auth", "WrapInfo", "Warnings", "LeaseID", "LeaseDuration", "Renewable", "RequestID", "user", "port", "ratio", "big", "list", "metadata",
                                    "ClientToken", "Policies", "Metadata", "Token", "TTL", "none", "Nope") for _ in range(self.pick(1, 2, 2, 3)))
        return self.pick(
            self.action(f"scratch.{method} {words}"), self.action("$s := scratch") + self.action(f"$s.{method} {words}"),
            self.action(f"(secret {path}).{member}"), self.action(f"with secret {path}") + self.action(f".{member}" + self.pick("", " | " + self.call(depth, piped=True))) + "{{end}}",
            self.action(f"with secret {path}") + self.action("range $k, $v := ." + self.pick("Data", "Data.data", "Data.obj", "Data.list")) + "{{$k}}={{$v}};{{end}}{{end}}",
            self.action('with pkiCert "pki" "common_name=a"') + self.action(self.pick(".Cert", ".Key", ".CA", ".CAChain", ".Data.Cert", ".Data", ".", "range .CAChain", ".cert", ".Data 1")) + "{{end}}",
            self.action(f'block "t{self.random.randrange(4)}" {self.pipeline(depth)}') + self.nodes(depth + 1) + "{{end}}",
            self.action('define "q"') + "{{end}}", self.action(self.pick("break", "continue", "else", "end", "else if 1", "else with .m", "template", "block", "define", "if", "range", "with", "nil", "template .s", "end 1", "break 1", "nil | print")),
            self.action(f"{self.pick(*MOMENTS)}.{self.pick(*OF_MOMENTS)}"), self.action(f"(sprig_semver {self.pick(*VERSIONS)}).{self.pick(*OF_VERSIONS)}"),
            self.action(f"{self.pick(*NAMED)}.{self.pick(*OF_NAMED)}"),
            self.action(self.pick("toJSON ", "toYAML ", "add 1 ", "multiply 2 ", "eq 2 ", "sprig_int ", "sprig_list ", "sprig_kindOf ", "index .l ", f"printf {self.format()} ") + self.pick(*NAMED)),
            self.action(self.pick("toJSON ", "toYAML ", "printf \"%v %T\" 1 ", "print ", "sprig_typeOf ", "len ", "not ", "eq nil ") + self.pick(*MOMENTS, '(sprig_semver "v1.2-a+b")', "(sprig_urlParse .s)", "(sprig_until 3)")),
            self.action(f"{self.pick('sprig_deepEqual', 'eq', 'sprig_has', 'sprig_without', 'index .m', 'print')} {self.pick(*MOMENTS, *OBJECTS)} {self.pick(*MOMENTS, *OBJECTS, LIST_OF_OBJECTS)}"),
            self.action(f"range $i, $e := {self.pick(*OBJECTS, '(sprig_chunk 1 .l)', '(sprig_until 3)', '(parseYAML .s)')}") + self.action(self.pick("$e", ".x", "$e.x", "index $e 0", "print $i .")) + "{{end}}",
            self.action(f"{self.pick('sprig_concat', 'sprig_list', 'sprig_dict', 'scratch', 'sprig_coalesce', 'timestamp', 'loop')}.{self.pick('a', 's', 'Get', 'x.y')}"),
            self.action(f"index {ANY_KEYS} {self.pick(*OBJECTS, *MOMENTS, '1', '1.5', '.l', '.n', 'nil', 'true')}"),
            self.action(f"range $i, $e := loop {self.pick('3', '1 3', '0', '-1', '.n', '.s', '1.5')}") + "{{$i}}{{$e}}{{end}}",
            self.action(f"printf {self.format()} (secret {path}).{self.pick('Data', 'Auth', 'Warnings', 'LeaseDuration')} .n"),
            self.action(self.pick("toJSON", "toYAML", "toTOML", "toJSONPretty", "toUnescapedJSON", "toUnescapedJSONPretty", "printf \"%v\"", "printf \"%#v\"", "printf \"%+v\"", "printf \"%T\"") + self.pick(
                " .", " .m", " .l", f" (secret {path})", f" (secret {path}).Data", " (parseYAML " + self.pick(*YAML) + ")", " (parseJSON " + self.pick(*DOCUMENTS) + ")", ' (sprig_dict "a" nil "b" (sprig_list nil 1 "x"))')))

    def damage(self, text):
        """A character or a word too many or too few."""
        for _ in range(1 + self.random.randrange(2)):
            at = self.random.randrange(len(text) + 1)
            if self.one_in(2):
                text = text[:at] + text[at + 1 + self.random.randrange(4):]
            else:
                text = text[:at] + self.pick("{{", "}}", "(", ")", "|", " ", '"', "'", "`", ".", "$", ",", "=", ":=", "\n", "-", "{{end}}", "{{else}}", "{{break}}", "/*", "*/", "end",
                                             "\x01", "é", "\\", "1", "{{define \"q\"}}", "{{else if 1}}", " -}}", "{{- ") + text[at:]
        return text

    def template(self):
        # Most rows are short and right, so that many outputs are compared; some are long, or wrong in several places.
        self.valid = self.pick(8, 30, 200, 1000)
        self.variables, self.loops, self.budget, text = [], 0, self.pick(1, 2, 4, 20), ""
        for i in range(3):
            if self.budget > 3 and self.one_in(3):
                # A template that calls only later ones: no recursion without end.
                body = re.sub(r'(template|executeTemplate) "t[0-9]"', lambda m, i=i: f'{m[1]} "t{i + 1}"' if i < 2 else f'{m[1]} "none"', self.nodes(1))
                text += "{{define \"t%d\"}}%s{{end}}" % (i, body)
                self.variables = []
        text += "".join(self.node(0) for _ in range(1 + self.random.randrange(max(1, min(4, self.budget)))))
        return self.damage(text) if self.one_in(self.valid) else text

    # -------------------------------------------------------------------------------------------------------------- data

    def value(self, depth=0):
        choice = self.random.randrange(10)
        if choice < 3:
            return self.pick("1", "0", "2", "-1", "1.5", "1e21", "100000000", "0.000001", "12345678901234567890", "1.0", "3", "42", "-0", "1e-7", "999999.5", "1000000", "2.50", "1E3")
        if choice < 5:
            return json.dumps(self.pick("", "a", "x,y", "é<&>", "10", "%d", "b", "true", "multi\nline", "yes", "- x", "k: v", " pad ", "\x00\x7f", "\u2028", "😀", "'", '"', "a\tb", "#", "1e3"), ensure_ascii=False)
        if choice == 5:
            return self.pick("true", "false")
        if choice == 6:
            return "null"
        if depth > 2:
            return '"deep"'
        if choice == 7:
            return "[" + ",".join(self.value(depth + 1) for _ in range(self.random.randrange(4))) + "]"
        return self.object(depth + 1)

    def object(self, depth=0):
        keys = self.random.sample(self.KEYS, self.random.randrange(5))
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{self.value(depth)}" for k in keys) + "}"

    def root(self):
        """Mostly an object whose members are what their names promise: s a string, n a number, l a list, m a map."""
        if self.one_in(15):
            return self.value()
        typed = {"s": json.dumps(self.pick("text", "", "a,b", "Ünï", "7")), "n": self.pick("1", "0", "5", "2.5", "1e3"), "f": self.pick("1.5", "0.1", "-2"),
                 "l": "[" + ",".join(self.value(2) for _ in range(self.random.randrange(4))) + "]", "m": self.object(1), "a": self.value(1), "b": self.value(1)}
        return "{" + ",".join(f'"{k}":{v}' for k, v in typed.items() if not self.one_in(6)) + "}"

    def row(self):
        template, flags = self.template(), self.pick("", "", "", "n", "n", "e", "i", "ne")
        if self.one_in(25):
            left, right = self.pick(*DELIMITERS)
            template, flags = template.replace("{{", left).replace("}}", right), f"{flags} {left} {right}"
        return {"template": template, "data": self.root(), "flags": flags}
