package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// expression is a value of the table of architectures: arithmetic and choices over the fields of a
// configuration. The whole language, weakest binding first:
//
//	if ? then : else    or    and    not    == != < <= > >=    ?? (the first that is not null)
//	+ - & (joins words)    * / (whole, or a fault) // (rounded down) %    (…)
//	min(a, b) max(a, b) len(list) first(list) text(list) count(list, word) starts(word, start)
//	rest(word, start) not(x)    numbers, 'words', null, true, false, names
//
// A name is a declared field; a name that is not declared stands for the word itself.
type expression struct {
	op    string // an operator or function, "?" for a choice, "name", or "" for a value
	name  string
	value any
	args  []*expression
}

// scope gives names their values: nil, float64, bool, string or a list as []any.
type scope func(name string) (v any, declared bool, err error)

// evalFault is what keeps an expression from having a value.
type evalFault struct {
	field          string // the declared field that is to blame, "" for none
	problem, value string
	allowed        string
}

func (e *evalFault) Error() string { return strings.TrimSpace(e.field + " " + e.problem) }

func (e *expression) eval(valueOf scope) (any, error) {
	switch e.op {
	case "":
		return e.value, nil
	case "name":
		v, declared, err := valueOf(e.name)
		if !declared {
			return e.name, nil
		}
		return v, err
	}
	args := make([]any, 0, len(e.args))
	for i, a := range e.args {
		v, err := a.eval(valueOf)
		switch {
		case err != nil:
			return nil, err
		case i > 0:
		case e.op == "?" && truth(v):
			return e.args[1].eval(valueOf)
		case e.op == "?":
			return e.args[2].eval(valueOf)
		case e.op == "??" && v != nil, e.op == "or" && truth(v), e.op == "and" && !truth(v):
			return v, nil
		}
		args = append(args, v)
	}
	if f, ok := operations[e.op]; ok {
		return f(args), nil
	}
	x, okX := args[0].(float64)
	y, okY := args[1].(float64)
	if okX && okY {
		return e.arithmetic(x, y)
	}
	if functions[e.op] > 0 {
		return nil, &evalFault{problem: e.op + " of what is not a number"}
	}
	to := 0
	if okX {
		to = 1
	}
	return nil, &evalFault{
		field: e.args[to].name, problem: "is not a number", value: fmt.Sprint(args[to]),
		allowed: "a whole number",
	}
}

// operations work on values of every kind.
var operations = map[string]func(a []any) any{
	"??": second, "or": second, "and": second,
	"==":     func(a []any) any { return equal(a[0], a[1]) },
	"!=":     func(a []any) any { return !equal(a[0], a[1]) },
	"&":      func(a []any) any { return word(a[0]) + word(a[1]) },
	"len":    func(a []any) any { return float64(len(list(a[0]))) },
	"not":    func(a []any) any { return !truth(a[0]) },
	"starts": func(a []any) any { return strings.HasPrefix(word(a[0]), word(a[1])) },
	"rest":   func(a []any) any { return strings.TrimPrefix(word(a[0]), word(a[1])) },
	"first": func(a []any) any {
		if items := list(a[0]); len(items) > 0 {
			return items[0]
		}
		return a[0]
	},
	"text": func(a []any) any {
		var shown []string
		for _, item := range list(a[0]) {
			shown = append(shown, fmt.Sprint(item))
		}
		return strings.Join(shown, " ")
	},
	"leading": func(a []any) any { return count(a[0], a[1], true) },
	"count":   func(a []any) any { return count(a[0], a[1], false) },
}

// functions are the operations that are called by name, and how many values each takes.
var functions = map[string]int{
	"len": 1, "not": 1, "first": 1, "text": 1, "count": 2, "leading": 2, "min": 2, "max": 2,
	"starts": 2, "rest": 2,
}

func second(a []any) any { return a[1] }

func word(v any) string {
	w, _ := v.(string)
	return w
}

func list(v any) []any {
	items, _ := v.([]any)
	return items
}

// count returns how many items of a list are a value; of those before another one only.
func count(v, of any, leading bool) float64 {
	n := 0.0
	for _, item := range list(v) {
		switch {
		case equal(item, of):
			n++
		case leading:
			return n
		}
	}
	return n
}

// truth takes null, false, 0, the empty word and the empty list for false.
func truth(v any) bool {
	items, isList := v.([]any)
	return len(items) > 0 || !isList && v != nil && v != false && v != 0.0 && v != ""
}

// equal compares scalars; a list is equal to nothing.
func equal(a, b any) bool {
	_, one := a.([]any)
	_, other := b.([]any)
	return !one && !other && a == b
}

