package config

import (
	"fmt"
	"math"
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
type expression interface {
	eval(*scope) (any, error)
}

// scope gives names their values: nil, float64, bool, string or a list as []any.
type scope struct {
	value func(name string) (v any, declared bool, err error)
}

// evalFault is what keeps an expression from having a value.
type evalFault struct {
	field          string // the declared field that is to blame, "" for none
	problem, value string
	allowed        string
}

func (e *evalFault) Error() string { return strings.TrimSpace(e.field + " " + e.problem) }

type (
	constant  struct{ v any }
	fieldRef  string
	operation struct {
		op          string
		left, right expression
	}
	choice struct{ when, then, otherwise expression }
	call   struct {
		function string
		args     []expression
	}
)

func (c constant) eval(*scope) (any, error) { return c.v, nil }

func (n fieldRef) eval(s *scope) (any, error) {
	v, declared, err := s.value(string(n))
	if !declared {
		return string(n), nil
	}
	return v, err
}

func (c choice) eval(s *scope) (any, error) {
	v, err := c.when.eval(s)
	if err != nil {
		return nil, err
	}
	if truth(v) {
		return c.then.eval(s)
	}
	return c.otherwise.eval(s)
}

// truth takes null, false, 0, the empty word and the empty list for false.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

func (b operation) eval(s *scope) (any, error) {
	left, err := b.left.eval(s)
	if err != nil {
		return nil, err
	}
	switch {
	case b.op == "??" && left != nil, b.op == "or" && truth(left), b.op == "and" && !truth(left):
		return left, nil
	}
	right, err := b.right.eval(s)
	if err != nil {
		return nil, err
	}
	switch b.op {
	case "??", "or", "and":
		return right, nil
	case "==":
		return equal(left, right), nil
	case "!=":
		return !equal(left, right), nil
	case "&":
		return words(left) + words(right), nil
	}
	x, okX := left.(float64)
	y, okY := right.(float64)
	if !okX || !okY {
		return nil, &evalFault{
			field: nameOf(b.left, b.right, okX), problem: "is not a number",
			value: fmt.Sprint(pick(okX, right, left)), allowed: "a whole number",
		}
	}
	return b.arithmetic(x, y)
}

func pick(second bool, a, b any) any {
	if second {
		return a
	}
	return b
}

func words(v any) string {
	w, _ := v.(string)
	return w
}

func equal(a, b any) bool {
	switch a.(type) {
	case []any:
		return false
	}
	switch b.(type) {
	case []any:
		return false
	}
	return a == b
}

// nameOf returns the name of an operand, to blame it.
func nameOf(left, right expression, second bool) string {
	e := left
	if second {
		e = right
	}
	if n, ok := e.(fieldRef); ok {
		return string(n)
	}
	return ""
}

func (b operation) arithmetic(x, y float64) (any, error) {
	switch b.op {
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
	}
	if y == 0 {
		return 0.0, nil // validation names what is zero
	}
	switch b.op {
	case "//":
		return math.Floor(x / y), nil
	case "%":
		return math.Mod(x, y), nil
	}
	if q := x / y; q != math.Trunc(q) {
		return nil, &evalFault{
			field: nameOf(b.left, b.right, true), problem: "does not divide the width",
			value: plain(y), allowed: "a divisor of " + plain(x),
		}
	}
	return x / y, nil
}

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func (c call) eval(s *scope) (any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		v, err := a.eval(s)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	list, _ := args[0].([]any)
	switch c.function {
	case "len":
		return float64(len(list)), nil
	case "not":
		return !truth(args[0]), nil
	case "starts":
		return strings.HasPrefix(words(args[0]), words(args[1])), nil
	case "rest":
		return strings.TrimPrefix(words(args[0]), words(args[1])), nil
	case "first":
		if len(list) > 0 {
			return list[0], nil
		}
		return args[0], nil
	case "text":
		var shown []string
		for _, item := range list {
			shown = append(shown, fmt.Sprint(item))
		}
		return strings.Join(shown, " "), nil
	case "leading":
		n := slices.IndexFunc(list, func(item any) bool { return !equal(item, args[1]) })
		if n < 0 {
			n = len(list)
		}
		return float64(n), nil
	case "count":
		n := 0.0
		for _, item := range list {
			if equal(item, args[1]) {
				n++
			}
		}
		return n, nil
	}
	x, okX := args[0].(float64)
	y, okY := args[1].(float64)
	switch {
	case !okX || !okY:
		return nil, &evalFault{problem: c.function + " of what is not a number"}
	case c.function == "min":
		return math.Min(x, y), nil
	default:
		return math.Max(x, y), nil
	}
}

// arguments is how many each function takes.
var arguments = map[string]int{
	"len": 1, "not": 1, "first": 1, "text": 1, "count": 2, "leading": 2, "min": 2, "max": 2, "starts": 2, "rest": 2,
}

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

// parseExpression reads an expression.
func parseExpression(text string) (expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("is longer than %d characters", maxExpression)
	}
	p := &expressionParser{}
	if err := p.scan(text); err != nil {
		return nil, err
	}
	e, err := p.choice()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("has %q after its end", p.tokens[p.at])
	}
	return e, err
}

