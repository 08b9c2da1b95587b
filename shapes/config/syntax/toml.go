package syntax

import (
	"regexp"
	"strings"
)

// argumentLine tells a list of a trainer's arguments (--num-layers 24), as in a launch script.
var ArgumentLine = regexp.MustCompile(`(?m)^\s*(?:[A-Z_]+=\(\s*)?--[a-z][\w-]*(?:[ =]|\s*\\?$)`)

// ParseArguments returns the arguments of a list or launch script as an object: a name without a
// value is true.
func ParseArguments(t *Text) *Node {
	root := &Node{Kind: Object, At: Position{File: t.File, Line: 1, Column: 1}}
	offset := 0
	for line := range strings.Lines(string(t.Bytes)) {
		start := offset
		offset += len(line)
		line, _, _ = strings.Cut(line, "#")
		line = strings.Trim(strings.TrimRight(strings.TrimSpace(line), `\`), "() ")
		if !strings.Contains(line, "--") {
			continue
		}
		words := strings.Fields(strings.ReplaceAll(line[strings.Index(line, "--"):], "=", " "))
		for i := 0; i < len(words) && len(root.Fields) < maxGinBindings; i++ {
			key, ok := strings.CutPrefix(words[i], "--")
			if !ok {
				continue
			}
			value := &Node{Kind: Boolean, At: t.at(start), Text: "true"}
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
				value = scalarNode(strings.Trim(words[i+1], `"'`), t.at(start))
				i++
			}
			root.Fields = append(root.Fields, Field{Name: key, At: t.at(start), Value: value})
		}
	}
	return root
}

// scalarNode returns a bare word as a number, true or false, or text.
func scalarNode(s string, at Position) *Node {
	n := &Node{Kind: Word, At: at, Text: s}
	switch {
	case s == "true" || s == "false" || s == "True" || s == "False":
		n.Kind, n.Text = Boolean, strings.ToLower(s)
	case tomlNumber.MatchString(s):
		n.Kind, n.Text = Number, strings.ReplaceAll(s, "_", "")
	}
	return n
}

var (
	tomlNumber  = regexp.MustCompile(`^[+-]?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)
	tomlSection = regexp.MustCompile(`^\[\s*([\w."'-]+)\s*\]$`)
	tomlKey     = regexp.MustCompile(`^([\w."'-]+)\s*=\s*(.+)$`)
)

// ParseTOML reads the subset of TOML that configurations of trainers consist of: sections, keys, and
// values of one line. Lists, tables in one line and text of several lines are passed over, as no
// shape stands in them.
func ParseTOML(t *Text) (*Node, error) {
	root := &Node{Kind: Object, At: Position{File: t.File, Line: 1, Column: 1}}
	here := root
	offset, lines := 0, 0
	for line := range strings.Lines(string(t.Bytes)) {
		start := offset
		offset += len(line)
		line = strings.TrimSpace(line)
		if lines++; lines > maxGinBindings {
			return nil, t.fail(start, "holds too many values", "", "a page of text")
		}
		if m := tomlSection.FindStringSubmatch(strings.TrimSpace(strings.Split(line, "#")[0])); m != nil {
			here = root
			for key := range strings.SplitSeq(m[1], ".") {
				here = here.child(strings.Trim(key, `"'`), t.at(start))
			}
			continue
		}
		m := tomlKey.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		target, key := here, m[1]
		for {
			head, rest, cut := strings.Cut(key, ".")
			if !cut {
				break
			}
			target, key = target.child(head, t.at(start)), rest
		}
		target.Fields = append(target.Fields, Field{
			Name: strings.Trim(key, `"'`), At: t.at(start), Value: tomlValue(m[2], t.at(start)),
		})
	}
	return root, nil
}

// tomlValue reads a value up to its comment.
func tomlValue(s string, at Position) *Node {
	if s[0] == '"' || s[0] == '\'' {
		if end := strings.IndexByte(s[1:], s[0]); end >= 0 {
			return &Node{Kind: Word, At: at, Text: s[1 : end+1]}
		}
	}
	bare, _, _ := strings.Cut(s, "#")
	return scalarNode(strings.TrimSpace(bare), at)
}

// child returns the section of a key, made if it is not there.
func (n *Node) child(key string, at Position) *Node {
	for _, f := range n.Fields {
		if f.Name == key && f.Value.Kind == Object {
			return f.Value
		}
	}
	inner := &Node{Kind: Object, At: at}
	n.Fields = append(n.Fields, Field{Name: key, At: at, Value: inner})
	return inner
}