func (e *expression) arithmetic(x, y float64) (any, error) {
	switch e.op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "<":
		return x < y, nil
	case "<=":
		return x <= y, nil
	case ">":
		return x > y, nil
	case ">=":
		return x >= y, nil
	case "min":
		return math.Min(x, y), nil
	case "max":
		return math.Max(x, y), nil
	}
	if y == 0 {
		return 0.0, nil // validation names what is zero
	}
	switch e.op {
	case "//":
		return math.Floor(x / y), nil
	case "%":
		return math.Mod(x, y), nil
	}
	if q := x / y; q != math.Trunc(q) {
		return nil, &evalFault{
			field: e.args[1].name, problem: "does not divide the width", value: plain(y),
			allowed: "a divisor of " + plain(x),
		}
	}
	return x / y, nil
}

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// levels are the operators from the weakest binding to the strongest.
var levels = [][]string{
	{"or"},
	{"and"},
	{"==", "!=", "<=", ">=", "<", ">"},
	{"??"},
	{"+", "-", "&"},
	{"*", "//", "/", "%"},
}

// maxExpression bounds what one expression of a user's table costs.
const maxExpression = 2000

const symbols = "()?:+-*/%&,<>=!"

// tokens are words in quotes, of which the last quote may be missing, symbols, and the rest.
var tokens = regexp.MustCompile(`'[^']*'?|\?\?|[=!<>]=|//|[()?:+\-*/%&,<>=!]|[^()?:+\-*/%&,<>=!' \n\t]+`)

// parseExpression reads an expression.
func parseExpression(text string) (*expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("is longer than %d characters", maxExpression)
	}
	p := &expressionParser{tokens: tokens.FindAllString(text, -1)}
	for _, t := range p.tokens {
		if t[0] == '\'' && (len(t) == 1 || t[len(t)-1] != '\'') {
			return nil, errors.New("has no closing quote")
		}
	}
	e := p.choice()
	if len(p.tokens) > 0 {
		p.fail("has %q after its end", p.tokens[0])
	}
	return e, p.err
}

// expressionParser keeps the first fault, after which there are no more tokens.
type expressionParser struct {
	tokens []string
	depth  int
	err    error
}

func (p *expressionParser) fail(format string, args ...any) *expression {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.tokens = nil
	return &expression{}
}

func (p *expressionParser) peek() string {
	if len(p.tokens) > 0 {
		return p.tokens[0]
	}
	return ""
}

func (p *expressionParser) next() string {
	token := p.peek()
	p.tokens = p.tokens[min(1, len(p.tokens)):]
	return token
}

func (p *expressionParser) accept(token string) bool {
	if p.peek() != token {
		return false
	}
	p.next()
	return true
}

func (p *expressionParser) choice() *expression {
	if p.depth++; p.depth > syntax.MaxDepth {
		return p.fail("is nested too deep")
	}
	defer func() { p.depth-- }()
	e := p.level(0)
	if !p.accept("?") {
		return e
	}
	then := p.choice()
	if !p.accept(":") {
		return p.fail("has a ? without its colon")
	}
	return &expression{op: "?", args: []*expression{e, then, p.choice()}}
}

func (p *expressionParser) level(n int) *expression {
	if n == len(levels) {
		return p.operand()
	}
	left := p.level(n + 1)
	for slices.Contains(levels[n], p.peek()) {
		left = &expression{op: p.next(), args: []*expression{left, p.level(n + 1)}}
	}
	return left
}

func (p *expressionParser) operand() *expression {
	token := p.next()
	switch {
	case token == "":
		return p.fail("ends in the middle")
	case token == "(":
		e := p.choice()
		if !p.accept(")") {
			return p.fail("has a ( without its )")
		}
		return e
	case token == "not":
		return &expression{op: "not", args: []*expression{p.level(2)}}
	case token[0] == '\'':
		return &expression{value: token[1 : len(token)-1]}
	case token == "null":
		return &expression{}
	case token == "true" || token == "false":
		return &expression{value: token == "true"}
	case strings.IndexByte(symbols, token[0]) >= 0:
		return p.fail("has %q where a value should be", token)
	case token[0] >= '0' && token[0] <= '9':
		v, err := strconv.ParseFloat(token, 64)
		if err != nil {
			return p.fail("has a wrong number %q", token)
		}
		return &expression{value: v}
	case functions[token] > 0 && p.accept("("):
		return p.call(token)
	}
	return &expression{op: "name", name: token}
}

func (p *expressionParser) call(function string) *expression {
	e := &expression{op: function, args: []*expression{p.choice()}}
	for p.accept(",") {
		e.args = append(e.args, p.choice())
	}
	if !p.accept(")") {
		return p.fail("has a ( without its )")
	}
	if n := functions[function]; len(e.args) != n {
		return p.fail("gives %s %d values, not %d", function, len(e.args), n)
	}
	return e
}