type expressionParser struct {
	tokens []string
	at     int
	depth  int
}

const symbols = "()?:+-*/%&,<>=!"

func (p *expressionParser) scan(text string) error {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t':
			i++
		case c == '\'':
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return fmt.Errorf("has no closing quote")
			}
			p.tokens = append(p.tokens, text[i:i+end+2])
			i += end + 2
		case strings.IndexByte(symbols, c) >= 0:
			n := 1
			if i+1 < len(text) &&
				slices.Contains([]string{"??", "==", "!=", "<=", ">=", "//"}, text[i:i+2]) {
				n = 2
			}
			p.tokens = append(p.tokens, text[i:i+n])
			i += n
		default:
			n := strings.IndexAny(text[i:], symbols+"' \n\t")
			if n < 0 {
				n = len(text) - i
			}
			p.tokens = append(p.tokens, text[i:i+n])
			i += n
		}
	}
	return nil
}

func (p *expressionParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *expressionParser) accept(token string) bool {
	if p.peek() == token {
		p.at++
		return true
	}
	return false
}

func (p *expressionParser) choice() (expression, error) {
	if p.depth++; p.depth > syntax.MaxDepth {
		return nil, fmt.Errorf("is nested too deep")
	}
	defer func() { p.depth-- }()
	when, err := p.level(0)
	if err != nil || !p.accept("?") {
		return when, err
	}
	then, err := p.choice()
	if err != nil {
		return nil, err
	}
	if !p.accept(":") {
		return nil, fmt.Errorf("has a ? without its colon")
	}
	otherwise, err := p.choice()
	return choice{when, then, otherwise}, err
}

func (p *expressionParser) level(n int) (expression, error) {
	if n == len(levels) {
		return p.operand()
	}
	left, err := p.level(n + 1)
	for err == nil && slices.Contains(levels[n], p.peek()) {
		op := p.peek()
		p.at++
		var right expression
		right, err = p.level(n + 1)
		left = operation{op, left, right}
	}
	return left, err
}

func (p *expressionParser) operand() (expression, error) {
	token := p.peek()
	p.at++
	switch {
	case token == "":
		return nil, fmt.Errorf("ends in the middle")
	case token == "(":
		e, err := p.choice()
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("has a ( without its )")
		}
		return e, err
	case token == "not":
		e, err := p.level(2)
		return call{"not", []expression{e}}, err
	case token[0] == '\'':
		return constant{token[1 : len(token)-1]}, nil
	case token == "null":
		return constant{nil}, nil
	case token == "true" || token == "false":
		return constant{token == "true"}, nil
	case strings.IndexByte(symbols, token[0]) >= 0:
		return nil, fmt.Errorf("has %q where a value should be", token)
	case token[0] >= '0' && token[0] <= '9':
		v, err := strconv.ParseFloat(token, 64)
		if err != nil {
			return nil, fmt.Errorf("has a wrong number %q", token)
		}
		return constant{v}, nil
	case p.peek() == "(" && arguments[token] > 0:
		return p.call(token)
	}
	return fieldRef(token), nil
}

func (p *expressionParser) call(function string) (expression, error) {
	p.at++
	c := call{function: function}
	for {
		e, err := p.choice()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, e)
		if p.accept(")") {
			break
		}
		if !p.accept(",") {
			return nil, fmt.Errorf("has a ( without its )")
		}
	}
	if len(c.args) != arguments[function] {
		return nil, fmt.Errorf("gives %s %d values, not %d", function, len(c.args),
			arguments[function])
	}
	return c, nil
}
